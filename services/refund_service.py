"""Money back: withdrawals by the customer, refunds by staff, disputes and their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import staff
from talkingphoto.billing import customers, disputes, payments, refunds, unused, warnings
from talkingphoto.foundation import errors, ids
from talkingphoto.foundation.money import Money
from talkingphoto.workflows import evidence, refunding, refusals

_NOT_YOURS = ("refund.payment_unknown", "This is not a payment of yours.")
_WORDS = {
    "asked": "Your refund is on its way.",
    "pending": "Your bank is booking the refund. This can take ten days.",
    "succeeded": "Refunded. It shows on your card within ten days.",
    "failed": "This refund could not be made. Your videos are back. Write to us.",
    "open": "Your bank disputes this payment. Its videos wait until it has decided.",
    "won": "The dispute is over. The videos of this payment are yours to use.",
    "lost": "The bank gave the money back. The videos of this payment are gone.",
}


@dataclass(frozen=True)
class RefundOffer:
    """What a customer would get back for what is unused of a payment, or why nothing."""

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
    """Money that goes back, and how far it got."""

    id: str
    payment_id: str
    amount: Money
    state: refunds.State
    at: datetime
    words: str


@dataclass(frozen=True)
class DisputeView:
    """A dispute, and what it means for the customer's videos."""

    id: str
    payment_id: str
    amount: Money
    state: disputes.State
    due_by: datetime | None
    words: str


@dataclass(frozen=True)
class RefundOrder:
    """What a member of staff gives back: all that is left, or that amount; `forgive` leaves what
    was used as it is, so that nothing is owed."""

    payment_id: str
    amount: Money | None
    reason: str
    request_id: str
    forgive: bool = False


