"""Changing, ending, pausing and paying for a plan, in memory: each person is one state of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.support.stand_in import ACCOUNTS, MONTH, NOW, PendingChange, usd
from tests.support.stand_in_people import BANK, unless_away


@dataclass(frozen=True)
class ChangeOption:
    item: str
    name: str
    interval: str
    price: Money
    monthly_credits: int
    when: str
    allowed: bool
    why: str


@dataclass(frozen=True)
class PreviewLine:
    description: str
    amount: Money


@dataclass(frozen=True)
class ChangePreview:
    item: str
    name: str
    when: str
    at: datetime
    lines: tuple[PreviewLine, ...]
    charge_today: Money
    to_balance: Money
    next_invoice: Money
    next_invoice_at: datetime
    credits_now: int
    monthly_credits: int
    token: str
    valid_until: datetime


@dataclass(frozen=True)
class ChangeView:
    options: tuple[ChangeOption, ...]
    pending: PendingChange | None
    waiting_url: str | None


@dataclass(frozen=True)
class ChangeOutcome:
    state: str
    item: str
    name: str
    charged: Money | None
    credits_added: int
    at: datetime
    pay_url: str | None
    message: str


OPTIONS = (
    ChangeOption("starter:month", "Starter", "month", usd(1999), 30, "period_end", True, ""),
    ChangeOption("pro:month", "Pro", "month", usd(4999), 100, "now", False, ""),
    ChangeOption("enterprise:month", "Enterprise", "month", usd(19999), 500, "now", True, ""),
    ChangeOption(
        "starter:year", "Starter", "year", usd(19999), 30, "period_end", False,
        "Change to Starter by the month first.",
    ),
    ChangeOption("pro:year", "Pro", "year", usd(49999), 100, "now", True, ""),
    ChangeOption("enterprise:year", "Enterprise", "year", usd(199999), 500, "now", True, ""),
)  # fmt: skip
UP = ChangePreview(
    "enterprise:month",
    "Enterprise",
    "now",
    NOW,
    (
        PreviewLine("Enterprise, 14 days of this month", usd(9987)),
        PreviewLine("Pro, 14 days not used", usd(-2496)),
        PreviewLine("VAT, 20 %", usd(1498)),
    ),
    usd(8989),
    usd(0),
    usd(23999),
    NOW + MONTH / 2,
    200,
    500,
    "token-1",
    NOW + timedelta(minutes=30),
)
LATER = replace(
    UP,
    item="starter:month",
    name="Starter",
    when="period_end",
    at=NOW + MONTH / 2,
    lines=(PreviewLine("Nothing changes today", usd(0)),),
    charge_today=usd(0),
    next_invoice=usd(1999),
    credits_now=0,
    monthly_credits=30,
    token="token-2",
)
DONE = ChangeOutcome(
    "done", "enterprise:month", "Enterprise", usd(8989), 200, NOW, None, "You are on Enterprise."
)


@dataclass
class ChangeService:
    """What a change costs and how it ends depends on who asks."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: dict[str, ChangeOutcome] = field(default_factory=dict)

    def options(self, user_id: str) -> ChangeView:
        unless_away(user_id)
        mine = ACCOUNTS[user_id]
        return ChangeView(OPTIONS, mine.change, mine.change_pay_url)

    def preview(self, *, user_id: str, item: str) -> ChangePreview:
        unless_away(user_id)
        self.asked[user_id] += 1
        if item == "starter:month":
            return LATER
        if item != "enterprise:month":
            raise errors.Conflict("change.not_possible", "This change is not possible.")
        if user_id == "stale" and self.asked[user_id] > 1:
            return replace(UP, charge_today=usd(9123), token="token-3")
        return UP

    def confirm(self, *, user_id: str, token: str, request_id: str) -> ChangeOutcome:
        if user_id == "stale" and token == "token-1":
            raise errors.Conflict("change.stale", "The price has changed.")
        if request_id not in self.answered:
            self.answered[request_id] = self._outcome(user_id, token)
        return self.answered[request_id]

    def undo(self, *, user_id: str) -> None:
        ACCOUNTS[user_id] = replace(ACCOUNTS[user_id], change=None)

    def _outcome(self, user_id: str, token: str) -> ChangeOutcome:
        if user_id == "declined":
            return replace(
                DONE, state="failed", charged=None, credits_added=0,
                message="Your bank declined this card. Nothing was charged. You stay on Pro.",
            )  # fmt: skip
        if user_id == "asked":
            return replace(DONE, state="waiting", pay_url=BANK)
        if token == "token-2":
            return replace(
                DONE, state="scheduled", item="starter:month", name="Starter", charged=None,
                credits_added=0, at=NOW + MONTH / 2,
            )  # fmt: skip
        return DONE


