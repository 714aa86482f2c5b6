"""What was paid: the list, receipts, a table to keep, who is billed, and the pages at Stripe."""

from __future__ import annotations

import structlog

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import users
from talkingphoto.billing import details, disputes, payments, receipts
from talkingphoto.foundation import errors
from talkingphoto.integrations.cache import Allowance, TryCounter
from talkingphoto.integrations.receipt_pdf import render
from talkingphoto.workflows import billing_to, invoice_list, paying_customer

log = structlog.get_logger()
ROWS = 50
MOST_PAGES = 200
PORTALS_PER_USER = Allowance("billing_portal", most=20, seconds=10 * 60)
_DISPUTED: dict[disputes.State, str] = {
    "open": "Questioned at your bank",
    "won": "Questioned at your bank, and settled",
    "lost": "Paid back by your bank",
}
InvoiceRow = invoice_list.InvoiceRow
InvoicePage = invoice_list.InvoicePage
BillingDetails = details.BillingDetails
FLOWS = ("home", "update_card")


class InvoiceService:
    """The verbs of receipts, invoices and billing details."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime
        self._tries = TryCounter(
            runtime.transaction,
            clock=runtime.wall_clock,
            redis_url=runtime.settings.redis_url.get_secret_value(),
        )

    def page(self, *, user_id: str, before: str | None = None) -> InvoicePage:
        """Fifty of the customer's payments, older than the one `before`; NotFound if not theirs."""
        with self.runtime.read_only() as session:
            found = payments.page(session, user_id=user_id, limit=ROWS + 1, before=before)
            shown = found[:ROWS]
            ids = tuple(one.id for one in shown)
            numbers = receipts.numbers(session, payment_ids=ids)
            disputed = disputes.of_customer(session, user_id=user_id)
        # The newest of a payment comes first, and counts.
        words = {one.payment_id: _DISPUTED[one.state] for one in reversed(disputed)}
        return InvoicePage(
            rows=tuple(
                invoice_list.row(
                    one,
                    number=numbers.get(one.id),
                    dispute=words.get(one.id, ""),
                )
                for one in shown
            ),
            next=shown[-1].id if len(found) > ROWS else None,
        )

    def receipt_pdf(self, *, user_id: str, payment_id: str) -> bytes:
        """Our receipt for a pack that was paid; NotFound for any other payment, or not theirs."""
        with self.runtime.read_only() as session:
            payment = payments.of_user(session, user_id=user_id, payment_id=payment_id)
            if payment is None or not invoice_list.has_receipt(payment):
                raise errors.NotFound("invoice.unknown", "There is no such receipt of yours.")
            email = users.get(session, user_id=user_id).email
        paid_with = self._paid_with(payment)
        with self.runtime.transaction() as session:
            receipt = receipts.issue(
                session,
                payment_id=payment.id,
                user_id=user_id,
                at=payment.paid_at or payment.created_at,
            )
        seller = self.runtime.settings.seller
        return render(
            invoice_list.page_of(payment, receipt, seller=seller, paid_with=paid_with, email=email)
        )

    def csv(self, user_id: str) -> str:
        """All payments of the customer as a table, newest first."""
        rows: list[tuple[payments.Payment, str | None]] = []
        before: str | None = None
        with self.runtime.read_only() as session:
            for _ in range(MOST_PAGES):
                found = payments.page(session, user_id=user_id, limit=ROWS, before=before)
                ids = tuple(one.id for one in found)
                numbers = receipts.numbers(session, payment_ids=ids)
                rows += [(one, numbers.get(one.id)) for one in found]
                if len(found) < ROWS:
                    break
                before = found[-1].id
        return invoice_list.table(rows)

    def details(self, user_id: str) -> BillingDetails:
        """Who is billed, as the customer told us."""
        with self.runtime.read_only() as session:
            return details.of_customer(session, user_id=user_id)

    def save_details(self, *, user_id: str, details: BillingDetails) -> None:
        """The next invoice shows these details; InvalidRequest names what cannot be."""
        billing_to.save(self.runtime, user_id=user_id, given=details)
        log.info("details.saved", user_id=user_id)

    def portal(self, *, user_id: str, flow: str) -> str:
        """The address of the customer's pages at Stripe, or of the one for their card."""
        if flow not in FLOWS:
            raise errors.InvalidRequest("portal.flow", "This page does not exist.")
        wait = self._tries.take(PORTALS_PER_USER, user_id)
        if wait:
            raise errors.RateLimited(
                "portal.rate_limited", "Too many tries. Wait a while.", retry_after_seconds=wait
            )
        customer_id = paying_customer.ensure(self.runtime, user_id=user_id)
        return self.runtime.gateway.open_portal(
            customer_id,
            return_url=f"{self.runtime.settings.app_url}/account",
            card_only=flow == "update_card",
        )

    def run_due_work(self) -> int:
        """Stripe has heard of billing details that were left behind; how many."""
        return billing_to.tell_owed(self.runtime)

    def _paid_with(self, payment: payments.Payment) -> str:
        """The card by its last digits; a receipt is printed without while Stripe is away."""
        if payment.payment_intent_id is None:
            return ""
        try:
            return self.runtime.gateway.paid_with(payment.payment_intent_id) or ""
        except errors.Unavailable:
            return ""


invoice_service = InvoiceService(runtimes.current())
