"""Carrying out a top-up: an invoice for one pack, paid with the saved card while its owner is away.

Whoever runs it again, after a crash or beside another worker, finds the same invoice and charges
nothing twice. A bank that says no, or asks, ends it and what stands behind it.
"""

from __future__ import annotations

import structlog

from talkingphoto.billing import (
    customers,
    declines,
    saved_cards,
    subscriptions,
    top_up_terms,
    top_ups,
)
from talkingphoto.events import invoices
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.integrations.stripe_invoices import TopUpOrder
from talkingphoto.runtime import Runtime

log = structlog.get_logger()

_ASKS = (
    "Your bank wants you to confirm the payment, so we stopped buying videos by ourselves. "
    "Nothing was charged. Buy a pack yourself, then turn it on again."
)
_NO_CARD = "There was no saved card to charge. Add a card, then turn it on again."
_OFF = "turned off"


def run(runtime: Runtime, *, top_up_id: str) -> None:
    """The top-up is paid and its credits are there, or it has ended without a charge."""
    with runtime.read_only() as session:
        intent = top_ups.get(session, top_up_id=top_up_id)
        if intent is None or intent.state != "open":
            return  # another worker was first
        customer = customers.of_user(session, user_id=intent.user_id)
        card = saved_cards.of_customer(session, user_id=intent.user_id)
        setting = top_up_terms.setting_of(session, user_id=intent.user_id)
    assert customer.stripe_customer_id is not None, "who agreed to a charge is known at Stripe"
    order = TopUpOrder(
        top_up_id=intent.id,
        user_id=intent.user_id,
        customer_id=customer.stripe_customer_id,
        item_key=intent.item.key,
        price_id=intent.price_id,
    )
    agreed = setting is not None and setting.is_on
    invoice_id = intent.invoice_id or runtime.gateway.find_top_up(order)
    if agreed and card is not None:
        invoice_id = invoice_id or runtime.gateway.draft_top_up(order)
        with runtime.transaction() as session:
            top_ups.attach_invoice(session, top_up_id=intent.id, invoice_id=invoice_id)
        _charge(runtime, order, invoice_id=invoice_id, card=card)
    if invoice_id is None:
        _end(runtime, order, reason=_reason(agreed, card))
    elif not _paid(runtime, invoice_id):
        _give_up(runtime, order, invoice_id=invoice_id, reason=_reason(agreed, card))


def look_at_card(runtime: Runtime, *, user_id: str) -> saved_cards.SavedCard | None:
    """The card that Stripe would charge now, which is on record as well; None without one."""
    with runtime.read_only() as session:
        customer_id = customers.of_user(session, user_id=user_id).stripe_customer_id
    looked_at = runtime.wall_clock()
    card = runtime.gateway.saved_card(customer_id) if customer_id else None
    with runtime.transaction() as session:
        saved_cards.record(session, user_id=user_id, card=card, looked_at=looked_at)
    return card


def _charge(
    runtime: Runtime, order: TopUpOrder, *, invoice_id: str, card: saved_cards.SavedCard
) -> None:
    runtime.gateway.finish_invoice(invoice_id, order)
    found = runtime.gateway.fetch_invoice(invoice_id)
    if found is None or found.status != "open" or found.failure_code is not None:
        return  # paid from the balance, or tried before: a bank is asked once
    try:
        runtime.gateway.pay_with(
            invoice_id,
            payment_method_id=card.payment_method_id,
            key=f"topup:{order.top_up_id}:pay",
        )
    except (errors.PaymentDeclined, errors.InvalidRequest) as refusal:
        log.info("topup.refused", top_up_id=order.top_up_id, code=refusal.code)


def _paid(runtime: Runtime, invoice_id: str) -> bool:
    """Whether it was paid; then the payment is on record and its credits are there."""
    found = runtime.gateway.fetch_invoice(invoice_id)
    if found is None or found.status != "paid":
        return False
    _write(runtime, invoice_id)
    return True


def _give_up(runtime: Runtime, order: TopUpOrder, *, invoice_id: str, reason: str) -> None:
    before = runtime.gateway.fetch_invoice(invoice_id)
    runtime.gateway.close_invoice(invoice_id)
    if _paid(runtime, invoice_id):
        return  # between the two looks
    _write(runtime, invoice_id)
    _end(runtime, order, reason=reason or _refused(before))


def _end(runtime: Runtime, order: TopUpOrder, *, reason: str) -> None:
    """The intent came to nothing; unless the customer wanted that, they are told and it is off."""
    now, dropped = runtime.clock(), reason == _OFF
    state = "dropped" if dropped else "failed"
    with runtime.transaction() as session:
        customers.lock(session, user_id=order.user_id)
        ended = top_ups.end(session, top_up_id=order.top_up_id, state=state, reason=reason, now=now)
        if ended and not dropped:
            top_up_terms.stop(session, user_id=order.user_id, because=reason, now=now)


def _write(runtime: Runtime, invoice_id: str) -> None:
    write = invoices.write_of(look_at(runtime), invoice_id)
    if write is not None:
        with runtime.transaction() as session:
            write(session)


def _reason(agreed: bool, card: saved_cards.SavedCard | None) -> str:
    """Why nothing was charged; empty when the bank has the word."""
    if not agreed:
        return _OFF
    return "" if card is not None else _NO_CARD


def _refused(found: subscriptions.InvoiceFacts | None) -> str:
    code = found.failure_code if found else None
    if code in {None, "authentication_required"}:
        return _ASKS
    return declines.explain(code).sentence
