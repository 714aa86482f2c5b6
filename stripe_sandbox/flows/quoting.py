"""What a Checkout Session comes to: its lines, its discount, and the taxes where its payer is.

The same functions that total an invoice are used here, on the same lines in the same order: what
the page shows is what the invoice will say.
"""

from collections.abc import Sequence

from stripe_sandbox import Json
from stripe_sandbox.maths import discounting
from stripe_sandbox.objects import automatic_tax, coupons, taxes
from stripe_sandbox.unit import Unit


def quote(unit: Unit, session: Json) -> Json:
    """The session's sums are those of the invoice or payment that it leads to."""
    if session["mode"] == "setup":
        return session
    lines = _as_billed(session)
    for line in lines:
        line["subtotal"] = 0 if line["recurring"] and is_trial(session) else line["amount"]
    buyer = _buyer(unit, session)
    off = _taken_off(unit, session, lines, [line["subtotal"] for line in lines])
    for line, less in zip(lines, off, strict=True):
        net = line["subtotal"] - less
        line["discount"] = less
        line["taxes"] = taxes.of_line(net, _levies(unit, session, line, buyer))
    _sum_up(session)
    return session


def locate(unit: Unit, session: Json, address: Json | None) -> Json:
    """The session's taxes are those of this address, if its payer's address decides them."""
    if decides_tax(session) and address and address.get("country"):
        session["_address"] = address
    return quote(unit, session)


def renewal(unit: Unit, session: Json, *, discounted: bool) -> int:
    """What a later whole period costs, with the session's discount or without."""
    lines = [line for line in _as_billed(session) if line["recurring"]]
    sums = [line["amount"] for line in lines]
    off = _taken_off(unit, session, lines, sums) if discounted else [0] * len(lines)
    buyer = _buyer(unit, session)
    total = 0
    for line, amount, less in zip(lines, sums, off, strict=True):
        found = taxes.of_line(amount - less, _levies(unit, session, line, buyer))
        total += amount - less + taxes.on_top(found)
    return total


def is_trial(session: Json) -> bool:
    """True if the subscription begins with a trial."""
    return bool(session["_data"].get("trial_period_days") or session["_data"].get("trial_end"))


def decides_tax(session: Json) -> bool:
    """True if the taxes follow from the address typed on the page, not from the customer's own."""
    if not session["automatic_tax"]["enabled"]:
        return False
    updates = session["_customer_update"]
    return session["customer"] is None or updates.get("address") == "auto"


def _as_billed(session: Json) -> list[Json]:
    """The lines in the order the invoice has them: a shared discount is spread in this order."""
    lines: list[Json] = session["_lines"]
    return sorted(lines, key=lambda line: not line["recurring"])


def _taken_off(
    unit: Unit, session: Json, lines: list[Json], sums: Sequence[int]
) -> tuple[int, ...]:
    discount = session["_discount"]
    if discount is None:
        return (0,) * len(lines)
    coupon = unit.get("coupon", discount["source"]["coupon"])
    reduction = coupons.reduction(coupon, session["currency"])
    assert reduction is not None, "a discount without a sum in this currency is refused before"
    return discounting.taken_off(
        [
            discounting.Line(amount, unit.get("price", line["price"])["product"])
            for line, amount in zip(lines, sums, strict=True)
        ],
        reduction,
    )


def _buyer(unit: Unit, session: Json) -> automatic_tax.Buyer | None:
    """Who pays tax and where, if the session wants its tax worked out; its status says so."""
    if not session["automatic_tax"]["enabled"]:
        return None
    buyer = _with_address(unit, session)
    status = automatic_tax.status(buyer)
    session["automatic_tax"].update(status=status, provider="stripe", liability={"type": "self"})
    return buyer if status == automatic_tax.COMPLETE else None


def _with_address(unit: Unit, session: Json) -> automatic_tax.Buyer:
    typed = session["_address"]
    if session["customer"] is None:
        return automatic_tax.Buyer(typed)
    customer = unit.get("customer", session["customer"])
    if typed and decides_tax(session):
        customer["address"] = typed
    return automatic_tax.buyer_of(unit, customer)


def _levies(
    unit: Unit, session: Json, line: Json, buyer: automatic_tax.Buyer | None
) -> tuple[taxes.Levy, ...]:
    if not session["automatic_tax"]["enabled"]:
        return taxes.manual(line["rates"] or session["_rates"])
    if buyer is None:
        return ()
    price = unit.get("price", line["price"])
    good = automatic_tax.good_of(unit, price, session["currency"])
    return automatic_tax.rates_for(unit, buyer, good)


def _sum_up(session: Json) -> None:
    lines = session["_lines"]
    subtotal = sum(line["subtotal"] for line in lines)
    off = sum(line["discount"] for line in lines)
    on_top = sum(taxes.on_top(line["taxes"]) for line in lines)
    inside = sum(taxes.inside(line["taxes"]) for line in lines)
    session.update(
        amount_subtotal=subtotal,
        amount_total=subtotal - off + on_top,
        total_details={
            "amount_discount": off,
            "amount_shipping": 0,
            "amount_tax": on_top + inside,
        },
    )
