"""What an invoice says to its owner: its lines, its sums, its state, and how it was paid."""

from dataclasses import dataclass

from stripe_sandbox import Json, amounts
from stripe_sandbox.api import lists
from stripe_sandbox.objects import credit_notes, invoice_payments, invoices
from stripe_sandbox.pages import answer, words
from stripe_sandbox.unit import Unit

_STATES = {
    "paid": ("Paid", "good"),
    "open": ("To be paid", "warn"),
    "draft": ("Draft", ""),
    "void": ("Void", ""),
    "uncollectible": ("Not paid", "warn"),
}


@dataclass(frozen=True)
class Line:
    """One line: what, for which time, how many at what price, and the sum."""

    words: str
    period: str | None
    each: str | None
    sum: str


@dataclass(frozen=True)
class Sum:
    """One of the sums below the lines; the ``strong`` ones are what is looked for."""

    words: str
    sum: str
    strong: bool = False


def state_of(unit: Unit, invoice: Json) -> tuple[str, str]:
    """The state in a word or two, and its colour."""
    if under_way(unit, invoice):
        return ("On its way", "warn")
    return _STATES[invoice["status"]]


def under_way(unit: Unit, invoice: Json) -> bool:
    """True if a bank debit of the invoice is not decided yet."""
    if invoice["status"] != "open":
        return False
    intent = invoice_payments.intent_of(unit, invoice)
    return intent is not None and intent["status"] == "processing"


def dates(invoice: Json) -> list[tuple[str, str]]:
    """The dates an invoice has, with their names."""
    moments = invoice["status_transitions"]
    found = [
        ("Date", invoice["effective_at"] or invoice["created"]),
        ("Due", invoice["due_date"]),
        ("Paid on", moments["paid_at"]),
        ("Void since", moments["voided_at"]),
    ]
    return [(name, answer.day(moment)) for name, moment in found if moment]


def bill_to(invoice: Json) -> list[str]:
    """Who the invoice is for: name, address, e-mail, tax ids."""
    address = invoice["customer_address"] or {}
    place = " ".join(
        str(address[part]) for part in ("postal_code", "city", "state") if address.get(part)
    )
    tax_ids = [
        f"{words.TAX_IDS.get(one['type'], one['type'])} {one['value']}"
        for one in invoice["customer_tax_ids"] or ()
    ]
    rows = [
        *(invoice["customer_name"], address.get("line1"), address.get("line2"), place),
        *(address.get("country"), invoice["customer_email"], *tax_ids),
    ]
    return [str(row) for row in rows if row]


def lines(invoice: Json) -> list[Line]:
    """The lines of the invoice."""
    currency = invoice["currency"]
    return [
        Line(
            words=str(line["description"] or "Item"),
            period=_period(line["period"]),
            each=_each(line, currency),
            sum=amounts.written(line["amount"], currency),
        )
        for line in invoices.lines_in(invoice)
    ]


def sums(unit: Unit, invoice: Json) -> list[Sum]:
    """From the lines to what is due: discounts, taxes, credit, credit notes, what was paid."""
    currency = invoice["currency"]

    def written(amount: int) -> str:
        return amounts.written(amount, currency)

    taken = [
        Sum(words.discount(unit, unit.get("discount", part["discount"])), written(-part["amount"]))
        for part in invoice["total_discount_amounts"]
    ]
    levied = [
        Sum(words.tax(unit, tax), words.tax_added(tax, currency)) for tax in invoice["total_taxes"]
    ]
    rows = [*taken, *levied]
    if rows:
        rows.insert(0, Sum("Subtotal", written(invoice["subtotal"])))
    rows.append(Sum("Total", written(invoice["total"]), strong=True))
    rows += _after_total(unit, invoice)
    return rows


def _after_total(unit: Unit, invoice: Json) -> list[Sum]:
    currency = invoice["currency"]
    rows = []
    used = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if invoice["status"] != "draft" and used:
        name = "Credit used" if used > 0 else "Owed from before"
        if 0 < invoice["total"] < amounts.smallest(currency) and used > 0:
            name = "Too little to charge, kept for the next invoice"
        rows.append(Sum(name, amounts.written(-used, currency)))
    for note in credits_of(unit, invoice):
        written = amounts.written(-note["pre_payment_amount"], currency)
        if note["pre_payment_amount"]:
            rows.append(Sum(f"Credit note {note['number']}", written))
    if invoice["amount_paid"]:
        rows.append(Sum("Paid", amounts.written(-invoice["amount_paid"], currency)))
    due = amounts.written(invoice["amount_remaining"], currency)
    rows.append(Sum("Due", due, strong=True))
    for note in credits_of(unit, invoice):
        if note["post_payment_amount"]:
            given = amounts.written(note["post_payment_amount"], currency)
            rows.append(Sum(f"Given back, credit note {note['number']}", given))
    return rows


def credits_of(unit: Unit, invoice: Json) -> list[Json]:
    """The credit notes of the invoice that count, oldest first."""
    wanted = {"invoice": invoice["id"], "status": "issued"}
    return unit.select(credit_notes.KIND, lists.equal(wanted, *wanted), order="ASC")


def charges_of(unit: Unit, invoice: Json) -> list[Json]:
    """The charges that have paid the invoice."""
    wanted = {"invoice": invoice["id"], "status": "paid"}
    paid = unit.select("invoice_payment", lists.equal(wanted, *wanted))
    found = []
    for payment in paid:
        intent = unit.find(str(payment["payment"].get("payment_intent")))
        charge = unit.find(intent["latest_charge"]) if intent and intent["latest_charge"] else None
        if charge is not None:
            found.append(charge)
    return found


def paid_with(charge: Json) -> str:
    """What the charge was taken from: Visa ending 4242."""
    details = charge["payment_method_details"]
    return words.method({**details, "type": details["type"]})


def _period(period: Json) -> str | None:
    if period["start"] == period["end"]:
        return None
    return f"{answer.day(period['start'])} to {answer.day(period['end'])}"


def _each(line: Json, currency: str) -> str | None:
    quantity = line["quantity"]
    if not quantity or quantity == 1 or line["amount"] % quantity:
        return None
    return f"{quantity} \u00d7 {amounts.written(line['amount'] // quantity, currency)}"
