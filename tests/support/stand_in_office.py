"""The office in memory: `staff` works here, everybody else is told that there is nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import ModuleType

from talkingphoto.accounts.directory import Entry
from talkingphoto.billing import catalog
from talkingphoto.billing.differences import Difference
from talkingphoto.billing.price_changes import PaidPrice, PriceChange
from talkingphoto.events.inbox import EventLine
from talkingphoto.foundation import errors
from talkingphoto.integrations.mailer import Parts
from tests.support.stand_in import HOSTILE, MONTH, NOW, STAFF, usd

HERE = sys.modules[__name__]
TEMPLATES = ("receipt", "gift")
LONG = "cs_test_a1" + "b2c3d4e5f6" * 6
CUSTOMER = Entry(
    "pro", "a-long-address-of-somebody@example.com", NOW - 8 * MONTH, True, None, "cus_Qx81LmPz0a"
)
GONE = replace(CUSTOMER, id="free", email=HOSTILE, deleted_at=NOW, stripe_customer_id=None)
EVENTS = (
    EventLine("evt_1QxA8LmPz0aBcDeFgHiJkLm", "invoice.paid", "in_1QxA8L", NOW, None, ""),
    EventLine(
        "evt_1QxA8LmPz0aBcDeFgHiJkLn", "customer.subscription.updated", LONG, NOW, "done", ""
    ),
    EventLine("evt_1QxA8LmPz0aBcDeFgHiJkLo", "charge.refunded", "ch_1", NOW, "dead", "KeyError"),
)
DIFFERENCE = Difference(
    "difference-1", "run-1", "payment", "missing_here", LONG, "pro",
    "none", "9.90 usd paid", True, NOW - MONTH, "alerted",
)  # fmt: skip
DIFFERENCES = (
    DIFFERENCE,
    replace(
        DIFFERENCE, id="difference-2", class_="amount", heals=False, state="open", ours=HOSTILE
    ),
    replace(DIFFERENCE, id="difference-3", kind="event", class_="dead", state="open", user_id=None),
)
PRICES = (
    PaidPrice("pro:month", "price_1QxA8LmPz0aNewPriceOfPro", usd(4999), True, 1204),
    PaidPrice("pro:month", "price_1QxA8LmPz0aOldPriceOfPro", usd(3999), False, 86),
    PaidPrice("starter:year", "price_1QxA8LmPz0aOlderStarter", usd(14999), False, 3),
    PaidPrice("starter:year", "price_1QxA8LmPz0aNewStarter", usd(19999), True, 0),
)


@dataclass(frozen=True)
class OutboxRow:
    key: str
    to: str
    template: str
    subject: str
    state: str
    tries: int
    at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class OutboxPage:
    rows: tuple[OutboxRow, ...]
    next: str


MAIL = OutboxRow(
    "receipt:1", CUSTOMER.email, "receipt", "Thank you. Your payment of $49.99", "sent", 1, NOW, NOW
)
OUTBOX = OutboxPage((MAIL, replace(MAIL, key="gift:1", subject=HOSTILE, state="failed")), "")
PARTS = Parts("Thank you. Your payment of $49.99", "Hello,\n\nthank you.\n", "<p>Hello</p>")


class OfficeService:
    """A door that one person passes."""

    def enter(self, user_id: str | None, *, ip: str) -> str:
        if user_id != STAFF:
            raise errors.NotFound("request.not_found", "There is nothing at this address.")
        return "admin"

    def find(self, *, staff_id: str, asked: str) -> tuple[Entry, ...]:
        return {"pro": (CUSTOMER,), "gone": (GONE,)}.get(asked, ())

    def events(self, *, staff_id: str, only_dead: bool = False) -> tuple[EventLine, ...]:
        return EVENTS[2:] if only_dead else EVENTS


class ReconciliationService:
    """Three differences, one of each kind of answer; whatever is decided is refused."""

    def differences(self, *, staff_id: str, open_only: bool = True) -> tuple[Difference, ...]:
        return DIFFERENCES

    def heal(self, *, staff_id: str, difference_id: str, reason: str) -> Difference:
        raise errors.InvalidRequest("office.reason", "Give a reason of at most 500 letters.")


class MailService:
    """Two messages, one of which was given up."""

    def outbox(self, *, staff_id: str, before: str = "") -> OutboxPage:
        return OUTBOX

    def body(self, *, staff_id: str, key: str) -> Parts:
        return PARTS

    def preview(self, *, staff_id: str, template: str) -> Parts:
        return PARTS


class PriceService:
    """Two old prices, the end of one of which is planned."""

    def who_pays(self, *, staff_id: str) -> tuple[PaidPrice, ...]:
        return PRICES

    def announced(self, *, staff_id: str) -> tuple[PriceChange, ...]:
        old, new = PRICES[1], PRICES[0]
        assert old.price is not None
        assert new.price is not None
        return (
            PriceChange(
                "change-1", catalog.item("pro:month"), old.price_id, new.price_id, old.price,
                new.price, NOW + timedelta(days=40), "noticed",
            ),
        )  # fmt: skip


def put_in_place() -> None:
    """Services that only the office asks are found, with what else its pages name of them."""
    package = sys.modules["services"]
    for name, service in (
        ("office_service", OfficeService()),
        ("reconciliation_service", ReconciliationService()),
        ("mail_service", MailService()),
        ("price_service", PriceService()),
    ):
        made = ModuleType(f"services.{name}")
        made.__dict__.update(vars(HERE))
        made.__dict__[name] = service
        package.__dict__[name] = sys.modules[f"services.{name}"] = made
