"""A monthly plan rests: nothing is charged, no videos come, and what is there stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from services.subscription_service import SubscriptionService
from talkingphoto.billing import subscriptions
from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from talkingphoto.workflows.pausing import PauseChoice, choices
from tests.flows.test_cancelling import (
    Died,
    a_subscriber,
    at_stripe,
    cancels,
    client,
    code_of,
    dies,
    goes_past_due,
    plan_of,
)
from tests.support.sandbox import SandboxProcess
from tests.support.shop import Person, Shop

FREE = 3


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


def test_a_pause_has_dates_charges_nothing_and_the_plan_comes_back_by_itself(shop: Shop) -> None:
    ada = a_subscriber(shop)
    until = choice(shop, ada, 2).until
    before = plan_of(shop, ada)
    shop.plans.pause(user_id=ada.id, until=until)
    shop.plans.pause(user_id=ada.id, until=until)
    paused = plan_of(shop, ada)
    assert (paused.pauses_at, paused.resumes_at) == (before.current_period_end, until)
    assert paused.renews_at == until
    lives_until(shop, until - timedelta(days=1))
    assert plan_of(shop, ada).resumes_at == until
    assert statuses(shop, ada) == ["paid", "void", "void"]
    lives_until(shop, until + timedelta(hours=2))
    back = plan_of(shop, ada)
    assert (back.pauses_at, back.resumes_at) == (None, None)
    assert back.renews_at == back.current_period_end
    assert statuses(shop, ada) == ["paid", "void", "void", "paid"]
    # The first month's have run out, those of the month that was paid are there.
    assert shop.balance(ada) == FREE + 30


def test_a_pause_that_ends_before_it_began_charges_nothing(shop: Shop) -> None:
    ada = a_subscriber(shop)
    before = plan_of(shop, ada)
    shop.plans.pause(user_id=ada.id, until=choice(shop, ada, 1).until)
    assert "Nothing is charged today" in shop.plans.unpausing(ada.id)
    shop.plans.unpause(user_id=ada.id)
    shop.plans.unpause(user_id=ada.id)
    assert plan_of(shop, ada) == before
    assert statuses(shop, ada) == ["paid"]
    assert shop.plans.unpausing(ada.id) == ""
    shop.plans.pause(user_id=ada.id, until=choice(shop, ada, 3).until)
    assert at_stripe(shop, ada).pause_collection is not None


def test_a_pause_that_ends_in_a_month_nobody_paid_for_begins_a_new_month_once(shop: Shop) -> None:
    ada = a_subscriber(shop)
    shop.plans.pause(user_id=ada.id, until=choice(shop, ada, 3).until)
    lives_until(shop, plan_of(shop, ada).current_period_end + timedelta(days=10))
    assert shop.plans.unpausing(ada.id) == (
        "A new month begins today: you are charged $19.99 now and get 30 videos."
    )
    shop.plans.unpause(user_id=ada.id)
    assert shop.balance(ada) == FREE + 30 + 30
    plan = plan_of(shop, ada)
    assert abs(clocks.add_months(shop.clock.now, months=1) - plan.current_period_end) < MINUTES
    shop.deliver(shop.new_events())
    shop.plans.unpause(user_id=ada.id)
    assert shop.balance(ada) == FREE + 30 + 30
    assert statuses(shop, ada) == ["paid", "void", "paid"]


def test_within_the_hour_before_an_invoice_is_final_it_is_that_one_which_is_paid(
    shop: Shop,
) -> None:
    ada = a_subscriber(shop)
    shop.plans.pause(user_id=ada.id, until=choice(shop, ada, 1).until)
    lives_until(shop, plan_of(shop, ada).current_period_end + timedelta(minutes=20))
    shop.plans.unpause(user_id=ada.id)
    lives_until(shop, shop.clock.now + timedelta(hours=2))
    assert statuses(shop, ada) == ["paid", "paid"]
    assert shop.balance(ada) == FREE + 60


def test_a_card_that_refuses_the_new_month_leaves_the_pause_and_another_card_ends_it(
    shop: Shop,
) -> None:
    ada = a_subscriber(shop)
    shop.plans.pause(user_id=ada.id, until=choice(shop, ada, 2).until)
    lives_until(shop, plan_of(shop, ada).current_period_end + timedelta(days=2))
    uses_card(shop, ada, "pm_card_chargeCustomerFail")
    with pytest.raises(errors.PaymentDeclined):
        shop.plans.unpause(user_id=ada.id)
    assert plan_of(shop, ada).resumes_at is not None
    assert at_stripe(shop, ada).pause_collection is not None
    uses_card(shop, ada, "pm_card_visa")
    shop.plans.unpause(user_id=ada.id)
    assert plan_of(shop, ada).resumes_at is None
    assert shop.balance(ada) == FREE + 60


def test_what_broke_off_is_carried_out_by_the_sweep_and_charged_once(shop: Shop) -> None:
    ada = a_subscriber(shop)
    until = choice(shop, ada, 2).until
    with pytest.raises(Died):
        dying(shop).pause(user_id=ada.id, until=until)
    assert plan_of(shop, ada).resumes_at is None
    shop.clock.advance(seconds=121)
    assert shop.plans.run_due_work() == 1
    assert plan_of(shop, ada).resumes_at == until
    lives_until(shop, plan_of(shop, ada).current_period_end + timedelta(days=2))
    with pytest.raises(Died):
        dying(shop).unpause(user_id=ada.id)
    assert shop.plans.run_due_work() == 1
    assert shop.plans.run_due_work() == 0
    assert shop.balance(ada) == FREE + 60
    assert statuses(shop, ada) == ["paid", "void", "paid"]


def test_who_may_not_rest_is_told_why(shop: Shop) -> None:
    ada, eve, nobody = a_subscriber(shop), a_subscriber(shop, "starter:year"), shop.a_person()
    until = choice(shop, ada, 1).until
    assert shop.plans.pause_choices(eve.id) == shop.plans.pause_choices(nobody.id) == ()
    assert code_of(lambda: shop.plans.pause(user_id=eve.id, until=until)) == "pause.yearly"
    assert code_of(lambda: shop.plans.pause(user_id=nobody.id, until=until)) == "plan.none"
    odd = until + timedelta(days=1)
    assert code_of(lambda: shop.plans.pause(user_id=ada.id, until=odd)) == "pause.until"
    cancels(shop, ada)
    assert code_of(lambda: shop.plans.pause(user_id=ada.id, until=until)) == "pause.ending"
    shop.plans.resume(user_id=ada.id)
    shop.plans.pause(user_id=ada.id, until=until)
    later = choice(shop, ada, 2).until
    assert code_of(lambda: shop.plans.pause(user_id=ada.id, until=later)) == "pause.already"
    shop.plans.unpause(user_id=ada.id)
    goes_past_due(shop, ada)
    later = choice(shop, ada, 2).until
    assert code_of(lambda: shop.plans.pause(user_id=ada.id, until=later)) == "pause.not_active"


def test_a_pause_that_was_set_in_the_dashboard_is_shown_and_can_be_ended(shop: Shop) -> None:
    ada = a_subscriber(shop)
    pause = {"pause_collection": {"behavior": "void"}}
    client(shop).subscriptions.update(at_stripe(shop, ada).id, pause)
    shop.deliver(shop.new_events())
    plan = plan_of(shop, ada)
    assert (plan.pauses_at, plan.resumes_at, plan.renews_at) == (None, None, None)
    until = choice(shop, ada, 1).until
    assert code_of(lambda: shop.plans.pause(user_id=ada.id, until=until)) == "pause.already"
    shop.plans.unpause(user_id=ada.id)
    assert plan_of(shop, ada).renews_at == plan.current_period_end


@pytest.mark.parametrize(
    ("begins", "ends", "back"),
    [
        ("2027-01-31", "2027-02-28", ["2027-03-31", "2027-04-30", "2027-05-31"]),
        ("2027-02-28", "2027-03-31", ["2027-04-30", "2027-05-31", "2027-06-30"]),
        ("2027-01-15", "2027-02-15", ["2027-03-15", "2027-04-15", "2027-05-15"]),
    ],
)
def test_a_plan_comes_back_on_the_day_of_the_month_on_which_it_renews(
    shop: Shop, begins: str, ends: str, back: list[str]
) -> None:
    ada = a_subscriber(shop)
    with shop.runtime.read_only() as session:
        plan = subscriptions.of_customer(session, user_id=ada.id)
    assert plan is not None
    moved = type(plan)(
        **{**vars(plan), "period_start": midnight(begins), "period_end": midnight(ends)}
    )
    assert [choice.until for choice in choices(moved)] == [midnight(day) for day in back]


MINUTES = timedelta(minutes=5)


def midnight(day: str) -> datetime:
    """The beginning of that day."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")


