"""Papers: invoices, receipts, and who they are made out to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from talkingphoto.billing import payments
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

_AWAY = ("billing.unavailable", "Your invoices cannot be shown just now.")


@dataclass(frozen=True)
class InvoiceRow:
    """One payment in the customer's list."""

    id: str
    at: datetime
    description: str
    number: str | None
    total: Money
    status: payments.PaymentStatus
    hosted_url: str | None
    pdf_url: str | None
    refunded: Money
    dispute: str


@dataclass(frozen=True)
class InvoicePage:
    """A page of the list; `next` asks for the one after it."""

    rows: tuple[InvoiceRow, ...]
    next: str | None


@dataclass(frozen=True)
class BillingDetails:
    """Who invoices are made out to."""

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


class InvoiceService:
    """The verbs of papers."""

    def page(self, *, user_id: str, before: str | None = None) -> InvoicePage:
        """The payments before that one, the latest first."""
        raise errors.Unavailable(*_AWAY)

    def receipt_pdf(self, *, user_id: str, payment_id: str) -> bytes:
        """Our own receipt."""
        raise errors.Unavailable(*_AWAY)

    def csv(self, user_id: str) -> str:
        """All payments as a table."""
        raise errors.Unavailable(*_AWAY)

    def details(self, user_id: str) -> BillingDetails:
        """Who the next invoice is made out to."""
        raise errors.Unavailable(*_AWAY)

    def save_details(self, *, user_id: str, details: BillingDetails) -> None:
        """The next invoice is made out so."""
        raise errors.Unavailable(*_AWAY)


invoice_service = InvoiceService()
