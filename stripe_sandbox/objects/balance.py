"""The merchant's balance, and what each charge, refund and dispute did to it."""

from dataclasses import dataclass

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit

_SETTLES_AFTER = 2 * 24 * 3600
# Stripe's own fee for a dispute, kept however it ends.
DISPUTE_FEE = 1500


@dataclass(frozen=True)
class Move:
    """One movement: what kind, how much, the fee, and in whose words."""

    kind: str
    amount: int
    category: str
    fee: int = 0
    description: str | None = None
    fee_name: str = "Sandbox processing fee"
    at_once: bool = False


def record(unit: Unit, source: Json, move: Move) -> Json:
    """The balance has moved by the amount less the fee because of the source."""
    return unit.insert(
        {
            "id": ids.new_id("txn"),
            "object": "balance_transaction",
            "amount": move.amount,
            "available_on": unit.now if move.at_once else unit.now + _SETTLES_AFTER,
            "balance_type": "payments",
            "created": unit.now,
            "currency": source["currency"],
            "description": move.description,
            "exchange_rate": None,
            "fee": move.fee,
            "fee_details": _fees(move, source["currency"]),
            "net": move.amount - move.fee,
            "reporting_category": move.category,
            "source": source["id"],
            "status": "pending",
            "type": move.kind,
        }
    )


def fee_of(amount: int) -> int:
    """The sandbox's fee for a charge: 2.9 % and 30, rounded half up, in integers."""
    return (amount * 29 + 500) // 1000 + 30


def status_of(unit: Unit, body: Json) -> str:
    """Whether the sum can be paid out by now; nothing has to happen for it to become so."""
    return "available" if body["available_on"] <= unit.now else "pending"


def all_of(unit: Unit, values: Json) -> Json:
    """The balance transactions, newest first."""
    wheres = [*lists.equal(values, "currency", "source", "type"), *lists.within(values, "created")]
    return lists.page(unit, "balance_transaction", "/v1/balance_transactions", values, wheres)


def show(unit: Unit, values: Json) -> Json:
    """What there is in each currency: to be paid out, and on its way."""
    rows = unit.connection.execute(
        "SELECT json_extract(body, '$.currency') AS currency, "
        "json_extract(body, '$.available_on') <= ? AS available, "
        "json_extract(body, '$.type') LIKE 'payment%' AS from_bank, "
        "sum(json_extract(body, '$.net')) AS net "
        "FROM objects WHERE kind = 'balance_transaction' GROUP BY 1, 2, 3 ORDER BY 1",
        (unit.now,),
    ).fetchall()
    sums: dict[tuple[str, bool], dict[str, int]] = {}
    for row in rows:
        for available in (True, False):
            by_type = sums.setdefault((row["currency"], available), {})
            kind = "bank_account" if row["from_bank"] else "card"
            counts = bool(row["available"]) is available
            by_type[kind] = by_type.get(kind, 0) + (row["net"] if counts else 0)
    return {
        "object": "balance",
        "available": _listed(sums, available=True),
        "livemode": False,
        "pending": _listed(sums, available=False),
    }


def _listed(sums: dict[tuple[str, bool], dict[str, int]], *, available: bool) -> list[Json]:
    # An account that never took anything has nothing, and that in dollars.
    found = {currency: by for (currency, of), by in sums.items() if of is available} or {"usd": {}}
    return [
        {"amount": sum(by_type.values()), "currency": currency, "source_types": by_type}
        for currency, by_type in found.items()
    ]


def _fees(move: Move, currency: str) -> list[Json]:
    if not move.fee:
        return []
    return [
        {
            "amount": move.fee,
            "application": None,
            "currency": currency,
            "description": move.fee_name,
            "type": "stripe_fee",
        }
    ]


ROUTES = (
    Route("GET", "/v1/balance", show, partly="no reserves, no payouts: it only grows"),
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
        partly="no payouts; the fee is 2.9 % and 30",
    ),
)
