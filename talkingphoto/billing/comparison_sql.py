"""How what Stripe showed is compared with ours: a statement for each kind of object.

Each answers kind, class_, object_id, user_id, ours, theirs, heals, object_at. Only customers of
ours are compared: others on the same Stripe account belong to another product. A row of ours that
was written after Stripe was looked at is newer than the look and left for the next run.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text


def _statement(kind: str, *, seen: str, parts: tuple[str, ...]) -> TextClause:
    """The parts side by side over what was seen under that name, in a steady order."""
    sql = f"""
        WITH seen AS (
            SELECT s.*, c.user_id AS owner_id
            FROM seen_objects s
            LEFT JOIN customers c ON c.stripe_customer_id = s.customer_id
            WHERE s.run_id = :run_id AND s.kind = '{seen}'
                AND s.object_id = coalesce(CAST(:only AS text), s.object_id)
        ), found AS ({" UNION ALL ".join(parts)})
        SELECT '{kind}' AS kind, found.* FROM found
        WHERE object_id = coalesce(CAST(:only AS text), object_id)
        ORDER BY object_id, class_ LIMIT :limit
    """  # noqa: S608 - both names are our own
    return text(sql)


_CUSTOMERS = (
    """
    SELECT 'missing_there' AS class_, c.stripe_customer_id AS object_id, c.user_id,
        'customer' AS ours, 'none' AS theirs, false AS heals, c.created_at AS object_at
    FROM customers c JOIN users u ON u.id = c.user_id
    WHERE c.stripe_customer_id IS NOT NULL AND u.deleted_at IS NULL AND c.created_at < :until
        AND NOT EXISTS (SELECT FROM seen s WHERE s.object_id = c.stripe_customer_id)
    """,
    # Made there, and we crashed before we wrote it down: the next checkout would do it.
    """
    SELECT 'missing_here', s.object_id, c.user_id, 'none', 'customer', true, s.created_at
    FROM seen s JOIN customers c ON c.user_id::text = s.user_id
    WHERE c.stripe_customer_id IS NULL
    """,
    # Two at Stripe for one person, or one of ours under another person's name.
    """
    SELECT 'owner', s.object_id, c.user_id, coalesce(c.stripe_customer_id, 'none'),
        'user ' || coalesce(s.user_id, 'none'), false, s.created_at
    FROM seen s JOIN customers c
        ON c.stripe_customer_id = s.object_id AND c.user_id::text IS DISTINCT FROM s.user_id
        OR c.stripe_customer_id <> s.object_id AND c.user_id::text = s.user_id
    """,
)

_PLANS = (
    """
    SELECT 'missing_there' AS class_, o.id AS object_id, o.user_id, o.status AS ours,
        'none' AS theirs, false AS heals, o.started_at AS object_at
    FROM subscriptions o
    WHERE o.started_at < :until AND NOT EXISTS (SELECT FROM seen s WHERE s.object_id = o.id)
    """,
    """
    SELECT 'missing_here', s.object_id, s.owner_id, 'none', s.status, true, s.created_at
    FROM seen s
    WHERE s.owner_id IS NOT NULL AND s.created_at < :until
        AND EXISTS (SELECT FROM catalog_prices p WHERE p.price_id = s.price_id)
        AND NOT EXISTS (SELECT FROM subscriptions o WHERE o.id = s.object_id)
    """,
    """
    SELECT 'owner', o.id, o.user_id, 'user ' || o.user_id,
        'customer ' || coalesce(s.customer_id, 'none'), false, o.started_at
    FROM subscriptions o JOIN seen s ON s.object_id = o.id
    WHERE s.owner_id IS DISTINCT FROM o.user_id
    """,
    """
    SELECT 'status', o.id, o.user_id,
        o.status || CASE WHEN o.cancel_at_period_end THEN ', ends' ELSE '' END, s.status,
        true, o.started_at
    FROM subscriptions o JOIN seen s ON s.object_id = o.id AND s.owner_id = o.user_id
    WHERE o.synced_at < s.looked_at
        AND o.status || CASE WHEN o.cancel_at_period_end THEN ', ends' ELSE '' END <> s.status
    """,
    """
    SELECT 'period', o.id, o.user_id, o.period_end::text, s.period_end::text, true, o.started_at
    FROM subscriptions o JOIN seen s ON s.object_id = o.id AND s.owner_id = o.user_id
    WHERE o.synced_at < s.looked_at AND o.period_end <> s.period_end
        AND EXISTS (SELECT FROM catalog_prices p WHERE p.price_id = s.price_id)
    """,
    """
    SELECT 'item', o.id, o.user_id, o.item, p.item, true, o.started_at
    FROM subscriptions o JOIN seen s ON s.object_id = o.id AND s.owner_id = o.user_id
        JOIN catalog_prices p ON p.price_id = s.price_id
    WHERE o.synced_at < s.looked_at AND o.item <> p.item
    """,
)


_GRANTS = (
    # What was given back brings nothing, and a deleted account gets no credits.
    """
    SELECT 'grant_missing', s.object_id, s.owner_id, 'no lot ' || wanted, 'paid', true,
        s.created_at
    FROM seen s CROSS JOIN unnest(s.grants) AS wanted
        JOIN payments o ON o.id = s.object_id JOIN users u ON u.id = s.owner_id
    WHERE s.status = 'paid' AND o.status <> 'refunded' AND u.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM lots l WHERE l.key = wanted)
    """,
    """
    SELECT 'grant_extra', s.object_id, l.user_id, 'lot ' || l.key, s.status, false,
        s.created_at
    FROM seen s JOIN lots l ON l.reference = s.object_id AND l.source IN ('plan', 'pack')
    WHERE s.status <> 'paid'
    """,
)


def _payments(prefix: str) -> tuple[str, ...]:
    """Invoices and bought packs are payments of ours under Stripe's id."""
    folded = """CASE o.status WHEN 'refunded' THEN 'paid' WHEN 'partly_refunded' THEN 'paid'
        WHEN 'failed' THEN 'open' ELSE o.status END"""
    ours = "trim(to_char(o.amount_minor, '999999999990')) || ' ' || o.currency || ' ' || o.status"
    theirs = "coalesce(s.amount_minor, 0) || ' ' || coalesce(s.currency, '') || ' ' || s.status"
    return (
        f"""
        SELECT 'missing_there' AS class_, o.id AS object_id, o.user_id, {ours} AS ours,
            'none' AS theirs, false AS heals, o.created_at AS object_at
        FROM payments o
        WHERE o.id LIKE '{prefix}\\_%'
            AND o.created_at >= :since AND o.created_at < :until
            AND NOT EXISTS (SELECT FROM seen s WHERE s.object_id = o.id)
        """,  # noqa: S608 - all names are our own
        f"""
        SELECT 'missing_here', s.object_id, s.owner_id, 'none', {theirs}, true, s.created_at
        FROM seen s
        WHERE s.owner_id IS NOT NULL AND s.status = 'paid'
            AND NOT EXISTS (SELECT FROM payments o WHERE o.id = s.object_id)
        """,  # noqa: S608
        """
        SELECT 'owner', o.id, o.user_id, 'user ' || o.user_id,
            'customer ' || coalesce(s.customer_id, 'none'), false, o.created_at
        FROM payments o JOIN seen s ON s.object_id = o.id
        WHERE s.owner_id IS DISTINCT FROM o.user_id
        """,
        f"""
        SELECT 'status', o.id, o.user_id, {ours}, {theirs}, true, o.created_at
        FROM payments o JOIN seen s ON s.object_id = o.id AND s.owner_id = o.user_id
        WHERE o.synced_at < s.looked_at AND {folded} <> s.status
        """,  # noqa: S608
        f"""
        SELECT 'amount', o.id, o.user_id, {ours}, {theirs}, true, o.created_at
        FROM payments o JOIN seen s ON s.object_id = o.id AND s.owner_id = o.user_id
        WHERE o.synced_at < s.looked_at AND {folded} = s.status
            AND (o.amount_minor, o.currency) <> (s.amount_minor, s.currency)
        """,  # noqa: S608
    )


