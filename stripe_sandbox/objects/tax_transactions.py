"""Tax transactions: calculations that became sales, and what was taken back of them."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import tax_calculations
from stripe_sandbox.unit import Unit

KIND = "tax.transaction"
LINE = "tax.transaction_line_item"
_LOWEST = -99_999_999
_SUMS = ("amount", "amount_tax")


def create_from_calculation(unit: Unit, values: Json) -> Json:
    """The sale is on record with the taxes of its calculation."""
    calculation = tax_calculations.retrieve(unit, {}, values["calculation"])
    lines = unit.select(
        tax_calculations.LINE, lists.equal({"_of": calculation["id"]}, "_of"), order="ASC"
    )
    parts = [{**line, "reversal": None} for line in lines]
    return _recorded(unit, values, {**calculation, "reversal": None}, parts)


def create_reversal(unit: Unit, values: Json) -> Json:
    """The sale is taken back on record, whole or by lines; never more than is left of it."""
    original = unit.get(KIND, values["original_transaction"], "original_transaction")
    if original["type"] != "transaction":
        raise errors.invalid("A reversal cannot be reversed.", param="original_transaction")
    left = _left(unit, original)
    wanted = _wanted(values, left)
    if not wanted:
        raise errors.invalid("Nothing of this sale is left.", param="original_transaction")
    for place, part in wanted.items():
        if place not in left:
            raise errors.no_such("line item", place, "line_items")
        if any(abs(part[name]) > abs(left[place][name]) for name in _SUMS):
            raise errors.invalid("This is more than is left of it.", param="line_items")
    shipping = wanted.pop("", None)
    sold = {line["id"]: line for line in _lines(unit, original["id"])}
    parts = [
        {**sold[place], **part, "reversal": {"original_line_item": place}}
        for place, part in reversed(wanted.items())
    ]
    of = {**original, "reversal": {"original_transaction": original["id"]}}
    of["shipping_cost"] = {**original["shipping_cost"], **shipping} if shipping else None
    return _recorded(unit, values, of, parts)


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """One page of the transaction's lines, in their order."""
    unit.get(KIND, id)
    url = f"{_PATH}/{id}/line_items"
    return lists.page(unit, LINE, url, values, lists.equal({"_of": id}, "_of"))


def included(unit: Unit, body: Json) -> Json:
    """The first lines of the transaction, for expansion."""
    return lines_of(unit, {}, body["id"])


def _recorded(unit: Unit, values: Json, of: Json, parts: list[Json]) -> Json:
    """The transaction is stored with its lines; ``of`` is the calculation or sale it is made of."""
    reference = values["reference"]
    if unit.select(KIND, lists.equal({"reference": reference}, "reference"), 1):
        raise errors.invalid(
            f"The reference {reference} is in use by another transaction.", param="reference"
        )
    transaction_id = ids.new_id("tax")
    kind = "reversal" if of["reversal"] else "transaction"
    for part in parts:
        unit.insert(_line(part, transaction_id, kind))
    same = ("currency", "customer", "customer_details", "reversal", "shipping_cost", "tax_date")
    return unit.insert(
        {
            "id": transaction_id,
            "object": KIND,
            "created": unit.now,
            "line_items": None,
            "livemode": False,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "posted_at": values.get("posted_at") or unit.now,
            "reference": reference,
            "ship_from_details": None,
            "type": kind,
            **{name: of[name] for name in same},
        }
    )


def _line(part: Json, transaction_id: str, kind: str) -> Json:
    same = (
        "amount",
        "amount_tax",
        "metadata",
        "product",
        "quantity",
        "reference",
        "reversal",
        "tax_behavior",
        "tax_code",
    )
    return {
        "id": ids.new_id("tax_li"),
        "object": LINE,
        "livemode": False,
        "type": kind,
        **{name: part[name] for name in same},
        "_of": transaction_id,
    }


def _lines(unit: Unit, transaction_id: str) -> list[Json]:
    return unit.select(LINE, lists.equal({"_of": transaction_id}, "_of"))


def _left(unit: Unit, original: Json) -> dict[str, Json]:
    """What earlier reversals left of every line, and of shipping under an empty name."""
    left = {
        line["id"]: {name: line[name] for name in _SUMS} for line in _lines(unit, original["id"])
    }
    if original["shipping_cost"]:
        left[""] = {name: original["shipping_cost"][name] for name in _SUMS}
    taken = {"reversal.original_transaction": original["id"]}
    for reversal in unit.select(KIND, lists.equal(taken, *taken)):
        parts = [
            (line["reversal"]["original_line_item"], line) for line in _lines(unit, reversal["id"])
        ]
        if reversal["shipping_cost"]:
            parts.append(("", reversal["shipping_cost"]))
        for place, part in parts:
            for name in _SUMS:
                left[place][name] += part[name]
    return left


def _wanted(values: Json, left: dict[str, Json]) -> dict[str, Json]:
    """The sums to take back, below zero, by line; of shipping under an empty name."""
    if values["mode"] == "full":
        whole = {place: {name: -sums[name] for name in _SUMS} for place, sums in left.items()}
        return {place: sums for place, sums in whole.items() if any(sums.values())}
    wanted = {
        one["original_line_item"]: {
            name: value for name, value in one.items() if name != "original_line_item"
        }
        for one in values.get("line_items") or ()
    }
    if values.get("shipping_cost"):
        wanted[""] = values["shipping_cost"]
    if not wanted:
        raise errors.missing_parameter("line_items")
    return wanted


_PATH = "/v1/tax/transactions"
_TAKEN: params.Fields = dict.fromkeys(_SUMS, params.integer(_LOWEST, 0))
_COMMON: params.Fields = {"metadata": params.metadata, "reference": params.text(500)}
ROUTES = (
    Route(
        "POST",
        f"{_PATH}/create_from_calculation",
        create_from_calculation,
        {**_COMMON, "calculation": TEXT, "posted_at": params.integer()},
        ("calculation", "reference"),
    ),
    Route(
        "POST",
        f"{_PATH}/create_reversal",
        create_reversal,
        {
            **_COMMON,
            "line_items": params.list_of(
                params.hash_of(
                    {
                        **_TAKEN,
                        "original_line_item": TEXT,
                        "quantity": params.integer(0),
                        "reference": params.text(500),
                    },
                    (*_SUMS, "original_line_item", "reference"),
                )
            ),
            "mode": params.choice("full", "partial"),
            "original_transaction": TEXT,
            "shipping_cost": params.hash_of(_TAKEN, _SUMS),
        },
        ("mode", "original_transaction", "reference"),
        partly="no flat_amount, no metadata on lines",
    ),
    retrieve(KIND, _PATH),
    Route("GET", f"{_PATH}/<id>/line_items", lines_of, lists.PAGING),
)
