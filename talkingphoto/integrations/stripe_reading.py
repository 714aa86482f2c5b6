"""Stripe's objects in our words: the one place that knows where API 2026-10-28 keeps a field."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from talkingphoto.billing.payments import CheckoutFacts
from talkingphoto.billing.recovery import LastTry
from talkingphoto.billing.saved_cards import SavedCard
from talkingphoto.billing.subscriptions import (
    InvoiceFacts,
    InvoiceLine,
    SubscribedItem,
    SubscriptionFacts,
)
from talkingphoto.foundation.money import Money
from talkingphoto.integrations import stripe_reading_standing

_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def checkout(session: Any) -> CheckoutFacts:
    """A Checkout Session."""
    metadata = _metadata(session)
    total = session.amount_total
    details = session.total_details
    return CheckoutFacts(
        id=session.id,
        status=session.status or "open",
        payment_status=session.payment_status,
        mode=session.mode,
        customer_id=id_of(session.customer),
        user_id=metadata.get("user_id"),
        request_id=metadata.get("request_id"),
        item=metadata.get("item"),
        url=session.url,
        amount=None if total is None else Money(total, session.currency),
        tax_minor=(details.amount_tax or 0) if details else 0,
        payment_intent_id=id_of(session.payment_intent),
        invoice_id=id_of(session.invoice),
        created_at=_moment(session.created),
    )


def subscription(found: Any) -> SubscriptionFacts:
    """A subscription; each of its items has its period since API 2025-03-31."""
    return SubscriptionFacts(
        id=found.id,
        customer_id=id_of(found.customer),
        items=tuple(
            SubscribedItem(
                price_id=item.price.id,
                period_start=_moment(item.current_period_start),
                period_end=_moment(item.current_period_end),
            )
            for item in found["items"].data
        ),
        status=found.status,
        cancel_at_period_end=bool(found.cancel_at_period_end),
        started_at=_moment(found.start_date),
        ended_at=_moment(found.ended_at) if found.ended_at else None,
        schedule_id=id_of(getattr(found, "schedule", None)),
        waiting_price_id=_waiting_price(found),
        standing=stripe_reading_standing.standing(found),
    )


def invoice(found: Any, lines: Iterable[Any] | None = None) -> InvoiceFacts:
    """An invoice, and why its last payment failed if `payments` are expanded; `lines` are all of
    them, where it shows a first page only."""
    parent = getattr(found, "parent", None)
    details = getattr(parent, "subscription_details", None) if parent else None
    paid_at = found.status_transitions.paid_at
    payment = _payment_intent(found)
    return InvoiceFacts(
        id=found.id,
        customer_id=id_of(found.customer),
        subscription_id=id_of(details.subscription) if details else None,
        status=found.status or "draft",
        billing_reason=found.billing_reason or "manual",
        total=Money(found.total, found.currency),
        tax_minor=sum(tax.amount for tax in found.total_taxes or []),
        number=found.number,
        hosted_url=found.hosted_invoice_url,
        pdf_url=found.invoice_pdf,
        payment_intent_id=id_of(payment),
        created_at=_moment(found.created),
        paid_at=_moment(paid_at) if paid_at else None,
        lines=tuple(_line(line) for line in (found.lines.data if lines is None else lines)),
        failure_code=failure(payment) if payment and not isinstance(payment, str) else None,
        last_try=_last_try(found, payment),
        top_up_id=_metadata(found).get("top_up_id"),
        charged=Money(found.amount_due, found.currency),
    )


def _waiting_price(found: Any) -> str | None:
    """The price of a change that waits for its payment; None without one."""
    pending = getattr(found, "pending_update", None)
    items = getattr(pending, "subscription_items", None) if pending else None
    return str(items[0].price.id) if items else None


def saved_card(method: Any) -> SavedCard | None:
    """A card of a customer; None for any other way to pay."""
    card = getattr(method, "card", None)
    return SavedCard(method.id, card.brand, card.last4) if card else None


def card_words(charge: Any) -> str | None:
    """The card of a charge, by its brand and last digits; None for another way to pay."""
    details = getattr(charge, "payment_method_details", None)
    card = getattr(details, "card", None) if details else None
    return f"{str(card.brand).capitalize()} ending in {card.last4}" if card else None


def failure(payment_intent: Any) -> str | None:
    """Why the last try of a PaymentIntent failed, in Stripe's code; None when it did not."""
    error = getattr(payment_intent, "last_payment_error", None)
    if not error:
        return None
    return getattr(error, "decline_code", None) or getattr(error, "code", None) or "card_declined"


def _last_try(found: Any, payment: Any) -> LastTry:
    if payment is None or isinstance(payment, str):
        return LastTry()
    error = getattr(payment, "last_payment_error", None)
    method = getattr(error, "payment_method", None) if error else None
    next_try = getattr(found, "next_payment_attempt", None)
    return LastTry(
        code=failure(payment),
        needs_bank=payment.status == "requires_action",
        next_try_at=_moment(next_try) if next_try else None,
        method_id=id_of(method or payment.payment_method) or "",
        card=_card(method),
    )


def _card(method: Any) -> str:
    """A card as its owner knows it: Visa ending 4242; empty for whatever is no card."""
    card = getattr(method, "card", None) if method else None
    if not card:
        return ""
    return f"{_BRANDS.get(card.brand, card.brand.title())} ending {card.last4}"


def _payment_intent(found: Any) -> Any:
    """What pays an invoice, as an id or expanded; None while there is nothing, or nothing due."""
    entries = getattr(found, "payments", None)
    for entry in entries.data if entries else []:
        if getattr(entry.payment, "payment_intent", None):
            return entry.payment.payment_intent
    return None


def _line(line: Any) -> InvoiceLine:
    pricing = getattr(line, "pricing", None)
    details = getattr(pricing, "price_details", None) if pricing else None
    taxes = line.taxes or []
    on_top = sum(tax.amount for tax in taxes if tax.tax_behavior == "exclusive")
    return InvoiceLine(
        id=line.id,
        price_id=id_of(details.price) if details else None,
        amount=Money(line.amount - _discounts(line) + on_top, line.currency),
        tax_minor=sum(tax.amount for tax in taxes),
        is_proration=_is_proration(line),
        # Before discounts: what a coupon pays for is asked for, a trial is not.
        is_trial=line.amount == 0,
        period_start=_moment(line.period.start),
        period_end=_moment(line.period.end),
        quantity=1 if line.quantity is None else line.quantity,
    )


def _discounts(line: Any) -> int:
    return sum(discount.amount for discount in line.discount_amounts or [])


def _is_proration(line: Any) -> bool:
    parent = getattr(line, "parent", None)
    for name in ("subscription_item_details", "invoice_item_details"):
        details = getattr(parent, name, None) if parent else None
        if details is not None and getattr(details, "proration", False):
            return True
    return False


def _metadata(found: Any) -> dict[str, str]:
    metadata = getattr(found, "metadata", None)
    return dict(metadata.to_dict()) if metadata else {}


def id_of(field: Any) -> str | None:
    """The id of a field that Stripe may have expanded into the whole object."""
    return field if field is None or isinstance(field, str) else str(field.id)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