_INTENTS = (
    """
    SELECT 'missing_here' AS class_, s.object_id, s.owner_id AS user_id, 'none' AS ours,
        s.amount_minor || ' ' || s.currency || ' ' || s.status AS theirs, false AS heals,
        s.created_at AS object_at
    FROM seen s
    WHERE s.owner_id IS NOT NULL AND s.status = 'succeeded'
        AND NOT EXISTS (SELECT FROM payments o WHERE o.payment_intent_id = s.object_id)
        AND NOT EXISTS (
            SELECT FROM seen_objects paid
            WHERE paid.run_id = :run_id AND paid.reference = s.object_id
                AND paid.kind IN ('invoice', 'payment'))
    """,
)


def _given_back(table: str, key: str) -> tuple[str, ...]:
    """Refunds and disputes belong to a payment by its PaymentIntent; `key` holds Stripe's id."""
    ours = "o.amount_minor || ' ' || o.currency || ' ' || o.state"
    theirs = "s.amount_minor || ' ' || s.currency || ' ' || s.status"
    return (
        f"""
        SELECT 'missing_there' AS class_, o.{key} AS object_id, o.user_id, {ours} AS ours,
            'none' AS theirs, false AS heals, o.created_at AS object_at
        FROM {table} o
        WHERE o.{key} IS NOT NULL AND o.created_at >= :since AND o.created_at < :until
            AND NOT EXISTS (SELECT FROM seen s WHERE s.object_id = o.{key})
        """,  # noqa: S608 - all names are our own
        # One that failed at once moved nothing.
        f"""
        SELECT 'missing_here', s.object_id, p.user_id, 'none', {theirs}, true, s.created_at
        FROM seen s JOIN payments p ON p.payment_intent_id = s.reference
        WHERE s.status <> 'failed'
            AND NOT EXISTS (SELECT FROM {table} o WHERE o.{key} = s.object_id)
        """,  # noqa: S608
        f"""
        SELECT CASE WHEN o.state <> s.status THEN 'status' ELSE 'amount' END, s.object_id,
            o.user_id, {ours}, {theirs}, true, s.created_at
        FROM {table} o JOIN seen s ON s.object_id = o.{key}
        WHERE coalesce(o.synced_at, o.created_at) < s.looked_at
            AND (o.state, o.amount_minor, o.currency) <> (s.status, s.amount_minor, s.currency)
        """,  # noqa: S608
    )


# Intents come last: those behind an invoice or a checkout are told of by these.
OF_KIND = {
    "customer": _statement("customer", seen="customer", parts=_CUSTOMERS),
    "subscription": _statement("subscription", seen="subscription", parts=_PLANS),
    "invoice": _statement("invoice", seen="invoice", parts=_payments("in") + _GRANTS),
    "payment": _statement("payment", seen="payment", parts=_payments("cs") + _GRANTS),
    "refund": _statement("refund", seen="refund", parts=_given_back("refunds", "stripe_id")),
    "dispute": _statement("dispute", seen="dispute", parts=_given_back("disputes", "id")),
    "intent": _statement("payment", seen="intent", parts=_INTENTS),
}
