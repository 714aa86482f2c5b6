"""What somebody agreed to have bought by itself, and whether that still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, customers, notices
from talkingphoto.billing.top_up_tables import TopUpConsentRow, TopUpSettingRow
from talkingphoto.foundation import errors, wording
from talkingphoto.foundation.money import Money

# The day of the words below; other words have another day.
CONSENT_VERSION = "2026-11-24"
LEAST_THRESHOLD, MOST_THRESHOLD = 1, 50
LARGEST_CAP_MINOR = 2_000_00


@dataclass(frozen=True)
class Terms:
    """What somebody agrees to: this pack below that threshold, at most so much money a month."""

    item: catalog.Item
    threshold: int
    monthly_cap: Money


@dataclass(frozen=True)
class Consent:
    """An agreement to be put on record; the address is sealed already."""

    id: str
    user_id: str
    terms: Terms
    ip_sealed: bytes


@dataclass(frozen=True)
class Setting:
    """What is topped up for a customer; `stopped_because` says why no longer."""

    user_id: str
    consent_id: str
    terms: Terms
    is_on: bool
    stopped_because: str


def terms(*, item_key: str, threshold: int, monthly_cap_minor: int) -> Terms:
    """The terms, when they can be agreed to; InvalidRequest says what cannot."""
    item = catalog.item(item_key)
    if item.is_plan:
        raise errors.InvalidRequest("topup.item", "Choose one of the packs.")
    if type(threshold) is not int or not LEAST_THRESHOLD <= threshold <= MOST_THRESHOLD:
        raise errors.InvalidRequest(
            "topup.threshold", f"Choose from {LEAST_THRESHOLD} to {MOST_THRESHOLD} videos."
        )
    price = item.price
    if type(monthly_cap_minor) is not int or not (
        price.minor <= monthly_cap_minor <= LARGEST_CAP_MINOR
    ):
        largest = Money(LARGEST_CAP_MINOR, price.currency)
        raise errors.InvalidRequest(
            "topup.cap",
            f"Choose a monthly limit from {wording.amount(price)} to {wording.amount(largest)}.",
        )
    return Terms(item, threshold, Money(monthly_cap_minor, price.currency))


def consent_words(agreed: Terms) -> str:
    """The sentence that somebody agrees to."""
    price, cap = wording.amount(agreed.item.price), wording.amount(agreed.monthly_cap)
    return (
        f"When fewer than {wording.videos(agreed.threshold)} are left, charge my saved card "
        f"{price} for {wording.videos(agreed.item.credits)} by itself, at most {cap} in a "
        "calendar month, until I turn it off."
    )


def turn_on(session: Session, consent: Consent, *, now: datetime) -> None:
    """The agreement is on record and holds from now on."""
    customers.lock(session, user_id=consent.user_id)
    agreed = {
        "user_id": UUID(consent.user_id),
        "item": consent.terms.item.key,
        "threshold": consent.terms.threshold,
        "monthly_cap_minor": consent.terms.monthly_cap.minor,
        "currency": consent.terms.monthly_cap.currency,
    }
    session.execute(
        insert(TopUpConsentRow).values(
            id=UUID(consent.id),
            version=CONSENT_VERSION,
            words=consent_words(consent.terms),
            given_at=now,
            ip_sealed=consent.ip_sealed,
            **agreed,
        )
    )
    state = {
        "consent_id": UUID(consent.id),
        "is_on": True,
        "stopped_because": "",
        "changed_at": now,
    }
    session.execute(
        insert(TopUpSettingRow)
        .values(**agreed, **state)
        .on_conflict_do_update(index_elements=["user_id"], set_=agreed | state)
    )


def turn_off(session: Session, *, user_id: str, now: datetime) -> None:
    """Nothing is charged by itself any more; the customer wants it so."""
    _switch_off(session, user_id=user_id, because="", now=now)


def stop(session: Session, *, user_id: str, because: str, now: datetime) -> bool:
    """Nothing is charged by itself any more, and the customer is told why; False when it was off
    already."""
    if not _switch_off(session, user_id=user_id, because=because, now=now):
        return False
    told = notices.Notice(
        key=f"topup_stopped:{user_id}:{now.isoformat()}",
        user_id=user_id,
        kind="topup_stopped",
        facts={"why": because},
    )
    return notices.record(session, told, now=now)


def setting_of(session: Session, *, user_id: str) -> Setting | None:
    """What that customer agreed to last; None when they never did."""
    row = session.get(TopUpSettingRow, UUID(user_id), populate_existing=True)
    if row is None:
        return None
    return Setting(
        user_id=str(row.user_id),
        consent_id=str(row.consent_id),
        terms=Terms(
            catalog.item(row.item), row.threshold, Money(row.monthly_cap_minor, row.currency)
        ),
        is_on=row.is_on,
        stopped_because=row.stopped_because,
    )


def _switch_off(session: Session, *, user_id: str, because: str, now: datetime) -> bool:
    switched = session.execute(
        update(TopUpSettingRow)
        .where(TopUpSettingRow.user_id == UUID(user_id), TopUpSettingRow.is_on)
        .values(is_on=False, stopped_because=because, changed_at=now)
        .returning(TopUpSettingRow.user_id)
    )
    return switched.first() is not None
