"""Whether a customer has bought before: what codes for first purchases ask."""

from stripe_sandbox.api import lists
from stripe_sandbox.unit import Unit, Where


def any_of(unit: Unit, customer_id: str) -> bool:
    """True if the customer has a payment that succeeded or an invoice that was sent or paid.

    Stripe documents "without any successful payments or invoices"; open invoices count there too,
    as its users found (github.com/stripe/stripe-node/issues/2349).
    """
    mine = lists.equal({"customer": customer_id}, "customer")
    paid = Where("json_extract(body, '$.status') = 'succeeded'")
    if unit.select("charge", [*mine, paid], 1):
        return True
    billed = Where("json_extract(body, '$.status') IN ('open', 'paid', 'uncollectible')")
    return bool(unit.select("invoice", [*mine, billed], 1))
