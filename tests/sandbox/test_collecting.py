"""Invoices that fail: when they are tried again, what follows, and how one recovers."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import stripe

from stripe_sandbox import policy
from tests.sandbox import plans
from tests.sandbox.plans import DAY, Subscriber, subscriber
from tests.sandbox.running import Process, Shop, open_shop

_RENEWED = 31 * DAY + 3600


@pytest.fixture(scope="module")
def unpaid_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose plans wait unpaid after one retry the day after."""
    settings = {
        "STRIPE_SANDBOX_RETRY_DAYS": "1",
        "STRIPE_SANDBOX_AFTER_RETRIES": "unpaid",
    }
    process = Process(tmp_path_factory.mktemp("unpaid"), settings=settings).start()
    yield open_shop(process)
    process.stop()


@pytest.fixture(scope="module")
def patient_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that tries nothing again by itself: somebody else's dunning owns that."""
    settings = {"STRIPE_SANDBOX_RETRY_DAYS": "off"}
    process = Process(tmp_path_factory.mktemp("patient"), settings=settings).start()
    yield open_shop(process)
    process.stop()


def _failing(shop: Shop) -> tuple[Subscriber, str]:
    """A subscriber whose renewal has just failed, and the invoice."""
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.pay_with(plans.FAILS_LATER)
    who.wait(days=31, hours=2)
    assert who.reread(made).status == "past_due"
    return who, who.latest(made).id


def test_a_renewal_is_a_draft_for_an_hour_and_then_charged(shop: Shop) -> None:
    who = subscriber(shop)
    made = who.subscribe(shop.plan)
    who.wait(days=31, hours=0.5)
    draft = who.latest(made)
    assert (draft.status, draft.number) == ("draft", None)
    assert draft.automatically_finalizes_at == plans.NEW_YEAR + _RENEWED
    assert who.reread(made).status == "active"
    who.wait(hours=1)
    paid = who.v1.invoices.retrieve(draft.id)
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", plans.NEW_YEAR + _RENEWED)


def test_a_failed_renewal_is_tried_after_3_5_and_7_days_and_then_the_plan_ends(shop: Shop) -> None:
    who, invoice_id = _failing(shop)
    first = who.v1.invoices.retrieve(invoice_id)
    failed_at = plans.NEW_YEAR + _RENEWED
    assert (first.attempt_count, first.next_payment_attempt) == (1, failed_at + 3 * DAY)
    who.wait(days=3)
    assert who.v1.invoices.retrieve(invoice_id).next_payment_attempt == failed_at + 8 * DAY
    who.wait(days=5)
    assert who.v1.invoices.retrieve(invoice_id).attempt_count == 3
    assert who.v1.customers.retrieve(who.customer).delinquent is True
    who.wait(days=7)
    last = who.v1.invoices.retrieve(invoice_id)
    assert (last.status, last.attempt_count, last.next_payment_attempt) == ("open", 4, None)
    subscription = last.parent.subscription_details.subscription
    ended = who.v1.subscriptions.retrieve(subscription)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert who.events(invoice_id).count("invoice.payment_failed") == 4


def test_a_card_that_works_again_is_found_by_the_next_try(shop: Shop) -> None:
    who, invoice_id = _failing(shop)
    who.pay_with(plans.VISA)
    who.wait(days=3)
    paid = who.v1.invoices.retrieve(invoice_id)
    assert (paid.status, paid.attempt_count, paid.next_payment_attempt) == ("paid", 2, None)
    subscription = paid.parent.subscription_details.subscription
    assert who.v1.subscriptions.retrieve(subscription).status == "active"
    assert who.v1.customers.retrieve(who.customer).delinquent is False


def test_a_payment_by_hand_with_another_card_settles_it_at_once(shop: Shop) -> None:
    who, invoice_id = _failing(shop)
    paid = who.v1.invoices.pay(invoice_id, params={"payment_method": plans.VISA})
    subscription = paid.parent.subscription_details.subscription
    assert (paid.status, who.v1.subscriptions.retrieve(subscription).status) == ("paid", "active")
    # What is tried by hand after the first try is not one of the planned ones.
    assert paid.attempt_count == 1


def test_who_tries_three_cards_by_hand_does_not_lose_the_plan_for_it(shop: Shop) -> None:
    who, invoice_id = _failing(shop)
    planned = who.v1.invoices.retrieve(invoice_id).next_payment_attempt
    for _ in range(3):
        with pytest.raises(stripe.CardError):
            who.v1.invoices.pay(invoice_id)
    left = who.v1.invoices.retrieve(invoice_id)
    assert (left.attempt_count, left.next_payment_attempt) == (1, planned)
    who.wait(days=3)
    assert who.v1.invoices.retrieve(invoice_id).attempt_count == 2


def test_a_plan_that_waits_unpaid_bills_drafts_and_comes_back_when_paid(
    unpaid_shop: Shop,
) -> None:
    who, invoice_id = _failing(unpaid_shop)
    subscription = who.v1.invoices.retrieve(invoice_id).parent.subscription_details.subscription
    who.wait(days=1)
    assert who.v1.subscriptions.retrieve(subscription).status == "unpaid"
    who.wait(days=28)
    drafts = who.v1.invoices.list(params={"subscription": subscription, "status": "draft"})
    assert len(drafts.data) == 1
    assert drafts.data[0].auto_advance is False
    who.pay_with(plans.VISA)
    who.v1.invoices.pay(invoice_id)
    assert who.v1.subscriptions.retrieve(subscription).status == "active"


def test_with_retries_off_nothing_is_tried_again_and_nothing_ends(patient_shop: Shop) -> None:
    who, invoice_id = _failing(patient_shop)
    failed = who.v1.invoices.retrieve(invoice_id)
    assert (failed.attempt_count, failed.next_payment_attempt) == (1, None)
    who.wait(days=25)
    assert who.v1.invoices.retrieve(invoice_id).attempt_count == 1
    subscription = failed.parent.subscription_details.subscription
    assert who.v1.subscriptions.retrieve(subscription).status == "past_due"


@pytest.mark.parametrize(
    ("days", "after", "expected"),
    [
        ("", "", policy.Policy((3, 5, 7), "cancel")),
        ("off", "past_due", policy.Policy((), "past_due")),
        ("1, 2", "unpaid", policy.Policy((1, 2), "unpaid")),
        ("60", "", policy.Policy((60,), "cancel")),
    ],
)
def test_what_the_variables_say_is_the_policy(
    days: str, after: str, expected: policy.Policy
) -> None:
    given = {"STRIPE_SANDBOX_RETRY_DAYS": days, "STRIPE_SANDBOX_AFTER_RETRIES": after}
    assert policy.read(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"STRIPE_SANDBOX_RETRY_DAYS": "0"},
        {"STRIPE_SANDBOX_RETRY_DAYS": "61"},
        {"STRIPE_SANDBOX_RETRY_DAYS": "3,soon"},
        {"STRIPE_SANDBOX_RETRY_DAYS": "1,1,1,1,1,1,1,1,1"},
        {"STRIPE_SANDBOX_AFTER_RETRIES": "shrug"},
    ],
)
def test_a_policy_that_cannot_be_stops_the_start_and_is_named(given: dict[str, str]) -> None:
    command = [sys.executable, "-m", "stripe_sandbox", "--port", "1"]
    ended = subprocess.run(command, env=given, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert next(iter(given)) in ended.stderr
    assert "Traceback" not in ended.stderr
