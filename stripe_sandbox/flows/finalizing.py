"""A draft becomes final: it has a number, the balance is used, and it can be paid."""

from stripe_sandbox import Json, amounts, clock
from stripe_sandbox.flows import collecting, settling, totalling
from stripe_sandbox.objects import customer_balance, invoice_payments, invoices, tax_ids
from stripe_sandbox.unit import Unit

DRAFT_SECONDS = 3600


def soon(unit: Unit) -> Json:
    """What a draft says that will finalize by itself in an hour."""
    return {"automatically_finalizes_at": unit.now + DRAFT_SECONDS}


def wait(unit: Unit, invoice: Json) -> None:
    """The draft finalizes by itself when it says so, and is then charged or sent."""
    unit.schedule("finalize", invoice["id"], invoice["automatically_finalizes_at"])


def finalize(
    unit: Unit, invoice: Json, intent: Json | None = None, *, as_shown: bool = False
) -> Json:
    """The draft is open with its number, or paid at once if nothing is owed.

    A PaymentIntent that was paid beforehand, at a checkout, is the one that pays it. A checkout
    asks for what its page has shown: the customer's balance stays as it is.
    """
    totalling.total(unit, invoice)
    if as_shown:
        _leave_balance(unit, invoice)
    else:
        _use_balance(unit, invoice)
    customer = unit.get("customer", invoice["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    unit.save(customer)
    if invoice["due_date"] is None:
        due_after(unit, invoice, _days_of(unit, invoice))
    invoice.update(
        status="open",
        number=number,
        automatically_finalizes_at=None,
        customer_tax_ids=_tax_ids(unit, customer["id"]),
        effective_at=invoice["effective_at"] or unit.now,
        hosted_invoice_url=f"{unit.public_url}/i/{invoice['id']}",
        invoice_pdf=f"{unit.public_url}/i/{invoice['id']}/pdf",
    )
    invoice["status_transitions"]["finalized_at"] = unit.now
    unit.unschedule("finalize", invoice["id"])
    unit.save(invoice)
    unit.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        settling.mark_paid(unit, invoice)
    elif intent is not None:
        invoice_payments.link(unit, invoice, intent)
        settling.tell(unit, invoice, intent)
    else:
        collecting.open_payment(unit, invoice)
    return invoice


def send(unit: Unit, invoice: Json) -> Json:
    """The open invoice is with the customer, who has until its due date."""
    if invoice["due_date"]:
        unit.schedule("overdue", invoice["id"], max(invoice["due_date"], unit.now))
    unit.emit("invoice.sent", invoice)
    return invoice


def advance(unit: Unit, invoice_id: str) -> None:
    """The hour is over: the draft is final, and charged or sent as its plan says."""
    invoice = unit.get("invoice", invoice_id)
    if invoice["status"] != "draft":
        return
    pause = _pause_of(unit, invoice)
    if pause == "keep_as_draft" or unit.get("customer", invoice["customer"]).get("deleted"):
        settling.stop_collecting(unit, invoice)
        return
    finalize(unit, invoice)
    if invoice["status"] != "open":
        return
    if pause == "void":
        settling.mark_void(unit, invoice)
    elif pause == "mark_uncollectible":
        settling.mark_uncollectible(unit, invoice)
    else:
        collect(unit, invoice, collecting.Try())


def collect(unit: Unit, invoice: Json, how: collecting.Try) -> None:
    """The open invoice has been charged, or sent to be paid; the caller's copy is old now."""
    if invoice["collection_method"] == "send_invoice":
        send(unit, invoice)
    elif invoice["auto_advance"]:
        collecting.attempt(unit, invoice, how)


def due_after(unit: Unit, invoice: Json, days: int | None) -> None:
    """An invoice to be sent is due so many days from now."""
    if invoice["collection_method"] == "send_invoice":
        invoice["due_date"] = unit.now + (30 if days is None else days) * clock.DAY


def _use_balance(unit: Unit, invoice: Json) -> None:
    """What the customer has in credit is used, what is owed besides is asked for too."""
    customer = unit.get("customer", invoice["customer"])
    begins = customer["balance"]
    left = invoice["total"] + begins
    small = 0 < left < amounts.smallest(invoice["currency"])
    owed = 0 if left <= 0 or small else left
    ends = left - owed
    kind = "invoice_too_small" if small else "applied_to_invoice"
    if ends != begins:
        customer_balance.move(
            unit,
            customer,
            ends - begins,
            kind,
            currency=invoice["currency"],
            invoice=invoice["id"],
        )
    invoice.update(
        starting_balance=begins, ending_balance=ends, amount_due=owed, amount_remaining=owed
    )


def _leave_balance(unit: Unit, invoice: Json) -> None:
    balance = unit.get("customer", invoice["customer"])["balance"]
    owed = invoice["total"]
    invoice.update(
        starting_balance=balance, ending_balance=balance, amount_due=owed, amount_remaining=owed
    )


def _tax_ids(unit: Unit, customer_id: str) -> list[Json]:
    """The tax ids the invoice prints, oldest first."""
    held = tax_ids.of_customer(unit, customer_id)
    return [{"type": body["type"], "value": body["value"]} for body in reversed(held)]


def _days_of(unit: Unit, invoice: Json) -> int | None:
    plan = unit.find(str(invoices.subscription_of(invoice)))
    return plan["days_until_due"] if plan else None


def _pause_of(unit: Unit, invoice: Json) -> str | None:
    subscription_id = invoices.subscription_of(invoice)
    if subscription_id is None:
        return None
    pause = unit.get("subscription", subscription_id)["pause_collection"]
    return str(pause["behavior"]) if pause else None
