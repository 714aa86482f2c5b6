"""The account page's answer: plan, credits and payments of one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from talkingphoto.billing import catalog, forecast, ledger, payments, saved_cards, subscriptions
from talkingphoto.foundation.money import Money
from talkingphoto.workflows import change_view


@dataclass(frozen=True)
class PlanView:
    """The customer's plan; `price` is what they pay, and `renews_at` is None while it does not
    renew by itself."""

    item: str
    name: str
    status: str
    price: Money
    interval: catalog.Interval
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
    """What the customer can spend, where it comes from and what happens next."""

    available: int
    held: int
    from_plan: int
    bought: int
    free: int
    next_expiry: datetime | None
    next_expiring: int
    next_credits_at: datetime | None
    next_credits: int


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


@dataclass(frozen=True)
class AccountView:
    """The account page in one answer; `pending` while a payment is still on its way."""

    plan: PlanView | None
    credits: CreditsView
    statement: tuple[ledger.StatementRow, ...]
    invoices: tuple[InvoiceRow, ...]
    pending: bool
    change: change_view.PendingChange | None = None
    # Where a change can be paid that waits for its payment.
    change_pay_url: str | None = None


def plan_view(
    plan: subscriptions.Subscription | None,
    *,
    now: datetime,
    card: saved_cards.SavedCard | None = None,
) -> PlanView | None:
    """The plan in the customer's terms, with the card that pays it; None without one."""
    if plan is None:
        return None
    assert plan.item.interval is not None
    return PlanView(
        item=plan.item.key,
        name=plan.item.title,
        status=plan.status,
        price=plan.price,
        interval=plan.item.interval,
        monthly_credits=plan.item.credits,
        current_period_end=plan.period_end,
        cancel_at_period_end=plan.cancel_at_period_end,
        renews_at=plan.renews_at,
        pauses_at=plan.standing.pauses_at,
        resumes_at=plan.standing.resumes_at,
        trial_ends_at=plan.standing.trial_ends_at,
        discount=plan.standing.discount_at(now),
        card=f"{card.brand.title()} ending {card.last4}" if card else "",
    )


def credits_view(balance: ledger.Balance, coming: forecast.Next | None) -> CreditsView:
    """What can be spent, where it comes from, and what arrives next."""
    given = balance.by_source
    return CreditsView(
        available=balance.available,
        held=balance.held,
        from_plan=given["plan"],
        bought=given["pack"],
        free=given["free"] + given["promo"] + given["goodwill"] + given["gift"],
        next_expiry=balance.next_expiry,
        next_expiring=balance.next_expiring,
        next_credits_at=coming.at if coming else None,
        next_credits=coming.credits if coming else 0,
    )


def invoice_row(payment: payments.Payment) -> InvoiceRow:
    """One payment as the list shows it."""
    return InvoiceRow(
        id=payment.id,
        at=payment.paid_at or payment.created_at,
        description=payment.description,
        number=payment.number,
        total=payment.amount,
        status=payment.status,
        hosted_url=payment.hosted_url,
        pdf_url=payment.pdf_url,
    )
