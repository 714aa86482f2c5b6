"""What bodies of older stores lack, added when the store is brought up.

Each text is written out as it was when its version was new, as the steps of the tables are.
"""

# Version 2 knew cards that pay or do not; how they behave afterwards was asked of nobody.
PAYMENTS_TO_3 = """
UPDATE objects SET body = json_set(
    json_insert(
        body,
        '$._authenticated', NULL,
        '$._return_url', NULL,
        '$.allowed_payment_method_types', NULL,
        '$.customer_account', NULL,
        '$.excluded_payment_method_types', NULL,
        '$.managed_payments', NULL,
        '$.payment_method_options.card', json(
            '{"installments":null,"mandate_options":null,"network":null,'
            || '"request_three_d_secure":"automatic"}'
        )
    ),
    '$.processing', NULL
) WHERE kind = 'payment_intent';
UPDATE objects SET body = json_insert(
    body, '$._mandate', NULL, '$.customer_account', NULL
) WHERE kind = 'payment_method';
UPDATE objects SET body = json_insert(
    body,
    '$._behaviour', coalesce(
        (
            SELECT json_extract(method.body, '$._behaviour') FROM objects AS method
            WHERE method.id = json_extract(objects.body, '$.payment_method')
        ),
        'pays'
    ),
    '$.on_behalf_of', NULL,
    '$.review', NULL,
    '$.source_transfer', NULL,
    '$.transfer_data', NULL
) WHERE kind = 'charge';
UPDATE objects SET body = json_insert(body, '$.customer_account', NULL) WHERE kind = 'refund';
"""
