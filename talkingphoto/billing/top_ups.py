"""When a pack is bought by itself: only as somebody agreed, once at a time, within a month's cap.

An intent is stored under the customer's lock before Stripe hears of it; its id is the key of every
call, so whoever runs it again finds the same payment.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from talkingphoto.billing import (
    catalog,
    customers,
    ledger,
    notices,
    packs,
    subscriptions,
    top_up_terms,
)
from talkingphoto.billing.top_up_tables import TopUpRow
from talkingphoto.foundation import clock, ids, jobs
from talkingphoto.foundation.money import Money

TASK = "topup.run"
QUEUE = "topups"
COOL_DOWN = timedelta(hours=6)
MOST_A_DAY = 3
LONGEST_SWEEP = 200
STALE = timedelta(minutes=2)
_IDS = uuid.uuid5(uuid.NAMESPACE_OID, "talkingphoto top-ups")
_SPENT = ("open", "paid")

_BELOW = text("""
    SELECT setting.user_id FROM top_up_settings AS setting
    LEFT JOIN lots ON lots.user_id = setting.user_id AND lots.remaining > 0
        AND (lots.usable_until IS NULL OR lots.usable_until > :now)
    WHERE setting.is_on
        AND NOT EXISTS (
            SELECT FROM top_ups AS recent
            WHERE recent.user_id = setting.user_id
                AND (recent.state = 'open' OR recent.created_at > :cooled)
        )
        AND NOT EXISTS (
            SELECT FROM notices WHERE notices.key = concat(
                'topup_capped:', setting.user_id, ':', CAST(:month AS text), ':',
                setting.monthly_cap_minor
            )
        )
    GROUP BY setting.user_id
    HAVING coalesce(sum(lots.remaining), 0) < min(setting.threshold)
    ORDER BY setting.user_id LIMIT :most
""")


_DISPUTED = text("""
    SELECT FROM freezes JOIN payments ON payments.id = freezes.reference
    WHERE payments.user_id = :user_id AND thawed_at IS NULL LIMIT 1
