"""What a customer sees of their credits: lots in the order of their use, a forecast, a warning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import (
    catalog,
    changes,
    forecast,
    ledger,
    ledger_sql,
    plan_credits,
    subscriptions,
)
from talkingphoto.foundation import wording
from talkingphoto.foundation.money import Money

Warning = Literal["", "low", "out", "expiring"]
MOST_LOTS = 200
EXPIRING = timedelta(days=7)
# Low is a fifth of a month's credits, or less: four fifths are used.
LOW_SHARE = 5
PACK_WINDOW = timedelta(days=30)

_USED = text("""
    SELECT customers.created_at AS joined_at, (
        SELECT CAST(coalesce(sum(credits), 0) AS bigint) FROM holds
        WHERE user_id = :user_id AND state = 'settled' AND ended_at > :since
    ) AS used
    FROM customers WHERE user_id = :user_id
""")

_PACKS = text("""
    SELECT item, amount_minor - tax_minor AS minor, currency FROM payments
    WHERE user_id = :user_id AND kind = 'pack' AND status = 'paid' AND paid_at > :since
    ORDER BY created_at DESC LIMIT :most
""")


@dataclass(frozen=True)
class WalletLot:
    """Credits that came in together, with what is left of them and until when."""

    source: ledger.Source
    description: str
    credits: int
    remaining: int
    expires_at: datetime | None
    frozen: bool


@dataclass(frozen=True)
class Purse:
    """All that a warning and a forecast are made of, read in one moment."""

    balance: ledger.Balance
    lots: tuple[WalletLot, ...]
    rate: forecast.Pace | None
    coming: forecast.Next | None
    monthly_credits: int
    bought: forecast.Bought | None


def purse(session: Session, *, user_id: str, now: datetime) -> Purse:
    """What that customer has and how fast they use it."""
    plan = subscriptions.of_customer(session, user_id=user_id)
    return Purse(
        balance=ledger.balance(session, user_id=user_id, now=now),
        lots=lots(session, user_id=user_id, now=now),
        rate=_rate(session, user_id=user_id, now=now),
        coming=coming(session, plan, user_id=user_id),
        monthly_credits=plan.item.credits if plan else 0,
        bought=_bought(session, plan, user_id=user_id, now=now),
    )


def coming(
    session: Session, plan: subscriptions.Subscription | None, *, user_id: str
) -> forecast.Next | None:
    """When the plan brings credits next, and how many: those of the plan that begins then."""
    drip = plan_credits.next_drip(session, user_id=user_id)
    if drip is not None:
        return forecast.Next(*drip)
    if plan is None or plan.renews_at is None:
        return None
    change = changes.open_of(session, user_id=user_id)
    is_scheduled = change is not None and change.state == "scheduled"
    item = catalog.item(change.to_item) if change and is_scheduled else plan.item
    return forecast.Next(plan.renews_at, item.credits)


def lots(session: Session, *, user_id: str, now: datetime) -> tuple[WalletLot, ...]:
    """What is left of each lot, the one that is used next first."""
    values = {"user_id": UUID(user_id), "now": now, "most": MOST_LOTS}
    return tuple(
        WalletLot(
            source=row.source,
            description=row.description,
            credits=row.credits,
            remaining=row.remaining,
            expires_at=row.usable_until,
            frozen=row.frozen,
        )
        for row in session.execute(ledger_sql.IN_ORDER, values)
    )


def outlook(held: Purse, *, now: datetime) -> forecast.Forecast:
    """How long the credits last at the customer's pace."""
    usable = [forecast.Usable(lot.remaining, lot.expires_at) for lot in held.lots if not lot.frozen]
    return forecast.forecast(
        _owed_taken(usable, held.balance), rate=held.rate, coming=held.coming, now=now
    )


def warning(held: Purse, *, now: datetime) -> tuple[Warning, str]:
    """The one thing about the credits that the customer should know now, in words."""
    seen = outlook(held, now=now)
    left = held.balance.available
    if left == 0:
        return "out", seen.words
    if left * LOW_SHARE <= held.monthly_credits:
        return "low", seen.words
    ending = [lot for lot in held.lots if _ends_soon(lot, now=now)]
    if ending:
        return "expiring", _ending_words(ending, now=now)
    return "", ""


def _ends_soon(lot: WalletLot, *, now: datetime) -> bool:
    return not lot.frozen and lot.expires_at is not None and lot.expires_at <= now + EXPIRING


def _ending_words(ending: Sequence[WalletLot], *, now: datetime) -> str:
    first = min(lot.expires_at for lot in ending if lot.expires_at is not None)
    count = sum(lot.remaining for lot in ending if lot.expires_at == first)
    verb = "ends" if count == 1 else "end"
    return f"{wording.videos(count)} {verb} on {forecast.day(first, now=now)}."


def _owed_taken(
    usable: Sequence[forecast.Usable], balance: ledger.Balance
) -> tuple[forecast.Usable, ...]:
    """The lots without what a debt will take of them, the first ones first."""
    surplus = sum(lot.credits for lot in usable) - balance.available
    kept = []
    for lot in usable:
        taken = min(max(surplus, 0), lot.credits)
        surplus -= taken
        kept.append(forecast.Usable(lot.credits - taken, lot.until))
    return tuple(lot for lot in kept if lot.credits)


def _rate(session: Session, *, user_id: str, now: datetime) -> forecast.Pace | None:
    values = {"user_id": UUID(user_id), "since": now - forecast.WINDOW}
    row = session.execute(_USED, values).one_or_none()
    return forecast.pace(videos=row.used, joined_at=row.joined_at, now=now) if row else None


def _bought(
    session: Session,
    plan: subscriptions.Subscription | None,
    *,
    user_id: str,
    now: datetime,
) -> forecast.Bought | None:
    """The packs of the last thirty days beside the plan; None without any."""
    values = {"user_id": UUID(user_id), "since": now - PACK_WINDOW, "most": MOST_LOTS}
    rows = session.execute(_PACKS, values).all()
    packs = [(catalog.ITEMS[row.item], row) for row in rows if row.item in catalog.ITEMS]
    if not packs or len({row.currency for _, row in packs}) > 1:
        return None
    item = plan.item if plan else None
    known = {offer.key: offer for offer in catalog.PLANS}
    return forecast.Bought(
        plan=known[item.product_key] if item else None,
        interval=(item.interval if item else None) or "month",
        pack_credits=sum(sold.credits for sold, _ in packs),
        pack_money=Money(sum(row.minor for _, row in packs), packs[0][1].currency),
    )
