"""What to do about a payment that failed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import staff
from talkingphoto.billing import declines, recovery
from talkingphoto.events import invoices
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors, wording
from talkingphoto.foundation.money import Money
from talkingphoto.integrations.cache import Allowance, TryCounter
from talkingphoto.workflows import refusals

TRIES_A_DAY = Allowance("retry_now", most=5, seconds=24 * 60 * 60)
MOST_INVOICES = 100_000
_PAID = ("retry.already_paid", "This is already paid. Nothing was charged again.")


@dataclass(frozen=True)
class PastDue:
    """What a customer owes, why it was refused, and what happens next.

    `words` say all of it; `reason` is the one sentence about the bank."""

    amount: Money
    words: str
    reason: str
    card: str
    next_try_at: datetime | None
    pay_url: str
    needs_bank: bool


@dataclass(frozen=True)
class Recovered:
    """Failed invoices of one currency or decline code, and what was got back of them.

    The rate is recovered of failed, by value, in tenths of a per cent; `rate_words` say of what."""

    failed: Money
    failed_invoices: int
    recovered: Money
    recovered_invoices: int
    open: Money
    lost: Money
    rate_tenths: int
    rate_words: str
    by_cause: dict[recovery.Cause, Money]


@dataclass(frozen=True)
class RecoveryReport:
    """Invoices that failed for the first time on those days (UTC), both included."""

    start: date
    end: date
    by_currency: dict[str, Recovered]
    by_code: dict[str, dict[str, Recovered]]


class RetryService:
    """Reads a decline, collects what is owed, and reports what was got back."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime
        self._tries = TryCounter(
            runtime.transaction,
            clock=runtime.wall_clock,
            redis_url=runtime.settings.redis_url.get_secret_value(),
        )

    def explain(
        self,
        decline_code: str | None,
        *,
        advice_code: str | None = None,
        network_advice_code: str | None = None,
    ) -> declines.DeclineAdvice:
        """What the decline means, in a sentence for the customer and in facts for us."""
        return declines.explain(
            decline_code, advice_code=advice_code, network_advice_code=network_advice_code
        )

    def past_due(self, user_id: str) -> PastDue | None:
        """What the customer owes now, in words; None when nothing is."""
        with self.runtime.read_only() as session:
            owing = recovery.owing(session, user_id=user_id)
        if owing is None:
            return None
        return PastDue(
            amount=owing.amount,
            words=_in_words(owing),
            reason=_reason(owing),
            card=owing.card,
            next_try_at=owing.next_try_at,
            pay_url=owing.hosted_url,
            needs_bank=_asks(owing),
        )

    def come_in_from_mail(self, *, user_id: str) -> str:
        """The address of the page on which the customer pays what they owe; NotFound for nothing.

        That they came from our mail is on record, for the report of what got bills paid."""
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            owing = recovery.owing(session, user_id=user_id)
            if owing is None or not owing.hosted_url:
                raise errors.NotFound("retry.nothing_due", "Nothing is owed. You can close this.")
            recovery.note_asked(session, invoice_id=owing.invoice_id, asked="mail", now=now)
        return owing.hosted_url

    def retry_now(self, *, user_id: str) -> bool:
        """What is owed is paid with the customer's card of today; False while it is on its way.

        Conflict when it is paid already; PaymentDeclined, ActionRequired and RateLimited in words
        that say what to do."""
        with self.runtime.read_only() as session:
            owing = recovery.owing(session, user_id=user_id)
        if owing is None or self._status(owing.invoice_id) == "paid":
            raise errors.Conflict(*_PAID)
        wait = self._tries.take(TRIES_A_DAY, user_id)
        if wait:
            raise errors.RateLimited(
                "retry.rate_limited",
                "You tried five times today. Nothing was charged. Try another card, or tomorrow.",
                retry_after_seconds=wait,
            )
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            recovery.note_asked(session, invoice_id=owing.invoice_id, asked="manual", now=now)
        self._pay(owing)
        return self._status(owing.invoice_id) == "paid"

    def recovery_report(self, start: date, end: date) -> RecoveryReport:
        """What failed for the first time on those days, and what was got back of it since.

        InvalidRequest when the first day comes after the last, or above 100,000 invoices."""
        if not start <= end < date.max:
            raise errors.InvalidRequest(
                "recovery.period", "Choose a first day that does not come after the last."
            )
        begin = datetime.combine(start, time.min, tzinfo=UTC)
        until = datetime.combine(end, time.min, tzinfo=UTC) + timedelta(days=1)
        with self.runtime.read_only() as session:
            failed = recovery.between(session, begin=begin, end=until, limit=MOST_INVOICES + 1)
        if len(failed) > MOST_INVOICES:
            raise errors.InvalidRequest("recovery.too_many", "Choose a shorter time.")
        by_currency: dict[str, list[recovery.Failed]] = defaultdict(list)
        by_code: dict[str, dict[str, list[recovery.Failed]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for one in failed:
            by_currency[one.amount.currency].append(one)
            by_code[one.code][one.amount.currency].append(one)
        return RecoveryReport(
            start=start,
            end=end,
            by_currency={currency: _recovered(some) for currency, some in by_currency.items()},
            by_code={
                code: {currency: _recovered(some) for currency, some in groups.items()}
                for code, groups in sorted(by_code.items())
            },
        )

    def recovered(self, *, staff_id: str, start: date, end: date) -> RecoveryReport:
        """The same for the office; NotPermitted for who does not work here."""
        refused = refusals.on_record(self.runtime, "recovery.report", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
        return self.recovery_report(start, end)

    def _pay(self, owing: recovery.Owing) -> None:
        # The intent of this try is its number, stored above: said again, it is the same try.
        key = f"retry:{owing.invoice_id}:{owing.tries_by_hand + 1}"
        try:
            self.runtime.gateway.pay_invoice(owing.invoice_id, idempotency_key=key)
        except errors.InvalidRequest:
            if self._status(owing.invoice_id) == "paid":
                raise errors.Conflict(*_PAID) from None
            raise
        except errors.PaymentDeclined as refusal:
            self._status(owing.invoice_id)
            raise self._refusal(owing, refusal) from refusal

    def _refusal(self, owing: recovery.Owing, refusal: errors.PaymentDeclined) -> errors.AppError:
        """What the bank said of this try, as it is on record now."""
        found = self.runtime.gateway.fetch_invoice(owing.invoice_id)
        if found is not None and found.last_try.needs_bank:
            return errors.ActionRequired(
                "retry.bank_asks",
                f"Your bank asks you to confirm {wording.amount(owing.amount)}. This takes a"
                " minute.",
                url=owing.hosted_url,
            )
        code = refusal.decline_code or (found.last_try.code if found else None)
        return errors.PaymentDeclined(
            "payment.declined", declines.explain(code).sentence, decline_code=code
        )

    def _status(self, invoice_id: str) -> str:
        """How the invoice stands at Stripe, on record here too afterwards."""
        look = look_at(self.runtime)
        write = invoices.write_of(look, invoice_id)
        if write is not None:
            with self.runtime.transaction() as session:
                write(session)
        found = self.runtime.gateway.fetch_invoice(invoice_id)
        return found.status if found else ""


def _asks(owing: recovery.Owing) -> bool:
    return owing.needs_bank or owing.code == "authentication_required"


def _in_words(owing: recovery.Owing) -> str:
    amount = wording.amount(owing.amount)
    if _asks(owing):
        return f"Your bank asks you to confirm {amount}. {_reason(owing)}"
    words = f"Your payment of {amount} did not go through. {_reason(owing)}"
    if owing.next_try_at:
        words += f" We try again on {wording.day(owing.next_try_at)}."
    return words


def _reason(owing: recovery.Owing) -> str:
    if _asks(owing):
        return "This takes a minute."
    return declines.reason(owing.code, card=owing.card)


def _recovered(some: list[recovery.Failed]) -> Recovered:
    currency = some[0].amount.currency
    back = [one for one in some if one.state == "recovered"]
    causes: dict[recovery.Cause, Money] = {}
    for one in back:
        assert one.cause is not None, "what was recovered has a cause"
        causes[one.cause] = causes.get(one.cause, Money(0, currency)) + one.amount
    failed, recovered = _sum(some, currency), _sum(back, currency)
    tenths = recovered.minor * 1000 // failed.minor if failed.minor else 0
    return Recovered(
        failed=failed,
        failed_invoices=len(some),
        recovered=recovered,
        recovered_invoices=len(back),
        open=_sum([one for one in some if one.state == "open"], currency),
        lost=_sum([one for one in some if one.state == "lost"], currency),
        rate_tenths=tenths,
        rate_words=(
            f"{tenths // 10}.{tenths % 10} %: {wording.amount(recovered)} of"
            f" {wording.amount(failed)} that failed ({len(back)} of {len(some)} invoices)"
        ),
        by_cause=causes,
    )


def _sum(some: list[recovery.Failed], currency: str) -> Money:
    return Money(sum(one.amount.minor for one in some), currency)


retry_service = RetryService(runtimes.current())
