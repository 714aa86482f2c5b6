"""Credit notes: what of a finalized invoice is taken back, and what is worth knowing of it."""

from dataclasses import dataclass

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.objects import credit_note_lines, discounts, taxes
from stripe_sandbox.unit import Unit

KIND = "credit_note"
_MOST = 99_999_999
_WAYS = ("credit_amount", "out_of_band_amount", "refund_amount")
FIELDS: params.Fields = {
    "amount": params.integer(1, _MOST),
    "credit_amount": params.integer(0, _MOST),
    "effective_at": params.integer(),
    "email_type": params.choice("credit_note", "none"),
    "invoice": TEXT,
    "lines": credit_note_lines.PARAMETER,
    "memo": TEXT,
    "metadata": params.metadata,
    "out_of_band_amount": params.integer(0, _MOST),
    "reason": params.choice("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
    "refund_amount": params.integer(0, _MOST),
    "refunds": params.list_of(
        params.hash_of(
            {
                "amount_refunded": params.integer(1, _MOST),
                "refund": TEXT,
                "type": params.choice("refund"),
            },
            ("refund",),
        ),
        20,
    ),
}


@dataclass(frozen=True)
class Plan:
    """A credit note that may be issued: its body, and refunds there are already to link."""

    body: Json
    invoice: Json
    linked: tuple[tuple[Json, int], ...]


def planned(unit: Unit, values: Json) -> Plan:
    """The credit note these parameters ask for, checked in full; nothing is stored yet."""
    invoice = unit.get("invoice", values["invoice"], "invoice")
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise errors.invalid(
            "You can only create a credit note for a finalized invoice that is not void; this one "
            f"is {invoice['status']}.",
            param="invoice",
        )
    lines = _lines(unit, invoice, values)
    body = _body(unit, invoice, values, lines)
    left = creditable(unit, invoice)
    if not 0 < body["amount"] <= left:
        raise errors.invalid(
            f"The credit note of {body['amount']} must be above 0 and not above what is left to "
            f"credit of the invoice ({left}).",
            param="amount" if values.get("amount") else "lines",
        )
    linked = tuple(_linked(unit, values, body))
    _check_ways(values, body, sum(amount for _, amount in linked))
    return Plan(body, invoice, linked)


def preview(unit: Unit, values: Json) -> Json:
    """The credit note as it would be; nothing has happened."""
    return planned(unit, values).body


def preview_lines(unit: Unit, values: Json) -> Json:
    """One page of the lines of the credit note as it would be."""
    return _page(planned(unit, values).body, values)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The memo and metadata are as asked; sums never change."""
    before = unit.get(KIND, id)
    body = unit.get(KIND, id)
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if "memo" in values:
        body["memo"] = values["memo"]
    return unit.update("credit_note.updated", body, before)


def all_of(unit: Unit, values: Json) -> Json:
    """The credit notes, newest first."""
    wheres = [*lists.equal(values, "customer", "invoice"), *lists.within(values, "created")]
    return lists.page(unit, KIND, _PATH, values, wheres)


def lines_of(unit: Unit, values: Json, id: str) -> Json:
    """One page of the lines of the credit note."""
    return _page(unit.get(KIND, id), values)


def _page(body: Json, values: Json) -> Json:
    return lists.cut(body["lines"]["url"], body["lines"]["data"], values)


def creditable(unit: Unit, invoice: Json) -> int:
    """What of the invoice no credit note has taken back yet."""
    credited: int = sum(note["amount"] for note in _issued(unit, invoice["id"]))
    return int(invoice["total"]) - credited


def _issued(unit: Unit, invoice_id: str) -> list[Json]:
    wanted = {"invoice": invoice_id, "status": "issued"}
    return unit.select(KIND, lists.equal(wanted, "invoice", "status"))


def _lines(unit: Unit, invoice: Json, values: Json) -> list[Json]:
    given: list[Json] = values.get("lines") or []
    amount = values.get("amount")
    if bool(given) is (amount is not None):
        raise errors.invalid("You must specify exactly one of amount and lines.")
    if amount is not None:
        return [credit_note_lines.lump(amount)]
    earlier = [line for note in _issued(unit, invoice["id"]) for line in note["lines"]["data"]]
    return credit_note_lines.made(unit, invoice, given, earlier)


def _body(unit: Unit, invoice: Json, values: Json, lines: list[Json]) -> Json:
    note_id = ids.new_id("cn")
    sums = _sums(lines)
    owed = invoice["amount_remaining"] if invoice["status"] != "paid" else 0
    pre = min(sums["amount"], owed)
    return {
        "id": note_id,
        "object": KIND,
        **sums,
        "amount_shipping": 0,
        "created": unit.now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "effective_at": values.get("effective_at") or unit.now,
        "invoice": invoice["id"],
        "lines": lists.listed(f"{_PATH}/{note_id}/lines", lines),
        "livemode": False,
        "memo": values.get("memo"),
        "metadata": params.merged_metadata({}, values.get("metadata") or {}),
        "number": _number(unit, invoice),
        "out_of_band_amount": values.get("out_of_band_amount"),
        "pdf": f"{unit.public_url}/i/{invoice['id']}/credit_notes/{note_id}/pdf",
        "post_payment_amount": sums["amount"] - pre,
        "pre_payment_amount": pre,
        "reason": values.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "type": _type(pre, sums["amount"] - pre),
        "voided_at": None,
    }


def _sums(lines: list[Json]) -> Json:
    off = discounts.total([line["discount_amounts"] for line in lines])
    total_taxes = taxes.total([line["taxes"] for line in lines])
    subtotal = sum(line["amount"] for line in lines)
    discount = sum(part["amount"] for part in off)
    inside = taxes.inside(total_taxes)
    total = subtotal - discount + taxes.on_top(total_taxes)
    return {
        "amount": total,
        "discount_amount": discount,
        "discount_amounts": off,
        "pretax_credit_amounts": [{**part, "type": "discount"} for part in off],
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inside,
        "total": total,
        "total_excluding_tax": subtotal - discount - inside,
        "total_taxes": total_taxes,
    }


def _type(pre: int, post: int) -> str:
    if pre and post:
        return "mixed"
    return "pre_payment" if pre else "post_payment"


def _number(unit: Unit, invoice: Json) -> str:
    before = len(unit.select(KIND, lists.equal({"invoice": invoice["id"]}, "invoice")))
    return f"{invoice['number']}-CN-{before + 1:02d}"


def _linked(unit: Unit, values: Json, body: Json) -> list[tuple[Json, int]]:
    found = []
    for at, one in enumerate(values.get("refunds") or ()):
        param = f"refunds[{at}]"
        refund = unit.get("refund", one["refund"], f"{param}[refund]")
        amount = one.get("amount_refunded") or refund["amount"]
        if refund["currency"] != body["currency"] or amount > refund["amount"]:
            raise errors.invalid(
                "The refund is smaller, or in another currency, than what it is linked for.",
                param=f"{param}[amount_refunded]",
            )
        found.append((refund, amount))
    return found


def _check_ways(values: Json, body: Json, linked: int) -> None:
    given = linked + sum(values.get(name) or 0 for name in _WAYS)
    if given != body["post_payment_amount"]:
        raise errors.invalid(
            "The sum of credit_amount, refund_amount, out_of_band_amount and refunds "
            f"({given}) must equal the part of the credit note the invoice's remaining amount does "
            f"not cover ({body['post_payment_amount']})."
        )


_PATH = "/v1/credit_notes"
MISSING = "no shipping_cost, tax_amounts on lines, parts of a minor unit, payment records"
ROUTES = (
    Route("GET", f"{_PATH}/preview", preview, FIELDS, ("invoice",), MISSING),
    Route(
        "GET",
        f"{_PATH}/preview/lines",
        preview_lines,
        {**FIELDS, **lists.PAGING},
        ("invoice",),
        MISSING,
    ),
    retrieve(KIND, _PATH),
    Route("POST", f"{_PATH}/<id>", update, {"memo": TEXT, "metadata": params.metadata}),
    Route("GET", f"{_PATH}/<id>/lines", lines_of, lists.PAGING),
    Route(
        "GET",
        _PATH,
        all_of,
        {**lists.PAGING, "created": params.span, "customer": TEXT, "invoice": TEXT},
    ),
)