@dataclass(frozen=True)
class SaveOffer:
    kind: str
    title: str
    words: str
    action: str


@dataclass(frozen=True)
class EndingView:
    name: str
    ends_at: datetime
    at_once: bool
    kept: int
    kept_expiring: int
    kept_expires_at: datetime | None
    lost: int
    offer: SaveOffer | None
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PauseChoice:
    until: datetime
    words: str


@dataclass(frozen=True)
class TrialView:
    days_left: int
    ends_at: datetime
    then: Money
    has_card: bool


@dataclass(frozen=True)
class CodeOffer:
    code: str
    item: str
    before: Money
    after: Money
    words: str


PAUSE = SaveOffer(
    "pause",
    "Take a break instead",
    "Pause Pro for a month. Nothing is charged, and you keep your videos.",
    "Pause for a month",
)
DISCOUNT = SaveOffer(
    "discount", "Stay for 20 % less", "Pay $39.99 a month for 3 months.", "Take 20 % off"
)
REASONS = (
    ("too_expensive", "It is too expensive"),
    ("unused", "I do not use it enough"),
    ("quality", "The videos are not good enough"),
    ("other", "Something else"),
)
PRICES = {option.item: option.price for option in OPTIONS}


@dataclass
class SubscriptionService:
    """Leaving, resting and coming back; what is done is done in ACCOUNTS."""

    cancelled: list[tuple[str, str, str, str]] = field(default_factory=list)

    def ending(self, user_id: str, *, reason: str = "") -> EndingView:
        unless_away(user_id)
        offer = DISCOUNT if reason == "too_expensive" else PAUSE
        return EndingView("Pro", NOW + MONTH / 2, False, 10, 0, None, 88, offer, REASONS)

    def cancel(
        self, *, user_id: str, request_id: str, reason: str = "", comment: str = ""
    ) -> datetime:
        self.cancelled.append((user_id, request_id, reason, comment))
        _change(user_id, cancel_at_period_end=True)
        return NOW + MONTH / 2

    def accept_offer(self, *, user_id: str, request_id: str, kind: str) -> str:
        return "Your plan rests for a month. Nothing is charged in between."

    def resume(self, *, user_id: str) -> None:
        _change(user_id, cancel_at_period_end=False)

    def pause_choices(self, user_id: str) -> tuple[PauseChoice, ...]:
        unless_away(user_id)
        if user_id == "yearly":
            return ()
        return tuple(
            PauseChoice(NOW + MONTH / 2 + months * MONTH, words)
            for months, words in (
                (1, "One month, until"),
                (2, "Two months, until"),
                (3, "Three months, until"),
            )
        )

    def pause(self, *, user_id: str, until: datetime) -> None:
        _change(user_id, pauses_at=NOW + MONTH / 2, resumes_at=until)

    def unpause(self, *, user_id: str) -> None:
        _change(user_id, pauses_at=None, resumes_at=None, status="active")

    def trial(self, user_id: str) -> TrialView | None:
        if user_id not in ("trial", "trial-bare"):
            return None
        return TrialView(5, NOW + timedelta(days=5), usd(4999), user_id == "trial")

    def trial_days(self, user_id: str | None, item: str) -> int:
        return 7 if user_id == "trying" and item == "pro:month" else 0

    def unpausing(self, user_id: str) -> str:
        return "You are charged $49.99 today, and 100 videos come at once."

    def check_code(self, *, user_id: str | None, item: str, code: str, ip: str = "") -> CodeOffer:
        unless_away(user_id)
        if code.startswith("code."):
            raise errors.InvalidRequest(code, f"Refused with {code}.")
        if code != "SPRING" or item not in PRICES:
            raise errors.InvalidRequest("code.unknown", "We do not know this code.")
        if item.startswith("enterprise"):
            raise errors.InvalidRequest("code.not_for_this", "Not for this plan.")
        before = PRICES[item]
        after = before - before.percent(20)
        return CodeOffer(code, item, before, after, "20 % off for 3 months, then the full price.")

    def apply_code(self, *, user_id: str, code: str) -> CodeOffer:
        return self.check_code(user_id=user_id, item="pro:month", code=code)


