"""Stripe's objects in our words: the one place that knows where API 2026-10-28 keeps a field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from talkingphoto.billing.payments import CheckoutFacts
from talkingphoto.billing.subscriptions import InvoiceFacts, InvoiceLine, SubscriptionFacts
from talkingphoto.foundation.money import Money


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
        customer_id=_id(session.customer),
        user_id=metadata.get("user_id"),
        request_id=metadata.get("request_id"),
        item=metadata.get("item"),
        url=session.url,
        amount=None if total is None else Money(total, session.currency),
        tax_minor=(details.amount_tax or 0) if details else 0,
        payment_intent_id=_id(session.payment_intent),
        invoice_id=_id(session.invoice),
        created_at=_moment(session.created),
    )


def subscription(found: Any) -> SubscriptionFacts:
    """A subscription; its period is on its item since API 2025-03-31."""
    item = found["items"].data[0]
    return SubscriptionFacts(
        id=found.id,
        customer_id=str(_id(found.customer)),
        price_id=item.price.id,
        status=found.status,
        period_start=_moment(item.current_period_start),
        period_end=_moment(item.current_period_end),
        cancel_at_period_end=bool(found.cancel_at_period_end),
        started_at=_moment(found.start_date),
        ended_at=_moment(found.ended_at) if found.ended_at else None,
    )


def invoice(found: Any, *, failure_code: str | None) -> InvoiceFacts:
    """An invoice with its lines; `payments` must be expanded."""
    parent = getattr(found, "parent", None)
    details = getattr(parent, "subscription_details", None) if parent else None
    paid_at = found.status_transitions.paid_at
    return InvoiceFacts(
        id=found.id,
        customer_id=str(_id(found.customer)),
        subscription_id=_id(details.subscription) if details else None,
        status=found.status or "draft",
        billing_reason=found.billing_reason or "manual",
        total=Money(found.total, found.currency),
        tax_minor=sum(tax.amount for tax in found.total_taxes or []),
        number=found.number,
        hosted_url=found.hosted_invoice_url,
        pdf_url=found.invoice_pdf,
        payment_intent_id=invoice_payment_intent(found),
        created_at=_moment(found.created),
        paid_at=_moment(paid_at) if paid_at else None,
        lines=tuple(_line(line) for line in found.lines.data),
        failure_code=failure_code,
    )


def invoice_payment_intent(found: Any) -> str | None:
    """The PaymentIntent that pays an invoice; None while there is none."""
    entries = getattr(found, "payments", None)
    for entry in entries.data if entries else []:
        if getattr(entry.payment, "payment_intent", None):
            return _id(entry.payment.payment_intent)
    return None


def failure(payment_intent: Any) -> str | None:
    """Why the last try of a PaymentIntent failed, in Stripe's code; None when it did not."""
    error = getattr(payment_intent, "last_payment_error", None)
    if not error:
        return None
    return getattr(error, "decline_code", None) or getattr(error, "code", None) or "card_declined"


def _line(line: Any) -> InvoiceLine:
    pricing = getattr(line, "pricing", None)
    details = getattr(pricing, "price_details", None) if pricing else None
    taxes = line.taxes or []
    on_top = sum(tax.amount for tax in taxes if tax.tax_behavior == "exclusive")
    return InvoiceLine(
        id=line.id,
        price_id=_id(details.price) if details else None,
        amount=Money(line.amount - _discounts(line) + on_top, line.currency),
        tax_minor=sum(tax.amount for tax in taxes),
        is_proration=_is_proration(line),
        period_start=_moment(line.period.start),
        period_end=_moment(line.period.end),
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


def _id(reference: Any) -> str | None:
    """The id of a field that Stripe may have expanded into the whole object."""
    if reference is None or isinstance(reference, str):
        return reference
    return str(reference.id)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