class RefundService:
    """The verbs of money that goes back."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def offer(self, *, user_id: str, payment_id: str) -> RefundOffer:
        """What withdrawing from that payment would bring now; NotFound for somebody else's."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            payment = _own(payments.find(session, payment_id=payment_id), user_id)
            left = unused.of_payment(session, payment_id=payment_id, now=now)
            refusal = refunding.why_not(session, payment, now=now)
            ends_plan = refunding.ends_plan(session, payment)
        return RefundOffer(
            payment_id=payment_id,
            description=payment.description,
            paid=payment.amount,
            refundable=left.refundable,
            credits=left.credits,
            unused=left.unused,
            words=left.words,
            until=refunding.until(payment),
            allowed=refusal is None,
            why=refusal[1] if refusal else "",
            ends_plan=ends_plan,
        )

    def withdraw(self, *, user_id: str, payment_id: str, request_id: str) -> RefundView:
        """The unused videos are gone, their exact value is on its way back, and a plan is over;
        the same request is the same refund. Conflict with the reason when that is not possible."""
        _require_uuid(request_id)
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            payment = _own(payments.find(session, payment_id=payment_id), user_id)
            if refunds.find(session, refund_id=request_id) is None:
                refusal = refunding.why_not(session, payment, now=now)
                if refusal is not None:
                    raise errors.Conflict(*refusal)
            new = refunds.NewRefund(
                id=request_id,
                payment_id=payment_id,
                origin="customer",
                reason="Withdrawn by the customer",
            )
            asked = refunds.ask(session, new, now=now)
        return _view(refunding.carry_out(self.runtime, asked.id))

    def refund(self, *, staff_id: str, order: RefundOrder) -> RefundView:
        """The money is on its way back with its share of the videos, what was used is owed unless
        forgiven, and the reason is on record; the same request is the same refund. Conflict when
        Stripe refused it for good."""
        refused = refusals.on_record(
            self.runtime,
            "refund",
            staff_id=staff_id,
            about=order.payment_id,
            reason=order.reason,
        )
        with refused:
            _require_uuid(order.request_id)
            now = self.runtime.clock()
            with self.runtime.transaction() as session:
                asked = self._ask(session, order, staff_id=staff_id, now=now)
            made = refunding.carry_out(self.runtime, asked.id)
            if made.state == "failed":  # by the same request before
                raise errors.Conflict(*refunding.REFUSED)
            return _view(made)

    def history(self, user_id: str) -> tuple[RefundView | DisputeView, ...]:
        """That customer's refunds and disputes, newest first."""
        with self.runtime.read_only() as session:
            gone = refunds.of_customer(session, user_id=user_id)
            disputed = disputes.of_customer(session, user_id=user_id)
        found: list[tuple[datetime, RefundView | DisputeView]] = []
        found += [(one.created_at, _view(one)) for one in gone]
        found += [(one.created_at, _dispute_view(one)) for one in disputed]
        found.sort(key=lambda pair: pair[0], reverse=True)
        return tuple(view for _, view in found)

    def disputes(self, staff_id: str) -> tuple[DisputeView, ...]:
        """Everybody's disputes, the open ones first."""
        refused = refusals.on_record(self.runtime, "disputes", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            return tuple(_dispute_view(one) for one in disputes.recent(session))

    def evidence(self, *, staff_id: str, dispute_id: str) -> bytes:
        """What speaks for us in that dispute, as a zip; whole addresses are for admins only."""
        refused = refusals.on_record(self.runtime, "evidence", staff_id=staff_id, about=dispute_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            is_admin = staff.role_of(session, user_id=staff_id) == "admin"
            dispute = disputes.get(session, dispute_id=dispute_id)
        packed = evidence.pack(self.runtime, dispute, with_addresses=is_admin)
        with self.runtime.transaction() as session:
            action = self._action(staff_id, "evidence", dispute_id, "The evidence was taken out")
            staff.record(session, action=action, now=self.runtime.wall_clock())
        return packed

    def release_warning(self, *, staff_id: str, warning_id: str, reason: str) -> None:
        """The videos that a bank's warning froze can be used again, and the reason is on record."""
        now = self.runtime.clock()
        refused = refusals.on_record(
            self.runtime, "release_warning", staff_id=staff_id, about=warning_id, reason=reason
        )
        with refused, self.runtime.transaction() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            payment_id = warnings.release(session, warning_id=warning_id, now=now)
            action = self._action(staff_id, "release_warning", payment_id, reason)
            staff.record(session, action=action, now=self.runtime.wall_clock())

    def make(self, refund_id: str) -> None:
        """The refund that was asked for is made; a refusal for good has given its credits back."""
        try:
            refunding.carry_out(self.runtime, refund_id)
        except errors.Conflict:
            return  # written down; another try would be refused too

    def sweep(self) -> int:
        """Refunds that were cut short are carried out: how many those are."""
        return refunding.sweep(self.runtime)

    def _ask(
        self, session: Session, order: RefundOrder, *, staff_id: str, now: datetime
    ) -> refunds.Refund:
        """The refund that this order stands for, made now or by the same request before."""
        staff.require(session, user_id=staff_id, at_least="support")
        payment = payments.find(session, payment_id=order.payment_id)
        if payment is None:
            raise errors.NotFound("refund.payment_unknown", "There is no such payment.")
        self._require_not_own(session, payment, staff_id=staff_id)
        # Of the same request sent twice at once the second waits here, and is not new.
        customers.lock(session, user_id=payment.user_id)
        is_new = refunds.find(session, refund_id=order.request_id) is None
        new = refunds.NewRefund(
            id=order.request_id,
            payment_id=order.payment_id,
            origin="staff",
            reason=order.reason,
            amount=order.amount,
            forgive=order.forgive,
        )
        asked = refunds.ask(session, new, now=now)
        if is_new:
            action = self._action(staff_id, "refund", order.payment_id, order.reason)
            staff.record(session, action=action, now=self.runtime.wall_clock())
        return asked

    @staticmethod
    def _require_not_own(session: Session, payment: payments.Payment, *, staff_id: str) -> None:
        """As with gifts: support gives nothing to itself."""
        by_admin = staff.role_of(session, user_id=staff_id) == "admin"
        if UUID(staff_id) == UUID(payment.user_id) and not by_admin:
            raise errors.NotPermitted("office.own_account", "Ask a colleague: this is your own.")

    def _action(self, staff_id: str, action: str, about: str, reason: str) -> staff.Action:
        return staff.Action(
            id=self.runtime.new_id(), staff_id=staff_id, action=action, about=about, reason=reason
        )


def _own(payment: payments.Payment | None, user_id: str) -> payments.Payment:
    if payment is None or payment.user_id != user_id:
        raise errors.NotFound(*_NOT_YOURS)
    return payment


def _require_uuid(request_id: str) -> None:
    if not ids.is_uuid(request_id):
        raise errors.InvalidRequest(
            "refund.request_id", "This form is out of date. Reload the page and try again."
        )


def _view(refund: refunds.Refund) -> RefundView:
    return RefundView(
        id=refund.id,
        payment_id=refund.payment_id,
        amount=refund.amount,
        state=refund.state,
        at=refund.created_at,
        words=_WORDS[refund.state],
    )


def _dispute_view(dispute: disputes.Dispute) -> DisputeView:
    return DisputeView(
        id=dispute.id,
        payment_id=dispute.payment_id,
        amount=dispute.amount,
        state=dispute.state,
        due_by=dispute.due_by,
        words=_WORDS[dispute.state],
    )


refund_service = RefundService(runtimes.current())
