"""A customer's payments, page by page, as a table for a spreadsheet, and as a receipt."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from talkingphoto.billing import details, payments, receipts
from talkingphoto.foundation import wording
from talkingphoto.foundation.money import Money
from talkingphoto.integrations.receipt_pdf import ReceiptPage

# A cell that begins like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    *("number", "date", "description", "net", "tax", "total", "currency", "status", "refunded"),
)


@dataclass(frozen=True)
class InvoiceRow:
    """One payment in the customer's list; `dispute` says how one about it stands."""

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
    has_receipt: bool


@dataclass(frozen=True)
class InvoicePage:
    """Payments, newest first; `next` asks for the older ones."""

    rows: tuple[InvoiceRow, ...]
    next: str | None


def has_receipt(payment: payments.Payment) -> bool:
    """Whether we print the receipt: a paid pack that has no invoice of Stripe's."""
    return payment.kind == "pack" and payment.pdf_url is None and payment.paid_at is not None


def row(payment: payments.Payment, *, number: str | None, dispute: str) -> InvoiceRow:
    """One payment as the list shows it."""
    return InvoiceRow(
        id=payment.id,
        at=payment.paid_at or payment.created_at,
        description=payment.description,
        number=payment.number or number,
        total=payment.amount,
        status=payment.status,
        hosted_url=payment.hosted_url,
        pdf_url=payment.pdf_url,
        refunded=Money(payment.refunded_minor, payment.amount.currency),
        dispute=dispute,
        has_receipt=has_receipt(payment),
    )


def table(found: Iterable[tuple[payments.Payment, str | None]]) -> str:
    """The payments as comma-separated values that no spreadsheet takes for formulas."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for payment, number in found:
        currency = payment.amount.currency
        tax = Money(payment.tax_minor, currency)
        cells = (
            payment.number or number or "",
            f"{payment.paid_at or payment.created_at:%Y-%m-%d}",
            payment.description,
            str((payment.amount - tax).decimal()),
            str(tax.decimal()),
            str(payment.amount.decimal()),
            currency.upper(),
            payment.status,
            str(Money(payment.refunded_minor, currency).decimal()),
        )
        writer.writerow([_safe(cell) for cell in cells])
    return written.getvalue()


def page_of(
    payment: payments.Payment, receipt: receipts.Receipt, *, seller: str, paid_with: str, email: str
) -> ReceiptPage:
    """What is printed on the receipt of that payment."""
    currency = payment.amount.currency
    tax = Money(payment.tax_minor, currency)
    sums = [("Net", payment.amount - tax), ("Tax", tax), ("Total paid", payment.amount)]
    refunded = Money(payment.refunded_minor, currency)
    if refunded.minor:
        sums += [("Refunded", -refunded), ("Kept", payment.amount - refunded)]
    paid_at = payment.paid_at or payment.created_at
    return ReceiptPage(
        number=receipt.number,
        seller=seller,
        buyer=_buyer(receipt.buyer, email=email),
        paid_on=wording.day(paid_at),
        paid_with=paid_with,
        lines=[(payment.description, wording.amount(payment.amount - tax))],
        sums=[(label, wording.amount(amount)) for label, amount in sums],
        note="This receipt confirms a payment.",
        at=paid_at,
    )


def _buyer(buyer: details.BillingDetails, *, email: str) -> tuple[str, ...]:
    place = " ".join(part for part in (buyer.postal_code, buyer.city, buyer.state) if part)
    rows = (
        *(buyer.company, buyer.name, buyer.line1, buyer.line2, place, buyer.country),
        f"Tax id {buyer.tax_id}" if buyer.tax_id else "",
        f"PO number {buyer.po_number}" if buyer.po_number else "",
        email,
    )
    return tuple(part for part in rows if part)


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
