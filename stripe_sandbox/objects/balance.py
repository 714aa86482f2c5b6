"""Balance transactions: what each charge and refund did to the merchant's balance."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit

_SETTLES_AFTER = 2 * 24 * 3600


def record(unit: Unit, source: Json, *, kind: str, amount: int, fee: int) -> Json:
    """The balance has moved by amount less fee because of the source."""
    return unit.insert(
        {
            "id": ids.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": unit.now + _SETTLES_AFTER,
            "balance_type": "payments",
            "created": unit.now,
            "currency": source["currency"],
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": _fees(fee, source["currency"]),
            "net": amount - fee,
            "reporting_category": kind,
            "source": source["id"],
            "status": "pending",
            "type": kind,
        }
    )


def fee_of(amount: int) -> int:
    """The sandbox's fee for a charge: 2.9 % and 30, rounded half up, in integers."""
    return (amount * 29 + 500) // 1000 + 30


def all_of(unit: Unit, values: Json) -> Json:
    """The balance transactions, newest first."""
    wheres = [*lists.equal(values, "currency", "source", "type"), *lists.within(values, "created")]
    return lists.page(unit, "balance_transaction", "/v1/balance_transactions", values, wheres)


def _fees(fee: int, currency: str) -> list[Json]:
    if not fee:
        return []
    return [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Sandbox processing fee",
            "type": "stripe_fee",
        }
    ]


ROUTES = (
    retrieve("balance_transaction", "/v1/balance_transactions"),
    Route(
        "GET",
        "/v1/balance_transactions",
        all_of,
        {
            **lists.PAGING,
            "created": params.span,
            "currency": params.currency,
            "source": TEXT,
            "type": TEXT,
        },
        partly="charges and refunds; the fee is 2.9 % and 30",
    ),
)
