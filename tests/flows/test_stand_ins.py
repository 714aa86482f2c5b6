"""The stand-in of the pages has the shapes of the services it stands for."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from types import ModuleType

import pytest

from services import (
    change_service,
    invoice_service,
    mail_service,
    office_service,
    payment_service,
    price_service,
    reconciliation_service,
    refund_service,
    retry_service,
    subscription_service,
    wallet_service,
)
from talkingphoto.billing import ledger
from tests.support import (
    stand_in,
    stand_in_office,
    stand_in_papers,
    stand_in_plans,
    stand_in_wallet,
)

PAIRS: list[tuple[ModuleType, ModuleType, str]] = [
    (stand_in, payment_service, "PaymentService"),
    (stand_in_plans, change_service, "ChangeService"),
    (stand_in_plans, subscription_service, "SubscriptionService"),
    (stand_in_plans, retry_service, "RetryService"),
    (stand_in_wallet, wallet_service, "WalletService"),
    (stand_in_papers, invoice_service, "InvoiceService"),
    (stand_in_papers, refund_service, "RefundService"),
    (stand_in_office, office_service, "OfficeService"),
    (stand_in_office, reconciliation_service, "ReconciliationService"),
    (stand_in_office, mail_service, "MailService"),
    (stand_in_office, price_service, "PriceService"),
]


@pytest.mark.parametrize(("fake", "real", "service"), PAIRS, ids=lambda one: str(one)[-40:])
def test_a_stand_in_answers_as_its_service_does(
    fake: ModuleType, real: ModuleType, service: str
) -> None:
    for name, shape in vars(fake).items():
        original = getattr(real, name, None)
        if is_dataclass(shape) and is_dataclass(original) and name != service:
            told = {field.name for field in fields(shape)}
            assert told == {field.name for field in fields(original)}, name
    standing, true = getattr(fake, service), getattr(real, service)
    for name, verb in inspect.getmembers(standing, inspect.isfunction):
        if not name.startswith("_"):
            assert _asked(verb) == _asked(getattr(true, name)), f"{service}.{name}"


def test_a_line_of_the_statement_is_the_ledgers() -> None:
    told = {field.name for field in fields(stand_in.StatementRow)}
    assert told <= {field.name for field in fields(ledger.StatementRow)}


def _asked(verb: object) -> dict[str, object]:
    """The names of what a verb is asked with, and how they are given."""
    assert callable(verb)
    every = inspect.signature(verb).parameters
    return {name: one.kind for name, one in every.items()}
