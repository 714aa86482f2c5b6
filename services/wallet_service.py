"""The customer's credits: what there is, how long it lasts, and what staff may add."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import mails, staff, users
from talkingphoto.billing import (
    customers,
    forecast,
    gifts,
    ledger,
    notices,
    saved_cards,
    subscriptions,
    top_up_terms,
    top_ups,
)
from talkingphoto.billing import wallet as wallets
from talkingphoto.foundation import errors, ids
from talkingphoto.foundation.money import Money
from talkingphoto.generations import records
from talkingphoto.workflows import notifying, refusals, topping_up

log = structlog.get_logger()
STATEMENT_ROWS = 50
WalletLot = wallets.WalletLot
Forecast = forecast.Forecast
Gift = gifts.Gift


@dataclass(frozen=True)
class AutoChoice:
    """What the customer asks to be bought by itself, and whether they agreed to it."""

    item: str
    threshold: int
    monthly_cap_minor: int
    consent: bool
    ip: str


@dataclass(frozen=True)
class AutoTopUp:
    """What is bought by itself, what it took this month, and why it stopped."""

    item: str
    credits: int
    price: Money
    threshold: int
    monthly_cap: Money
    spent_this_month: Money
    on: bool
    stopped_because: str


@dataclass(frozen=True)
class Wallet:
    """What the customer can spend, lot by lot in the order of its use, and how long it lasts."""

    available: int
    held: int
    frozen: int
    owed: int
    lots: tuple[WalletLot, ...]
    forecast: Forecast
    warning: wallets.Warning
    warning_words: str
    auto: AutoTopUp | None
    can_auto: bool
    notices: bool


@dataclass(frozen=True)
class StatementLine:
    """One change of the credits; `video_id` leads to the video while there is one to see."""

    id: str
    at: datetime
    kind: ledger.Kind
    source: ledger.Source
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None
    video_id: str | None


@dataclass(frozen=True)
class StatementPage:
    """Changes of the credits, newest first; `next` asks for the older ones."""

    rows: tuple[StatementLine, ...]
    next: str | None


class WalletService:
    """The verbs of a customer's credits."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def wallet(self, user_id: str) -> Wallet:
        """What that customer has at this moment, and what they should know of it."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            held = wallets.purse(session, user_id=user_id, now=now)
            auto = _auto(session, user_id=user_id, now=now)
            can_auto = _can_auto(session, user_id=user_id)
            told = notices.wanted(session, user_id=user_id)
        kind, words = wallets.warning(held, now=now)
        return Wallet(
            available=held.balance.available,
            held=held.balance.held,
            frozen=held.balance.frozen,
            owed=held.balance.owed,
            lots=held.lots,
            forecast=_with_saving(wallets.outlook(held, now=now), held.bought),
            warning=kind,
            warning_words=words,
            auto=auto,
            can_auto=can_auto,
            notices=told,
        )

    def consent_words(self, *, item: str, threshold: int, monthly_cap_minor: int) -> str:
        """The sentence to agree to before anything is bought by itself."""
        return top_up_terms.consent_words(
            top_up_terms.terms(
                item_key=item, threshold=threshold, monthly_cap_minor=monthly_cap_minor
            )
        )

    def turn_on(self, *, user_id: str, choice: AutoChoice) -> None:
        """That pack is bought by itself from now on, and the agreement to it is on record.

        InvalidRequest without consent or outside the limits, Conflict without a card to charge or
        while a payment is disputed or videos are owed."""
        agreed = top_up_terms.terms(
            item_key=choice.item,
            threshold=choice.threshold,
            monthly_cap_minor=choice.monthly_cap_minor,
        )
        if choice.consent is not True:
            raise errors.InvalidRequest("topup.consent", "Tick the box to agree, then turn it on.")
        if topping_up.look_at_card(self.runtime, user_id=user_id) is None:
            raise errors.Conflict(
                "topup.no_card", "There is no saved card to charge. Add a card, then turn it on."
            )
        consent_id, now = self.runtime.new_id(), self.runtime.clock()
        place = f"top_up_consents:ip_sealed:{consent_id}"
        sealed = self.runtime.cipher.encrypt(choice.ip, place=place)
        consent = top_up_terms.Consent(consent_id, user_id, agreed, sealed)
        with self.runtime.transaction() as session:
            blocked = top_ups.blocked(session, user_id=user_id, now=now)
            if blocked:
                raise errors.Conflict("topup.blocked", blocked)
            top_up_terms.turn_on(session, consent, now=now)
            top_ups.consider(session, user_id=user_id, now=now)
        log.info("topup.on", user_id=user_id, item=choice.item)

    def turn_off(self, *, user_id: str) -> None:
        """Nothing is bought by itself any more, from this moment."""
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            top_up_terms.turn_off(session, user_id=user_id, now=now)
        log.info("topup.off", user_id=user_id)

    def top_up(self, top_up_id: str) -> None:
        """That top-up is paid and its credits are there, or it has ended without a charge."""
        topping_up.run(self.runtime, top_up_id=top_up_id)

    def set_notices(self, *, user_id: str, on: bool) -> None:
        """The customer is told by mail when credits run low or end, or no longer."""
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            notices.prefer(session, user_id=user_id, credits=on, now=now)

    def run_due_work(self) -> int:
        """Top-ups that are due have begun, and who is to be told of their credits has a mail."""
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            woken = top_ups.wake_stale(session, now=now)
        with self.runtime.read_only() as session:
            below = top_ups.below_threshold(session, now=now)
        for user_id in below:
            with self.runtime.transaction() as session:
                woken += top_ups.consider(session, user_id=user_id, now=now) is not None
        return woken + notifying.run(self.runtime)

    def statement(self, *, user_id: str, before: str | None = None) -> StatementPage:
        """A page of what changed the credits, older than `before`; InvalidRequest for no page."""
        with self.runtime.read_only() as session:
            rows = ledger.statement(
                session, user_id=user_id, limit=STATEMENT_ROWS + 1, before=before
            )
            shown = rows[:STATEMENT_ROWS]
            made = {row.reference for row in shown if row.kind in {"hold", "release"}}
            there = records.visible(session, user_id=user_id, generation_ids=made)
        return StatementPage(
            rows=tuple(_line(row, there) for row in shown),
            next=shown[-1].id if len(rows) > STATEMENT_ROWS else None,
        )

    def give(self, *, staff_id: str, user_id: str, gift: Gift) -> None:
        """The customer has the credits, once a request, and it is on record who gave them why.

        NotPermitted to anyone but staff, and to support for an account of their own."""
        now = self.runtime.clock()
        refused = refusals.on_record(
            self.runtime,
            f"credits.{gift.kind}",
            staff_id=staff_id,
            about=user_id,
            reason=gift.reason,
        )
        with refused, self.runtime.transaction() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            if not (ids.is_uuid(gift.request_id) and ids.is_uuid(user_id)):
                raise errors.InvalidRequest("office.request_id", "Reload the page and try again.")
            if not users.exists(session, user_id=user_id):
                raise errors.NotFound("auth.user_unknown", "There is no such customer.")
            customers.ensure(session, user_id=user_id, now=now)
            given = self._give(session, gift, staff_id=staff_id, user_id=user_id, now=now)
        if given:
            log.info("credits.given", user_id=user_id, staff_id=staff_id, credits=gift.credits)

    def _give(
        self, session: Session, gift: Gift, *, staff_id: str, user_id: str, now: datetime
    ) -> bool:
        by_admin = staff.role_of(session, user_id=staff_id) == "admin"
        if UUID(staff_id) == UUID(user_id) and not by_admin:
            raise errors.NotPermitted("office.own_account", "Ask a colleague: this is your own.")
        given = gifts.give(session, gift, user_id=user_id, by_admin=by_admin, now=now)
        if given:
            action = staff.Action(
                id=gift.request_id,
                staff_id=staff_id,
                action=f"credits.{gift.kind}",
                about=user_id,
                reason=gift.reason,
            )
            staff.record(session, action=action, now=self.runtime.wall_clock())
            mails.owe(
                session,
                key=f"gift:{gift.request_id}",
                user_id=user_id,
                template="gift",
                facts={"credits": str(gift.credits)},
                now=now,
            )
        return given


def _can_auto(session: Session, *, user_id: str) -> bool:
    if saved_cards.is_known(session, user_id=user_id):
        return saved_cards.of_customer(session, user_id=user_id) is not None
    # Nobody looked yet: a plan is paid with a card that is kept, and turning on looks at Stripe.
    return subscriptions.of_customer(session, user_id=user_id) is not None


def _auto(session: Session, *, user_id: str, now: datetime) -> AutoTopUp | None:
    setting = top_up_terms.setting_of(session, user_id=user_id)
    if setting is None:
        return None
    agreed = setting.terms
    return AutoTopUp(
        item=agreed.item.key,
        credits=agreed.item.credits,
        price=agreed.item.price,
        threshold=agreed.threshold,
        monthly_cap=agreed.monthly_cap,
        spent_this_month=top_ups.spent_in_month(
            session, user_id=user_id, currency=agreed.monthly_cap.currency, now=now
        ),
        on=setting.is_on,
        stopped_because=setting.stopped_because,
    )


def _with_saving(seen: Forecast, bought: forecast.Bought | None) -> Forecast:
    saving = forecast.saving_words(bought) if bought else ""
    return replace(seen, words=f"{seen.words} {saving}") if saving else seen


def _line(row: ledger.StatementRow, there: frozenset[str]) -> StatementLine:
    return StatementLine(
        id=row.id,
        at=row.at,
        kind=row.kind,
        source=row.source,
        description=row.description,
        credits=row.credits,
        balance_after=row.balance_after,
        expires_at=row.expires_at,
        video_id=row.reference if row.reference in there else None,
    )


wallet_service = WalletService(runtimes.current())
