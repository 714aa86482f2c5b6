"""What a message says: its ids, dates and sums become words when it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails, moments
from talkingphoto.billing import catalog, declines, payments
from talkingphoto.foundation import wording
from talkingphoto.foundation.money import Money
from talkingphoto.foundation.settings import Settings

_SAMPLE_DAY = datetime(2026, 12, 14, 12, tzinfo=UTC)
_SAMPLES: Mapping[moments.Kind, str] = {
    "payment": "in_sample",
    "item": "pro:month",
    "money": "4999 usd",
    "day": _SAMPLE_DAY.isoformat(),
    "videos": "100",
    "reason": "insufficient_funds",
    "line": "A payment arrived for an account that is gone",
    "id": "pi_sample",
}
_SAMPLE_LINK = "sample"
_SAMPLE_PAYMENT = payments.Payment(
    id="in_sample",
    user_id="",
    kind="plan",
    item="pro:month",
    description="Pro, one month",
    amount=Money(49_99, "usd"),
    tax_minor=0,
    status="paid",
    created_at=_SAMPLE_DAY,
    paid_at=_SAMPLE_DAY,
)


@dataclass(frozen=True)
class Letter:
    """A message ready to be written out: its template and every word that the template asks for."""

    template: str
    words: Mapping[str, str]


def compose(session: Session, mail: mails.Mail, *, settings: Settings, token: str = "") -> Letter:
    """The message in words, with what is on record now; `token` proves an address."""
    payment_id = mail.facts.get("payment_id")
    payment = payments.get(session, payment_id=payment_id) if payment_id else None
    words = _in_words(mail.template, mail.facts, payment=payment)
    return Letter(mail.template, {**_frame(mail.template, settings, token=token), **words})


def sample(template: str, *, settings: Settings) -> Letter:
    """How such a message looks, for somebody who is Pro and paid 49.99."""
    facts = {
        name: moments.CHOICES[name][0] if kind == "choice" else _SAMPLES[kind]
        for name, kind in moments.ALL[template].items()
    }
    words = _in_words(template, facts, payment=_SAMPLE_PAYMENT)
    return Letter(template, {**_frame(template, settings, token=_SAMPLE_LINK), **words})


def _frame(template: str, settings: Settings, *, token: str) -> dict[str, str]:
    url = f"{settings.app_url}/account"
    if template in {"payment_failed", "bank_asks"}:
        url = f"{settings.web_url}/billing/pay"
    if template == "verify_email":
        url = f"{settings.web_url}/auth/verify?token={token}"
    return {"url": url, "sandbox": "yes" if settings.sandbox else ""}


def _in_words(
    template: str, facts: Mapping[str, str], *, payment: payments.Payment | None
) -> dict[str, str]:
    words: dict[str, str] = {}
    for name, kind in moments.ALL[template].items():
        if kind == "payment":
            assert payment is not None, "a fact about a payment is written with the payment"
            words |= _of_payment(payment)
        elif kind == "item":
            words |= _of_item(facts[name])
        else:
            words[name] = _word(kind, facts[name])
            if kind == "videos":
                words[f"{name}_are"] = wording.are(int(facts[name]))
    return words


def _word(kind: moments.Kind, value: str) -> str:
    if kind == "reason":
        return declines.reason(value or None)
    if not value:
        return ""
    if kind == "money":
        minor, currency = value.split()
        return wording.amount(Money(int(minor), currency))
    if kind == "day":
        return wording.day(datetime.fromisoformat(value))
    if kind == "videos":
        return wording.videos(int(value))
    return value


def _of_item(key: str) -> dict[str, str]:
    sold = catalog.ITEMS.get(key)
    if sold is None:
        return {"plan": "Your plan", "plan_and_interval": "Your plan", "each_month": ""}
    paid = "yearly" if sold.interval == "year" else "monthly"
    return {
        "plan": sold.title,
        "plan_and_interval": f"{sold.title}, paid {paid}",
        "each_month": wording.videos(sold.credits),
    }


def _of_payment(payment: payments.Payment) -> dict[str, str]:
    sold = catalog.ITEMS.get(payment.item)
    if sold is None:
        brought = ""
    elif sold.is_plan:
        brought = f"{sold.credits} new videos are on your account. Each month brings as many."
    else:
        brought = f"{sold.credits} videos are on your account. They do not expire."
    return {
        "title": payment.description,
        "amount_paid": wording.amount(payment.amount),
        "paid_on": wording.day(payment.paid_at or payment.created_at),
        "brought": brought,
    }
