"""What goes back at Stripe, in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from talkingphoto.billing.disputes import DisputeFacts
from talkingphoto.billing.refunds import RefundFacts
from talkingphoto.billing.warnings import WarningFacts
from talkingphoto.foundation.money import Money
from talkingphoto.integrations import stripe_reading


def refund(found: Any) -> RefundFacts:
    """A refund; our id is in its metadata if we asked for it."""
    metadata = getattr(found, "metadata", None)
    return RefundFacts(
        id=found.id,
        refund_id=metadata.to_dict().get("refund_id") if metadata else None,
        payment_intent_id=stripe_reading.id_of(found.payment_intent),
        amount=Money(found.amount, found.currency),
        status=found.status or "pending",
        created_at=_moment(found.created),
    )


def dispute(found: Any) -> DisputeFacts:
    """A dispute, or a bank's inquiry before one."""
    due_by = getattr(found.evidence_details, "due_by", None)
    return DisputeFacts(
        id=found.id,
        payment_intent_id=stripe_reading.id_of(found.payment_intent),
        amount=Money(found.amount, found.currency),
        reason=found.reason,
        status=found.status,
        due_by=_moment(due_by) if due_by else None,
        created_at=_moment(found.created),
    )


def warning(found: Any) -> WarningFacts:
    """An early fraud warning with its charge."""
    intent = getattr(found, "payment_intent", None) or getattr(found.charge, "payment_intent", None)
    return WarningFacts(
        id=found.id,
        payment_intent_id=stripe_reading.id_of(intent),
        fraud_type=found.fraud_type,
        fingerprint=fingerprint(found.charge),
        created_at=_moment(found.created),
    )


def fingerprint(charge: Any) -> str | None:
    """The one-way print of the card behind an expanded charge."""
    details = getattr(charge, "payment_method_details", None)
    card = getattr(details, "card", None)
    return getattr(card, "fingerprint", None)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
