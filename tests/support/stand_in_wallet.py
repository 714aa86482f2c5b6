"""The wallet in memory: warnings, lots, auto top-up, and a history of more than one page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.support.stand_in import ACCOUNTS, HOSTILE, MONTH, NOW, usd
from tests.support.stand_in_people import unless_away

ROWS = 12


@dataclass(frozen=True)
class WalletLot:
    source: str
    description: str
    credits: int
    remaining: int
    expires_at: datetime | None
    frozen: bool


@dataclass(frozen=True)
class Forecast:
    per_day_tenths: int
    runs_out_at: datetime | None
    next_credits_at: datetime | None
    words: str


@dataclass(frozen=True)
class AutoTopUp:
    item: str
    credits: int
    price: Money
    threshold: int
    monthly_cap: Money
    spent_this_month: Money
    on: bool
    stopped_because: str


@dataclass(frozen=True)
class AutoChoice:
    item: str
    threshold: int
    monthly_cap_minor: int
    consent: bool
    ip: str


@dataclass(frozen=True)
class Wallet:
    available: int
    held: int
    frozen: int
    owed: int
    lots: tuple[WalletLot, ...]
    forecast: Forecast
    warning: str
    warning_words: str
    auto: AutoTopUp | None
    can_auto: bool
    notices: bool = True


@dataclass(frozen=True)
class StatementLine:
    id: str
    at: datetime
    kind: str
    source: str
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None
    video_id: str | None


@dataclass(frozen=True)
class StatementPage:
    rows: tuple[StatementLine, ...]
    next: str | None


PLAN_LOT = WalletLot("plan", "Pro", 100, 88, NOW + MONTH, False)
LOTS = (
    WalletLot("plan", "Pro, kept from last month", 100, 4, NOW + timedelta(days=9), False),
    PLAN_LOT,
    WalletLot("goodwill", "For the delay on Monday", 5, 5, NOW + 3 * MONTH, False),
    WalletLot("pack", "Pack of 10", 10, 10, None, False),
)
FORECAST = Forecast(52, NOW + timedelta(days=17), NOW + MONTH / 2, "At this pace they last.")
WALLET = Wallet(98, 2, 0, 0, LOTS, FORECAST, "", "", None, True)
FREE = Wallet(
    3, 0, 0, 0, (WalletLot("free", "Free videos", 3, 3, None, False),),
    Forecast(0, None, None, ""), "", "", None, False,
)  # fmt: skip
EMPTY = replace(FREE, available=0, lots=(), warning="out", warning_words="You have no videos left.")
LOW = "20 videos left. At this pace you run out on 27 November."
OUT = "You have used all 100 videos. 10 more cost $9.90, or wait until 14 December."
AUTO = AutoTopUp("pack:10", 10, usd(990), 5, usd(5000), usd(1980), True, "")
WALLETS = {
    "free": FREE,
    "waiting": FREE,
    "crowded": FREE,
    "hostile": FREE,
    "empty": EMPTY,
    "low": replace(
        WALLET, available=19, lots=(replace(PLAN_LOT, remaining=19),), warning="low",
        warning_words=LOW, auto=AUTO,
    ),
    "out": replace(
        WALLET, available=0, held=0, lots=(), warning="out", warning_words=OUT,
        auto=replace(AUTO, on=False, stopped_because="Your bank declined the card on 2 Nov."),
    ),
    "owing": replace(
        EMPTY, frozen=10, owed=2, lots=(replace(LOTS[3], frozen=True),), warning="out",
        warning_words="No videos left to use.",
    ),
    "literal": replace(WALLET, lots=(replace(PLAN_LOT, description=HOSTILE),)),
}  # fmt: skip


@dataclass
class WalletService:
    """One wallet a person; turning the top-up on and off is remembered."""

    chosen: dict[str, AutoTopUp] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def wallet(self, user_id: str) -> Wallet:
        unless_away(user_id)
        mine = WALLETS.get(user_id, WALLET)
        if user_id in self.chosen:
            mine = replace(mine, auto=self.chosen[user_id])
        return replace(mine, notices=user_id not in self.silent)

    def statement(self, *, user_id: str, before: str | None = None) -> StatementPage:
        unless_away(user_id)
        if not ACCOUNTS[user_id].statement:
            return StatementPage((), None)
        first = int(before) if before else 0
        rows = tuple(_line(number) for number in range(first, min(first + ROWS, 30)))
        return StatementPage(rows, str(first + ROWS) if first + ROWS < 30 else None)

    def turn_on(self, *, user_id: str, choice: AutoChoice) -> None:
        if choice.monthly_cap_minor < 990:
            raise errors.InvalidRequest("topup.cap", "The limit is below the price of the pack.")
        if not choice.consent:
            raise errors.InvalidRequest("topup.consent", "Tick the box to agree, then turn it on.")
        self.chosen[user_id] = replace(
            AUTO, item=choice.item, threshold=choice.threshold,
            monthly_cap=usd(choice.monthly_cap_minor), spent_this_month=usd(0),
        )  # fmt: skip

    def consent_words(self, *, item: str, threshold: int, monthly_cap_minor: int) -> str:
        return (
            f"When fewer than {threshold} videos are left, charge my saved card for {item} by "
            f"itself, at most {monthly_cap_minor // 100} dollars in a calendar month."
        )

    def set_notices(self, *, user_id: str, on: bool) -> None:
        self.silent.symmetric_difference_update({user_id})

    def turn_off(self, *, user_id: str) -> None:
        self.chosen[user_id] = replace(AUTO, on=False)


def _line(number: int) -> StatementLine:
    at = NOW - timedelta(hours=9 * number)
    left = 98 + number
    if number == 4:
        words = "For the delay on Monday"
        return StatementLine("g4", at, "grant", "goodwill", words, 5, left, NOW + 3 * MONTH, None)
    if number == 7:
        return StatementLine("r7", at, "release", "plan", "Video not made", 1, left, None, None)
    text = f"Video “Good morning, team, number {30 - number}”"
    return StatementLine(f"h{number}", at, "hold", "plan", text, -1, left, None, f"video-{number}")