def _change(user_id: str, **fields: object) -> None:
    mine = ACCOUNTS[user_id]
    assert mine.plan is not None
    ACCOUNTS[user_id] = replace(mine, plan=replace(mine.plan, **fields))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PastDue:
    amount: Money
    words: str
    reason: str
    card: str
    next_try_at: datetime | None
    pay_url: str
    needs_bank: bool


@dataclass(frozen=True)
class Recovered:
    failed: Money
    failed_invoices: int
    recovered: Money
    recovered_invoices: int
    open: Money
    lost: Money
    rate_tenths: int
    rate_words: str
    by_cause: dict[str, Money]


@dataclass(frozen=True)
class RecoveryReport:
    start: date
    end: date
    by_currency: dict[str, Recovered]
    by_code: dict[str, dict[str, Recovered]]


RECOVERED = Recovered(
    usd(1_234_567), 247, usd(987_654), 198, usd(123_456), usd(123_457), 800,
    "80.0 %: $9,876.54 of $12,345.67 that failed (198 of 247 invoices)",
    {"manual": usd(100_000), "mail_link": usd(200_000), "stripe_retry": usd(687_654)},
)  # fmt: skip

NO_EUROS = Money(0, "eur")
IN_EUROS = Recovered(
    Money(9_00, "eur"), 1, NO_EUROS, 0, Money(9_00, "eur"), NO_EUROS, 0,
    "0.0 %: €0.00 of €9.00 that failed (0 of 1 invoices)", {},
)  # fmt: skip


@dataclass
class RetryService:
    """What is due, and one more try: it goes through for `due` and for nobody else."""

    def past_due(self, user_id: str) -> PastDue | None:
        unless_away(user_id)
        if user_id == "bank":
            words = "Your bank wants to hear from you before it pays."
            return PastDue(usd(4999), words, words, "Visa ending 4242", None, BANK, True)
        words = "Your bank said there was not enough money on Visa ending 4242."
        amount = usd(4999) if user_id == "due" else usd(1999)
        return PastDue(amount, words, words, "Visa ending 4242", NOW + MONTH / 10, BANK, False)

    def retry_now(self, *, user_id: str) -> bool:
        if user_id != "due":
            raise errors.PaymentDeclined("retry.declined", "Your bank declined it again.")
        _change(user_id, status="active")
        return True

    def recovered(self, *, staff_id: str, start: date, end: date) -> RecoveryReport:
        if start.day == 1 and end < NOW.date():
            return RecoveryReport(start, end, {}, {})
        return RecoveryReport(
            start,
            end,
            {"usd": RECOVERED, "eur": IN_EUROS},
            {"insufficient_funds": {"usd": RECOVERED}, "expired_card": {"usd": RECOVERED}},
        )