""")
_OWED = "Videos that you used were not paid for in the end. Buy a pack, then turn it on again."
_FROZEN = "A payment of yours is questioned at your bank. Turn it on again once that is settled."


@dataclass(frozen=True)
class TopUp:
    """One intent to charge, and what became of it."""

    id: str
    user_id: str
    number: int
    item: catalog.Item
    price_id: str
    state: str
    invoice_id: str | None
    created_at: datetime


def spent_in_month(session: Session, *, user_id: str, currency: str, now: datetime) -> Money:
    """What was charged by itself, or is about to be, since the month began in UTC."""
    begun = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    query = select(func.coalesce(func.sum(TopUpRow.amount_minor), 0)).where(
        TopUpRow.user_id == UUID(user_id),
        TopUpRow.state.in_(_SPENT),
        TopUpRow.created_at >= begun,
        TopUpRow.created_at < clock.add_months(begun, months=1),
    )
    return Money(int(session.execute(query).scalar_one()), currency)


def consider(session: Session, *, user_id: str, now: datetime) -> str | None:
    """The id of a new intent, which a worker will carry out, when one is due; None otherwise."""
    setting = top_up_terms.setting_of(session, user_id=user_id)
    if setting is None or not setting.is_on:
        return None
    customers.lock(session, user_id=user_id)
    setting = top_up_terms.setting_of(
        session, user_id=user_id
    )  # as it is now that nobody else changes it
    assert setting is not None, "a setting is never deleted"
    balance = ledger.balance(session, user_id=user_id, now=now)
    if not setting.is_on or balance.available >= setting.terms.threshold:
        return None
    because = blocked(session, user_id=user_id, now=now)
    if because:
        top_up_terms.stop(session, user_id=user_id, because=because, now=now)
        return None
    if _too_soon(session, user_id=user_id, now=now):
        return None
    if not _within_cap(session, setting, now=now):
        _tell_of_cap(session, setting, now=now)
        return None
    return _open(session, setting, now=now)


def blocked(session: Session, *, user_id: str, now: datetime) -> str:
    """Why nothing may be charged by itself from that customer now; empty when it may."""
    if ledger.balance(session, user_id=user_id, now=now).owed:
        return _OWED
    disputed = session.execute(_DISPUTED, {"user_id": UUID(user_id)}).first()
    return _FROZEN if disputed is not None else ""


def below_threshold(session: Session, *, now: datetime) -> tuple[str, ...]:
    """Whose credits fell below what they agreed to, at most two hundred of them."""
    values: dict[str, object] = {
        "now": now,
        "cooled": now - COOL_DOWN,
        "month": f"{now:%Y-%m}",
        "most": LONGEST_SWEEP,
    }
    return tuple(str(row.user_id) for row in session.execute(_BELOW, values))


def wake_stale(session: Session, *, now: datetime) -> int:
    """A worker takes up again what another left behind; how many of them there are."""
    ids = session.scalars(
        select(TopUpRow.id)
        .where(TopUpRow.state == "open", TopUpRow.created_at <= now - STALE)
        .order_by(TopUpRow.created_at)
        .limit(LONGEST_SWEEP)
    ).all()
    return sum(jobs.enqueue(session, _job(str(found))) for found in ids)


def get(session: Session, *, top_up_id: str) -> TopUp | None:
    """The intent of that id as it is now."""
    row = session.get(TopUpRow, UUID(top_up_id), populate_existing=True)
    if row is None:
        return None
    return TopUp(
        id=str(row.id),
        user_id=str(row.user_id),
        number=row.number,
        item=catalog.item(row.item),
        price_id=row.price_id,
        state=row.state,
        invoice_id=row.invoice_id,
        created_at=row.created_at,
    )


def attach_invoice(session: Session, *, top_up_id: str, invoice_id: str) -> None:
    """The intent knows the invoice that charges it."""
    session.execute(
        update(TopUpRow).where(TopUpRow.id == UUID(top_up_id)).values(invoice_id=invoice_id)
    )


def end(session: Session, *, top_up_id: str, state: str, reason: str, now: datetime) -> bool:
    """The intent came to nothing, for that reason; False when it had ended before."""
    moved = session.execute(
        update(TopUpRow)
        .where(TopUpRow.id == UUID(top_up_id), TopUpRow.state == "open")
        .values(state=state, reason=reason, ended_at=now)
        .returning(TopUpRow.id)
    )
    return moved.first() is not None


def fulfil(
    session: Session, *, user_id: str, facts: subscriptions.InvoiceFacts, now: datetime
) -> int:
    """The pack that such an invoice paid is on the account, once; how many credits it has."""
    if facts.top_up_id is None or not ids.is_uuid(facts.top_up_id) or facts.status != "paid":
        return 0
    sold = next(
        (
            found
            for line in facts.lines
            if line.price_id
            and (found := catalog.item_of_price(session, price_id=line.price_id))
            and not found.is_plan
        ),
        None,
    )
    if sold is None:
        return 0
    bought = packs.BoughtPack(
        key=f"invoice:{facts.id}",
        payment_id=facts.id,
        user_id=user_id,
        item=sold,
        amount=facts.total,
        tax_minor=facts.tax_minor,
    )
    packs.grant(session, bought, now=now)
    values = {"amount_minor": facts.total.minor} if facts.total.minor > 0 else {}
    # Also one that we gave up: the money is there, so it counts.
    session.execute(
        update(TopUpRow)
        .where(TopUpRow.id == UUID(facts.top_up_id), TopUpRow.state != "paid")
        .values(state="paid", ended_at=now, **values)
    )
    return sold.credits


def _too_soon(session: Session, *, user_id: str, now: datetime) -> bool:
    """Whether one is open, was less than six hours ago, or three were in a day."""
    latest = session.execute(
        select(TopUpRow.state, TopUpRow.created_at)
        .where(TopUpRow.user_id == UUID(user_id))
        .order_by(TopUpRow.number.desc())
        .limit(MOST_A_DAY)
    ).all()
    if not latest:
        return False
    if latest[0].state == "open" or latest[0].created_at > now - COOL_DOWN:
        return True
    return len(latest) == MOST_A_DAY and latest[-1].created_at > now - timedelta(days=1)


def _within_cap(session: Session, setting: top_up_terms.Setting, *, now: datetime) -> bool:
    price, cap = setting.terms.item.price, setting.terms.monthly_cap
    spent = spent_in_month(session, user_id=setting.user_id, currency=cap.currency, now=now)
    return spent + price <= cap


def _tell_of_cap(session: Session, setting: top_up_terms.Setting, *, now: datetime) -> None:
    cap = setting.terms.monthly_cap
    begun = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    told = notices.Notice(
        # With the cap: one that was raised and reached again is told of again.
        key=f"topup_capped:{setting.user_id}:{now:%Y-%m}:{cap.minor}",
        user_id=setting.user_id,
        kind="topup_capped",
        facts={
            "cap": f"{cap.minor} {cap.currency}",
            "until": clock.add_months(begun, months=1).isoformat(),
        },
    )
    notices.record(session, told, now=now)


def _open(session: Session, setting: top_up_terms.Setting, *, now: datetime) -> str:
    last = session.scalars(
        select(func.max(TopUpRow.number)).filter_by(user_id=UUID(setting.user_id))
    ).one()
    number = (last or 0) + 1
    item = setting.terms.item
    top_up_id = str(uuid.uuid5(_IDS, f"{setting.user_id}:{number}"))
    session.execute(
        insert(TopUpRow).values(
            id=UUID(top_up_id),
            user_id=UUID(setting.user_id),
            number=number,
            consent_id=UUID(setting.consent_id),
            item=item.key,
            price_id=catalog.current_price_id(session, item_key=item.key),
            amount_minor=item.price.minor,
            currency=item.price.currency,
            state="open",
            reason="",
            created_at=now,
        )
    )
    jobs.enqueue(session, _job(top_up_id))
    return top_up_id


def _job(top_up_id: str) -> jobs.Job:
    return jobs.Job(task=TASK, args={"top_up_id": top_up_id}, queue=QUEUE, key=f"topup:{top_up_id}")