def choice(shop: Shop, person: Person, months: int) -> PauseChoice:
    """The person's choice of so many months."""
    return shop.plans.pause_choices(person.id)[months - 1]


def lives_until(shop: Shop, moment: datetime) -> None:
    """It is that moment, at the sandbox and here, and every webhook on the way has arrived."""
    now = shop.sandbox.read(shop.key, "/_sandbox/clock")["now"]
    shop.sandbox.advance(to=max(int(moment.timestamp()), now + 1))
    reached = shop.sandbox.read(shop.key, "/_sandbox/clock")["now"]
    shop.clock.move_to(datetime.fromtimestamp(reached, shop.clock.now.tzinfo))
    shop.deliver(shop.new_events())
    shop.payments.run_due_work()


def statuses(shop: Shop, person: Person) -> list[str]:
    """How the person's invoices stand at Stripe, the first one first."""
    asked = {"customer": at_stripe(shop, person).customer}
    return [invoice.status for invoice in reversed(client(shop).invoices.list(asked).data)]


def uses_card(shop: Shop, person: Person, card: str) -> None:
    """The person's plan is paid with that card from now on."""
    subscription = at_stripe(shop, person)
    method = client(shop).payment_methods.attach(card, {"customer": subscription.customer})
    client(shop).subscriptions.update(subscription.id, {"default_payment_method": method.id})


def dying(shop: Shop) -> SubscriptionService:
    """The verbs in a process that dies when Stripe has answered."""
    runtime = Runtime(shop.runtime.settings, clock=shop.clock)
    runtime.wall_clock = dies
    return SubscriptionService(runtime)
