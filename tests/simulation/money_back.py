"""Money that goes back: by the customer, by staff, in Stripe's Dashboard, by the payer's bank."""

from __future__ import annotations

from typing import Any

from services.refund_service import RefundOrder
from talkingphoto.billing import payments
from talkingphoto.foundation.money import Money
from tests.simulation.turns import Turn, asked

# Disputes that end by themselves: won, lost, and never answered.
_ANSWERS = ("winning_evidence", "losing_evidence", "")


def in_the_dashboard(turn: Turn) -> str:
    """The operator gives money back in Stripe's Dashboard: all of it, or a part."""
    payment = turn.rng.choice(turn.refundable)
    left = payment.amount.minor - payment.refunded_minor
    amount = left if turn.rng.random() < 0.5 else 1 + turn.rng.randrange(left)
    params: Any = {"payment_intent": payment.payment_intent_id, "amount": amount}
    return f"{payment.item} {amount}, {asked(lambda: turn.world.stripe.refunds.create(params))}"


def by_the_customer(turn: Turn) -> str:
    """The customer wants their money back, as far as the offer goes."""
    payment = turn.rng.choice(turn.refundable)
    refunds = turn.world.services.refunds
    offer = refunds.offer(user_id=turn.person.id, payment_id=payment.id)
    if not offer.allowed:
        return f"{payment.item}, not offered"
    made = refunds.withdraw(
        user_id=turn.person.id, payment_id=payment.id, request_id=turn.person.new_id()
    )
    kept = made.amount == offer.refundable
    turn.promise(kept, f"{payment.item} offered {offer.refundable}, gave {made.amount}")
    return f"{payment.item} {made.amount.minor}, {made.state}"


def by_the_bank(turn: Turn) -> str:
    """The customer complains to their bank; the operator may answer."""
    payment = turn.rng.choice(turn.refundable)
    intent = turn.world.stripe.payment_intents.retrieve(payment.payment_intent_id or "")
    kind = turn.rng.choice(("fraudulent", "product_not_received", "inquiry", "warning"))
    answer = turn.rng.choice(_ANSWERS)
    charge = str(intent.latest_charge)
    said = turn.world.bank.post(f"/_sandbox/charges/{charge}/complain", {"kind": kind})
    if said.status != 200 or kind == "warning" or not answer:
        return f"{kind}, {said.status}"
    disputes = turn.world.stripe.disputes.list({"charge": charge}).data
    evidence: Any = {"evidence": {"uncategorized_text": answer}, "submit": True}
    for found in disputes:
        asked(lambda found=found: turn.world.stripe.disputes.update(found.id, evidence))  # type: ignore[misc]
    return f"{kind}, {answer}"


def _given_back(turn: Turn, payment: payments.Payment) -> int:
    intent = turn.world.stripe.payment_intents.retrieve(
        payment.payment_intent_id or "", {"expand": ["latest_charge"]}
    )
    charge: Any = intent.latest_charge
    return int(charge.amount_refunded)


def by_staff(turn: Turn) -> str:
    """Staff give back all that is left, or a part, some of it without a claim; some press twice."""
    payment = turn.rng.choice(turn.refundable)
    left = payment.amount.minor - payment.refunded_minor
    part = Money(1 + turn.rng.randrange(left), payment.amount.currency)
    order = RefundOrder(
        payment_id=payment.id,
        amount=None if turn.rng.random() < 0.5 else part,
        reason="Asked for by mail.",
        request_id=turn.person.new_id(),
        forgive=turn.rng.random() < 0.3,
    )
    before = _given_back(turn, payment)
    for _ in range(turn.rng.choice((1, 1, 2))):
        made = turn.world.services.refunds.refund(staff_id=turn.world.staff_id, order=order)
    wanted = order.amount.minor if order.amount else payment.amount.minor - before
    went = _given_back(turn, payment) - before
    kept = (made.amount.minor, went) == (wanted, wanted)
    turn.promise(kept, f"{payment.item} to be given {wanted}, told {made.amount}, was given {went}")
    return f"{payment.item} {made.amount.minor}, {made.state}"
