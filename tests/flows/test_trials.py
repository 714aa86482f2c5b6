"""A plan is tried before it is paid: once for each person and card, with a word before the end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from services.payment_service import PaymentService
from services.subscription_service import SubscriptionService
from talkingphoto.accounts import mails
from talkingphoto.billing import trials
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.flows.test_cancelling import at_stripe, cancels, client, code_of, plan_of
from tests.flows.test_pausing import lives_until
from tests.support.sandbox import VISA, SandboxProcess
from tests.support.shop import Person, Shop

FREE = 3
MASTERCARD = "5555555555554444"
DEBIT = "4000056655665556"
DISCOVER = "6011111111111117"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of these stories' own: its clock moves."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The shop, whose time is the sandbox's."""
    lives_until(shop, shop.clock.now)
    return shop


def test_a_trial_brings_five_videos_says_its_end_and_becomes_the_plan(shop: Shop) -> None:
    ada = shop.a_person()
    assert shop.plans.trial_days(None, "pro:month") == shop.plans.trial_days(ada.id, "pro:month")
    tries(shop, ada, "pro:month")
    assert shop.balance(ada) == FREE + trials.CREDITS
    plan, trial = plan_of(shop, ada), shop.plans.trial(ada.id)
    assert trial is not None
    assert (trial.days_left, trial.then, trial.has_card) == (7, Money(49_99, "usd"), True)
    assert plan.trial_ends_at == trial.ends_at == plan.renews_at
    lives_until(shop, trial.ends_at - timedelta(days=3) + timedelta(minutes=5))
    assert told(shop, ada, "trial_ending")["card"] == "yes"
    assert shop.plans.run_due_work() == 0
    lives_until(shop, trial.ends_at + timedelta(hours=2))
    assert shop.plans.trial(ada.id) is None
    assert plan_of(shop, ada).status == "active"
    assert shop.balance(ada) == FREE + 100
    assert [row.total.minor for row in shop.payments.account(ada.id).invoices] == [49_99, 0]


def test_a_cancelled_trial_ends_with_nothing_charged(shop: Shop) -> None:
    ada = shop.a_person()
    tries(shop, ada, "starter:month", card=MASTERCARD)
    ends_at = plan_of(shop, ada).trial_ends_at
    assert ends_at is not None
    assert cancels(shop, ada) == ends_at
    lives_until(shop, ends_at - timedelta(days=1))
    assert told(shop, ada, "trial_ending") == {}
    lives_until(shop, ends_at + timedelta(hours=2))
    assert shop.payments.account(ada.id).plan is None
    assert shop.balance(ada) == FREE
    assert [row.total.minor for row in shop.payments.account(ada.id).invoices] == [0]
    assert code_of(lambda: begins(shop, ada, "pro:month")) == "trial.used"
    assert shop.plans.trial_days(ada.id, "pro:month") == 0


def test_a_second_trial_with_the_same_card_is_over_at_once_and_costs_nothing(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    tries(shop, ada, "starter:month", card=DEBIT)
    tries(shop, bob, "starter:month", card=DEBIT)
    assert shop.balance(bob) == FREE
    assert shop.plans.run_due_work() == 1
    assert shop.plans.run_due_work() == 0
    assert shop.payments.account(bob.id).plan is None
    assert at_stripe(shop, bob).status == "canceled"
    assert [row.total.minor for row in shop.payments.account(bob.id).invoices] == [0]
    shop.deliver(shop.new_events())
    assert told(shop, bob, "trial_refused") == {"item": "starter:month"}
    assert told(shop, bob, "plan_ended") == {}
    assert plan_of(shop, ada).status == "trialing"


def test_a_trial_without_a_card_is_refused_when_its_card_had_one_and_its_videos_are_gone(
    shop: Shop,
) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    tries(shop, ada, "starter:month", card=DISCOVER)
    without_a_card(shop)
    tries(shop, bob, "starter:month", card="")
    trial = shop.plans.trial(bob.id)
    assert trial is not None
    assert (trial.has_card, shop.balance(bob)) == (False, FREE + trials.CREDITS)
    subscription = at_stripe(shop, bob)
    method = client(shop).payment_methods.attach(
        "pm_card_discover", {"customer": subscription.customer}
    )
    client(shop).subscriptions.update(subscription.id, {"default_payment_method": method.id})
    shop.deliver(shop.new_events())
    assert shop.balance(bob) == FREE
    shop.plans.run_due_work()
    assert at_stripe(shop, bob).status == "canceled"


def test_a_trial_without_a_card_ends_by_itself_and_the_reminder_says_so(shop: Shop) -> None:
    without_a_card(shop)
    ada = shop.a_person()
    tries(shop, ada, "starter:month", card="")
    ends_at = plan_of(shop, ada).trial_ends_at
    assert ends_at is not None
    # The event of Stripe's is missed; the sweep reminds by itself.
    shop.clock.move_to(ends_at - timedelta(days=3))
    assert shop.plans.run_due_work() == 1
    assert shop.plans.run_due_work() == 0
    assert told(shop, ada, "trial_ending")["card"] == "no"
    lives_until(shop, ends_at + timedelta(hours=2))
    assert shop.payments.account(ada.id).plan is None


def test_a_trial_is_for_starter_and_pro_by_the_month_and_for_one_mailbox(shop: Shop) -> None:
    ada = shop.a_person()
    for item in ("enterprise:month", "pro:year", "pack:10"):
        assert code_of(partial(begins, shop, ada, item)) == "trial.not_offered"
    runtime = Runtime(shop.runtime.settings.model_copy(update={"trial_days": 0}), clock=shop.clock)
    shop.payments = PaymentService(runtime)
    assert code_of(lambda: begins(shop, ada, "pro:month")) == "trial.not_offered"
    assert SubscriptionService(runtime).trial_days(ada.id, "pro:month") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada.Love+x@GMail.com", "adalove@googlemail.com", True),
        ("ada+1@example.com", "ADA@example.com", True),
        ("a.da@example.com", "ada@example.com", False),
    ],
)
def test_the_spellings_of_one_mailbox_are_one(one: str, other: str, same: bool) -> None:
    assert (trials.email_key(one) == trials.email_key(other)) is same


def begins(shop: Shop, person: Person, item: str) -> str:
    """The page on which the person may begin a trial."""
    return shop.payments.start_checkout(
        user_id=person.id, item=item, request_id=str(uuid.uuid4()), trial=True
    )


def tries(shop: Shop, person: Person, item: str, *, card: str = VISA) -> None:
    """The person began a trial and every webhook of it arrived."""
    url = begins(shop, person, item)
    paid = shop.sandbox.pay(url, card=card)
    assert paid.status == 303, paid.page
    shop.deliver(shop.new_events())


def without_a_card(shop: Shop) -> None:
    """Trials ask for no card from now on."""
    settings = shop.runtime.settings.model_copy(update={"trial_card": "optional"})
    shop.payments = PaymentService(Runtime(settings, clock=shop.clock))


def told(shop: Shop, person: Person, template: str) -> dict[str, Any]:
    """The facts of the one message of that kind; empty when the person has none."""
    with shop.runtime.read_only() as session:
        found = [
            mail
            for mail in mails.page(session, before="", limit=mails.MOST_ROWS)
            if (mail.user_id, mail.template) == (person.id, template)
        ]
    assert len(found) <= 1
    return dict(found[0].facts) if found else {}
