"""A plan ends, goes on or rests: its customer hears of it, once for each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails
from talkingphoto.accounts.moments import day
from talkingphoto.billing import ledger
from talkingphoto.billing.endings import Cancellation
from talkingphoto.billing.pauses import Pause
from talkingphoto.billing.standing import Subscription


@dataclass(frozen=True)
class News:
    """The wish and the pause that have just moved, as they are now."""

    wish: Cancellation | None
    rest: Pause | None


def tell(session: Session, plan: Subscription, news: News, *, now: datetime) -> None:
    """Every message that this news asks for is owed."""
    if plan.status == "canceled":
        facts = {"item": plan.item.key, "ended_at": day(now), "kept": _kept(session, plan, at=now)}
        _owe(session, plan, "plan_ended", about=plan.id, facts=facts, now=now)
        return
    if news.wish is not None:
        _tell_wish(session, plan, news.wish, now=now)
    if news.rest is not None:
        _tell_rest(session, plan, news.rest, now=now)


def _tell_wish(session: Session, plan: Subscription, wish: Cancellation, *, now: datetime) -> None:
    if wish.state == "scheduled":
        kept = _kept(session, plan, at=max(now, plan.period_end))
        facts = {"item": plan.item.key, "ends_at": day(plan.period_end), "kept": kept}
        _owe(session, plan, "plan_cancelled", about=wish.key, facts=facts, now=now)
    elif wish.state == "resumed":
        facts = {"item": plan.item.key, "renews_at": day(plan.renews_at)}
        _owe(session, plan, "plan_resumed", about=wish.key, facts=facts, now=now)


def _tell_rest(session: Session, plan: Subscription, rest: Pause, *, now: datetime) -> None:
    if rest.state == "on":
        resumes_at = day(rest.until)
        facts = {
            "item": plan.item.key,
            "pauses_at": day(rest.begins_at),
            "resumes_at": resumes_at,
        }
        _owe(session, plan, "plan_paused", about=rest.id, facts=facts, now=now)


def _owe(
    session: Session,
    plan: Subscription,
    template: str,
    *,
    about: str,
    facts: dict[str, str],
    now: datetime,
) -> None:
    mails.owe(
        session,
        key=f"{template}:{about}",
        user_id=plan.user_id,
        template=template,
        facts=facts,
        now=now,
    )


def _kept(session: Session, plan: Subscription, *, at: datetime) -> str:
    return str(ledger.balance(session, user_id=plan.user_id, now=at).available)
