"""The end of a plan, and what may come instead of it: cancel, resume, pause, offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from talkingphoto import runtime as runtimes
from talkingphoto.billing import (
    catalog,
    customers,
    endings,
    ledger,
    pauses,
    subscriptions,
    trials,
)
from talkingphoto.billing import codes as code_rules
from talkingphoto.events import trying as trying_events
from talkingphoto.foundation import errors, ids
from talkingphoto.workflows import codes, ending, pausing, saving, trying

log = structlog.get_logger()
SaveOffer = saving.SaveOffer
PauseChoice = pausing.PauseChoice
TrialView = trying.TrialView
CodeOffer = code_rules.CodeOffer
# Whoever asked may still be at it; after that what was left undone is done by the sweep.
PATIENCE = timedelta(minutes=2)
_BATCH = 50
_Asked = TypeVar("_Asked", endings.Cancellation, pauses.Pause, str)


@dataclass(frozen=True)
class EndingView:
    """What a cancellation would mean, in numbers, and what may be had instead; of what is kept
    `kept_expiring` run out on a later day of their own."""

    name: str
    ends_at: datetime
    at_once: bool
    kept: int
    kept_expiring: int
    kept_expires_at: datetime | None
    lost: int
    offer: SaveOffer | None
    reasons: tuple[tuple[str, str], ...]


class SubscriptionService:
    """The verbs of leaving, resting and coming back."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime
        self._tries = codes.counter(runtime)

    def ending(self, user_id: str, *, reason: str = "") -> EndingView:
        """When the plan would end, how many videos stay and how many run out by then; Conflict
        without a plan."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            plan = subscriptions.of_customer(session, user_id=user_id)
            if plan is None:
                raise errors.Conflict(*ending.NO_PLAN)
            ends_at = ending.end_of(plan, now=now)
            today = ledger.balance(session, user_id=user_id, now=now).available
            kept = ledger.balance(session, user_id=user_id, now=max(now, ends_at))
            allowed = saving.may_have_discount(session, plan, now=now)
        return EndingView(
            name=plan.item.title,
            ends_at=ends_at,
            at_once=ends_at <= now,
            kept=kept.available,
            kept_expiring=min(kept.next_expiring, kept.available),
            kept_expires_at=kept.next_expiry,
            lost=today - kept.available,
            offer=saving.offer(plan, reason=reason, may_have_discount=allowed),
            reasons=tuple(endings.REASONS.items()),
        )

    def cancel(
        self, *, user_id: str, request_id: str, reason: str = "", comment: str = ""
    ) -> datetime:
        """The plan ends at the moment answered, once a request; what is left until then stays."""
        _require_request(request_id)
        why = endings.checked(endings.Why(reason, comment))
        return ending.cancel(self.runtime, ending.Wish(user_id, request_id, why))

    def accept_offer(self, *, user_id: str, request_id: str, kind: str) -> str:
        """The offer is in force instead of the end: what that means. Conflict when it is gone."""
        _require_request(request_id)
        return saving.accept(self.runtime, user_id=user_id, request_id=request_id, kind=kind)

    def resume(self, *, user_id: str) -> None:
        """A plan that was ending goes on; Conflict when it is over."""
        ending.resume(self.runtime, user_id=user_id)

    def pause_choices(self, user_id: str) -> tuple[PauseChoice, ...]:
        """The days on which the plan could come back; none for a yearly one."""
        with self.runtime.read_only() as session:
            plan = subscriptions.of_customer(session, user_id=user_id)
        return pausing.choices(plan) if plan else ()

    def pause(self, *, user_id: str, until: datetime) -> None:
        """Nothing is charged from the end of this period until then."""
        pausing.pause(self.runtime, user_id=user_id, until=until)

    def unpausing(self, user_id: str) -> str:
        """What ending the pause now would mean, to be read before it is done."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            plan = subscriptions.of_customer(session, user_id=user_id)
        return pausing.end_in_words(plan, now=now) if plan else ""

    def unpause(self, *, user_id: str) -> None:
        """The plan is charged again, at once if the present period was not paid for."""
        pausing.unpause(self.runtime, user_id=user_id)

    def trial(self, user_id: str) -> TrialView | None:
        """The customer's trial as it runs; None without one."""
        return trying.view(self.runtime, user_id=user_id, now=self.runtime.clock())

    def trial_days(self, user_id: str | None, item: str) -> int:
        """For how many days that plan may be tried by this person; 0 for not at all."""
        return trying.days_for(self.runtime, catalog.item(item), user_id=user_id)

    def refuse_trial(self, subscription_id: str) -> None:
        """The trial that was one too many is over at Stripe."""
        trying.refuse(self.runtime, subscription_id)

    def check_code(self, *, user_id: str | None, item: str, code: str, ip: str = "") -> CodeOffer:
        """What the code does to the price of that item; RateLimited after 20 tries in a while."""
        codes.count(self._tries, user_id or ip)
        return codes.check(self.runtime, user_id=user_id, item=item, code=code)

    def apply_code(self, *, user_id: str, code: str) -> CodeOffer:
        """The code takes something off the next invoices of the customer's plan."""
        codes.count(self._tries, user_id)
        return codes.apply(self.runtime, user_id=user_id, code=code)

    def run_due_work(self) -> int:
        """What was asked for and broke off on the way is carried out: how many there were."""
        now = self.runtime.clock()
        before = now - PATIENCE
        with self.runtime.read_only() as session:
            wishes = endings.unfinished(session, before=before, limit=_BATCH)
            rests = pauses.unfinished(session, before=before, limit=_BATCH)
            refused = trials.refused(session, limit=_BATCH)
            ending_soon = trials.to_remind(session, now=now, limit=_BATCH)
        for wish in wishes:
            self._finish(saving.carry_out if wish.state == "offered" else ending.carry_out, wish)
        for rest in rests:
            self._finish(pausing.carry_out, rest)
        for subscription_id in refused:
            self._finish(trying.refuse, subscription_id)
        for trial in ending_soon:
            with self.runtime.transaction() as session:
                customers.lock(session, user_id=trial.user_id)
                trying_events.remind(session, subscription_id=trial.subscription_id, now=now)
        return len(wishes) + len(rests) + len(refused) + len(ending_soon)

    def _finish(
        self, carry_out: Callable[[runtimes.Runtime, _Asked], object], asked: _Asked
    ) -> None:
        try:
            carry_out(self.runtime, asked)
        except errors.AppError as refusal:
            # It stays asked for: the next sweep tries again.
            about = asked if isinstance(asked, str) else asked.key
            log.warning("plan.unfinished", about=about, code=refusal.code)


def _require_request(request_id: str) -> None:
    if not ids.is_uuid(request_id):
        raise errors.InvalidRequest(
            "billing.request_id", "This form is out of date. Reload the page and try again."
        )


subscription_service = SubscriptionService(runtimes.current())
