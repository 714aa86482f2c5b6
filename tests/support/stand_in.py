"""Services in memory, so that every state of a page can be looked at without living through it.

The cookie's value names the person: `starter`, `free`, `past-due`, … A file of that name with the
ending `.out` in the folder given ends the session, as a sign-out in another window does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

NOW = datetime.now(UTC).replace(microsecond=0)
MONTH = timedelta(days=30)
HOSTILE = (
    '<img src=x onerror="document.title=1"> [x](javascript:alert(1)) <style>*{color:red}</style>'
)


def usd(cents: int) -> Money:
    return Money(cents, "usd")


@dataclass(frozen=True)
class User:
    id: str
    email: str
    created_at: datetime


@dataclass(frozen=True)
class FreeVideos:
    state: str
    words: str


@dataclass(frozen=True)
class PlanOffer:
    key: str
    name: str
    description: str
    monthly_credits: int
    month: Money | None
    year: Money | None
    yearly_saving_percent: int


@dataclass(frozen=True)
class PackOffer:
    item: str
    credits: int
    price: Money


@dataclass(frozen=True)
class Pricing:
    plans: tuple[PlanOffer, ...]
    packs: tuple[PackOffer, ...]
    current_item: str | None
    renews_at: datetime | None


@dataclass(frozen=True)
class Confirmation:
    state: str
    item: str
    title: str
    is_plan: bool
    credits_added: int
    balance: int


@dataclass(frozen=True)
class PlanView:
    item: str
    name: str
    status: str
    price: Money
    interval: str
    monthly_credits: int
    current_period_end: datetime
    cancel_at_period_end: bool
    renews_at: datetime | None = None
    pauses_at: datetime | None = None
    resumes_at: datetime | None = None
    trial_ends_at: datetime | None = None
    discount: str = ""
    card: str = ""


@dataclass(frozen=True)
class CreditsView:
    available: int
    held: int = 0
    from_plan: int = 0
    bought: int = 0
    free: int = 0
    next_expiry: datetime | None = None
    next_expiring: int = 0
    next_credits_at: datetime | None = None
    next_credits: int = 0


@dataclass(frozen=True)
class StatementRow:
    id: str
    at: datetime
    kind: str
    source: str
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None = None


@dataclass(frozen=True)
class InvoiceRow:
    id: str
    at: datetime
    description: str
    number: str | None
    total: Money
    status: str
    hosted_url: str | None = None
    pdf_url: str | None = None


@dataclass(frozen=True)
class PendingChange:
    item: str
    name: str
    interval: str
    price: Money
    monthly_credits: int
    at: datetime


@dataclass(frozen=True)
class AccountView:
    plan: PlanView | None
    credits: CreditsView
    statement: tuple[StatementRow, ...] = ()
    invoices: tuple[InvoiceRow, ...] = ()
    pending: bool = False
    change: PendingChange | None = None
    change_pay_url: str | None = None


PLANS = (
    PlanOffer("free", "Free", "3 video generations, once", 3, None, None, 0),
    PlanOffer("starter", "Starter", "30 a month", 30, usd(1999), usd(19999), 16),
    PlanOffer("pro", "Pro", "100 a month", 100, usd(4999), usd(49999), 16),
    PlanOffer("enterprise", "Enterprise", "500 a month", 500, usd(19999), usd(199999), 16),
)
PACKS = tuple(
    PackOffer(f"pack:{count}", count, usd(cents))
    for count, cents in ((10, 990), (50, 4450), (200, 15800))
)
STARTER = PlanView("starter:month", "Starter", "active", usd(1999), "month", 30, NOW + MONTH, False)
FREE_ROW = StatementRow("s1", NOW - MONTH, "grant", "free", "Free videos", 3, 3)
STARTER_ROWS = (
    StatementRow("s4", NOW, "grant", "pack", "Pack of 50 bought", 50, 82),
    StatementRow("s3", NOW, "settle", "plan", "Video “Good morning, team”", -1, 32),
    StatementRow("s2", NOW, "grant", "plan", "Starter", 30, 33, NOW + 2 * MONTH),
    FREE_ROW,
)
PAID = (
    InvoiceRow("i2", NOW, "50 videos", None, usd(4450), "paid", "http://localhost/receipt", None),
    InvoiceRow("i1", NOW, "Starter", "TP-0001", usd(1999), "paid", None, "http://localhost/pdf"),
)
LIVING = AccountView(
    STARTER,
    CreditsView(82, 0, 29, 50, 3, NOW + 2 * MONTH, 29, NOW + MONTH, 30),
    STARTER_ROWS,
    PAID,
)
ACCOUNTS = {
    "free": AccountView(None, CreditsView(3, free=3), (FREE_ROW,)),
    "waiting": AccountView(None, CreditsView(3, free=3), (FREE_ROW,), pending=True),
    "crowded": AccountView(None, CreditsView(3, free=3), (FREE_ROW,), pending=True),
    "empty": AccountView(None, CreditsView(0)),
    "starter": LIVING,
    "ending": replace(LIVING, plan=replace(STARTER, cancel_at_period_end=True)),
    "past-due": replace(
        LIVING,
        plan=replace(STARTER, status="past_due"),
        invoices=(
            replace(
                PAID[1], id="i3", number="TP-0002", status="open", hosted_url="http://localhost/pay"
            ),
            replace(PAID[1], status="refunded"),
        ),
    ),
    "hostile": AccountView(
        None,
        CreditsView(3, free=3),
        (replace(FREE_ROW, description=HOSTILE),),
        (replace(PAID[0], description=HOSTILE, hosted_url="javascript:alert(1)"),),
    ),
}
# Who works here; the office is open to nobody else.
STAFF = "staff"
EMAILS = {"hostile": '"><img src=x onerror=alert(1)>@example.com'}
CONFIRMATIONS = {
    "cs_plan": Confirmation("paid", "starter:month", "Starter", True, 30, 33),
    "cs_pack": Confirmation("paid", "pack:50", "50 videos", False, 50, 83),
    "cs_processing": Confirmation("processing", "starter:month", "Starter", True, 0, 3),
    "cs_expired": Confirmation("expired", "pack:50", "50 videos", False, 0, 3),
    "cs_trial": Confirmation("paid", "pro:month", "Pro", True, 100, 98),
    "cs_failed": Confirmation("failed", "pack:50", "50 videos", False, 0, 3),
}


@dataclass
class AuthService:
    """Whoever the cookie names is signed in until the file that ends the session appears."""

    ended: Path

    def current_user(self, token: str | None, *, active: bool = True) -> User | None:
        if token not in ACCOUNTS or (self.ended / f"{token}.out").exists():
            return None
        return User(token, EMAILS.get(token, f"{token}@example.com"), NOW - MONTH)

    def role_of(self, user_id: str) -> str:
        return "admin" if user_id == STAFF else "customer"

    def free_videos(self, user_id: str) -> FreeVideos:
        if user_id == "unproved":
            return FreeVideos("to_confirm", "Confirm your e-mail to get 3 free videos.")
        return FreeVideos("granted", "")


# Those who make videos in the tests of the studio.
STUDIO = frozenset({"free", "waiting", "starter", "empty"})


@dataclass
class PaymentService:
    """The catalog, one account a person, and one checkout for each state."""

    folder: Path
    # What somebody can spend and has set aside, when videos are made beside this.
    counts: Callable[[str], tuple[int, int]] | None = None
    asked: Counter[str] = field(default_factory=Counter)

    def pricing(self, user_id: str | None) -> Pricing:
        plan = ACCOUNTS[user_id].plan if user_id else None
        return Pricing(
            PLANS, PACKS, plan.item if plan else None, plan.current_period_end if plan else None
        )

    def account(self, user_id: str) -> AccountView:
        # The file `free.paid` is the webhook: from then on that person has Starter and a pack.
        if (self.folder / f"{user_id}.paid").exists():
            return LIVING
        mine = ACCOUNTS[user_id]
        if self.counts is None or user_id not in STUDIO:
            return mine
        available, held = self.counts(user_id)
        return replace(mine, credits=replace(mine.credits, available=available, held=held))

    def confirm_return(self, *, user_id: str, session_id: str) -> Confirmation:
        self.asked[session_id] += 1
        if session_id.startswith("cs_slow"):
            state = "cs_plan" if self.asked[session_id] > 3 else "cs_processing"
            return CONFIRMATIONS[state]
        if session_id == "cs_unreachable":
            raise errors.Unavailable("billing.unavailable", "no answer")
        if session_id not in CONFIRMATIONS:
            raise errors.NotFound("checkout.unknown", "no such checkout")
        return CONFIRMATIONS[session_id]
