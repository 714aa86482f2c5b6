"""Invoices, billing details, refunds and disputes in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.support.stand_in import ACCOUNTS, HOSTILE, MONTH, NOW, usd
from tests.support.stand_in_people import unless_away


@dataclass(frozen=True)
class InvoiceRow:
    id: str
    at: datetime
    description: str
    number: str | None
    total: Money
    status: str
    hosted_url: str | None
    pdf_url: str | None
    refunded: Money
    dispute: str
    has_receipt: bool = False


@dataclass(frozen=True)
class InvoicePage:
    rows: tuple[InvoiceRow, ...]
    next: str | None


@dataclass(frozen=True)
class BillingDetails:
    name: str
    company: str
    line1: str
    line2: str
    city: str
    postal_code: str
    state: str
    country: str
    tax_id: str
    po_number: str


@dataclass(frozen=True)
class RefundOffer:
    payment_id: str
    description: str
    paid: Money
    refundable: Money
    credits: int
    unused: int
    words: str
    until: datetime | None
    allowed: bool
    why: str
    ends_plan: bool


@dataclass(frozen=True)
class RefundView:
    id: str
    payment_id: str
    amount: Money
    state: str
    at: datetime
    words: str


@dataclass(frozen=True)
class DisputeView:
    id: str
    payment_id: str
    amount: Money
    state: str
    due_by: datetime | None
    words: str


PRO = InvoiceRow(
    "p6", NOW - timedelta(days=3), "Pro, 14 Nov to 14 Dec 2026", "TP-0018", usd(4999), "paid",
    None, "http://localhost/pdf", usd(0), "",
)  # fmt: skip
ROWS = (
    PRO,
    replace(
        PRO, id="p5", description="Pack of 10 videos", number=None, total=usd(990), has_receipt=True
    ),
    replace(PRO, id="p4", number="TP-0017", status="partly_refunded", refunded=usd(1200)),
    replace(PRO, id="p3", number="TP-0016", status="refunded", refunded=usd(4999)),
    replace(PRO, id="p2", number="TP-0015", dispute="Your bank looks at this payment."),
    replace(PRO, id="p1", number="TP-0014", status="open", hosted_url="http://localhost/pay"),
)
PACK = replace(ROWS[1], pdf_url=None, has_receipt=True)
ROWS = (PRO, PACK, *ROWS[2:])
OFFER = RefundOffer(
    "p6", "Pro, 14 Nov to 14 Dec 2026", usd(4999), usd(4399), 100, 88,
    "Pro, 12 of 100 used: refundable $43.99.", NOW + timedelta(days=11), True, "", True,
)  # fmt: skip
TOO_LATE = replace(
    OFFER, payment_id="p4", refundable=usd(0), until=None, allowed=False,
    why="This was paid more than 14 days ago.",
)  # fmt: skip
BACK = (
    RefundView("r2", "p4", usd(1200), "pending", NOW, "It reaches Visa ending 4242 by 9 Dec."),
    RefundView("r1", "p3", usd(4999), "succeeded", NOW - MONTH, "It is on Visa ending 4242."),
    DisputeView(
        "d1", "p2", usd(4999), "needs_response", NOW + timedelta(days=6),
        "You asked your bank about this payment. Its 10 videos are on hold until it has decided.",
    ),
)  # fmt: skip
ADA = BillingDetails(
    "Ada Example", "Example GmbH", "Lange Straße 1", "", "Berlin", "10115", "", "DE",
    "DE123456789", "PO-77",
)  # fmt: skip


@dataclass
class InvoiceService:
    """The same papers for everybody who has paid; what is saved is remembered."""

    saved: dict[str, BillingDetails] = field(default_factory=dict)

    def page(self, *, user_id: str, before: str | None = None) -> InvoicePage:
        unless_away(user_id)
        if not ACCOUNTS[user_id].invoices:
            return InvoicePage((), None)
        if user_id == "literal":
            return InvoicePage((replace(PRO, description=HOSTILE, number=HOSTILE),), None)
        return InvoicePage(ROWS[3:], None) if before else InvoicePage(ROWS, "p4")

    def receipt_pdf(self, *, user_id: str, payment_id: str) -> bytes:
        return b"%PDF-1.4 a receipt"

    def csv(self, user_id: str) -> str:
        return "date,amount\n2026-11-14,49.99\n"

    def details(self, user_id: str) -> BillingDetails:
        unless_away(user_id)
        return self.saved.get(user_id, ADA)

    def save_details(self, *, user_id: str, details: BillingDetails) -> None:
        if details.tax_id == "wrong":
            raise errors.InvalidRequest(
                "details.tax_id", "This is not a VAT number we know. Check it, or leave it empty."
            )
        self.saved[user_id] = details


@dataclass
class RefundService:
    """One payment that can be returned, others that cannot."""

    returned: list[str] = field(default_factory=list)

    def offer(self, *, user_id: str, payment_id: str) -> RefundOffer:
        unless_away(user_id)
        if payment_id == "p6" and payment_id in self.returned:
            return replace(OFFER, allowed=False, why="It is on its way back already.")
        if payment_id == "p6":
            return OFFER
        if payment_id in {"p4", "i1", "i2"}:
            return TOO_LATE
        raise errors.NotFound("refund.unknown", "There is no such payment.")

    def withdraw(self, *, user_id: str, payment_id: str, request_id: str) -> RefundView:
        self.returned.append(payment_id)
        words = "It reaches Visa ending 4242 in 5 to 10 days."
        return RefundView("r3", payment_id, usd(4399), "pending", NOW, words)

    def history(self, user_id: str) -> tuple[RefundView | DisputeView, ...]:
        unless_away(user_id)
        return BACK if user_id == "pro" else ()

    def disputes(self, staff_id: str) -> tuple[DisputeView, ...]:
        return tuple(one for one in BACK if isinstance(one, DisputeView))

    def evidence(self, *, staff_id: str, dispute_id: str) -> bytes:
        return b"PK a zip"
