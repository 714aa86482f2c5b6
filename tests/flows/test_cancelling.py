"""A plan is cancelled, kept after all, or saved by an offer; nothing is charged by mistake."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.subscription_service import SubscriptionService
from talkingphoto.billing import endings, ledger, subscriptions
from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import errors, wording
from talkingphoto.runtime import Runtime
from talkingphoto.workflows.account_view import PlanView
from tests.support import old_events
from tests.support.sandbox import Event
from tests.support.shop import Person, Shop

FREE = 3


def test_a_cancelled_plan_runs_to_the_end_that_was_said_and_is_resumed_until_then(
    shop: Shop,
) -> None:
    ada = a_subscriber(shop)
    before = plan_of(shop, ada)
    assert before.renews_at == before.current_period_end
    assert cancels(shop, ada) == before.current_period_end
    ending = plan_of(shop, ada)
    assert (ending.cancel_at_period_end, ending.renews_at) == (True, None)
    shop.plans.resume(user_id=ada.id)
    shop.plans.resume(user_id=ada.id)
    assert plan_of(shop, ada) == before
    shop.deliver(shop.new_events())
    assert plan_of(shop, ada) == before
    assert states(shop, ada) == ["resumed"]


def test_the_reason_and_the_comment_are_kept_and_told_to_stripe(shop: Shop) -> None:
    ada = a_subscriber(shop)
    cancels(shop, ada, reason="too_expensive", comment="  Too much for me.\0 ")
    details = at_stripe(shop, ada).cancellation_details
    assert (details.feedback, details.comment) == ("too_expensive", "Too much for me.")
    kept = row(shop, ada)
    assert (kept.reason, kept.comment, kept.offer_shown) == (
        "too_expensive",
        "Too much for me.",
        "discount",
    )


@pytest.mark.parametrize(
    ("reason", "comment", "code"),
    [("bored", "", "cancel.reason"), ("", "x" * 501, "cancel.comment")],
)
def test_an_unknown_reason_or_a_long_comment_cancels_nothing(
    shop: Shop, reason: str, comment: str, code: str
) -> None:
    ada = a_subscriber(shop)
    with pytest.raises(errors.InvalidRequest) as refusal:
        cancels(shop, ada, reason=reason, comment=comment)
    assert refusal.value.code == code
    assert plan_of(shop, ada).cancel_at_period_end is False
    cancels(shop, ada, reason="other", comment="x" * 500)


def test_two_tabs_cancel_once_and_an_old_form_cancels_nothing_again(shop: Shop) -> None:
    ada = a_subscriber(shop)
    request_id = str(uuid.uuid4())
    ends_at = cancels(shop, ada, request_id=request_id)
    assert cancels(shop, ada, request_id=request_id) == ends_at
    assert cancels(shop, ada) == ends_at
    assert states(shop, ada) == ["scheduled"]
    shop.plans.resume(user_id=ada.id)
    with pytest.raises(errors.Conflict) as refusal:
        cancels(shop, ada, request_id=request_id)
    assert refusal.value.code == "cancel.request_id"
    assert plan_of(shop, ada).cancel_at_period_end is False
    assert cancels(shop, ada) == ends_at
    assert states(shop, ada) == ["resumed", "scheduled"]


def test_a_plan_that_was_cancelled_in_the_dashboard_can_be_kept_here(shop: Shop) -> None:
    ada = a_subscriber(shop)
    for _ in range(2):
        client(shop).subscriptions.update(at_stripe(shop, ada).id, {"cancel_at_period_end": True})
        shop.deliver(shop.new_events())
        assert plan_of(shop, ada).cancel_at_period_end
        shop.plans.resume(user_id=ada.id)
        assert plan_of(shop, ada).cancel_at_period_end is False
        assert at_stripe(shop, ada).cancel_at_period_end is False


def test_what_is_past_due_ends_at_once_and_its_invoice_is_not_collected(shop: Shop) -> None:
    ada = a_subscriber(shop)
    goes_past_due(shop, ada)
    said = shop.plans.ending(ada.id)
    assert (said.ends_at, said.offer) == (shop.clock.now, None)
    assert cancels(shop, ada) == shop.clock.now
    assert shop.payments.account(ada.id).plan is None
    subscription = at_stripe(shop, ada)
    assert subscription.status == "canceled"
    invoices = client(shop).invoices.list({"customer": subscription.customer}).data
    assert sorted(invoice.status for invoice in invoices) == ["paid", "void"]
    assert states(shop, ada) == ["ended"]


def test_nobody_without_a_plan_can_cancel_or_resume(shop: Shop) -> None:
    ada = shop.a_person()
    for verb in (
        lambda: cancels(shop, ada),
        lambda: shop.plans.resume(user_id=ada.id),
        lambda: shop.plans.ending(ada.id),
    ):
        assert code_of(verb) == "plan.none"
    assert code_of(lambda: cancels(shop, ada, request_id="1")) == "billing.request_id"


def test_a_plan_that_ended_before_it_could_be_kept_is_over(shop: Shop) -> None:
    ada = a_subscriber(shop)
    cancels(shop, ada)
    client(shop).subscriptions.cancel(at_stripe(shop, ada).id)
    assert code_of(lambda: shop.plans.resume(user_id=ada.id)) == "plan.over"
    assert shop.payments.account(ada.id).plan is None
    assert states(shop, ada) == ["ended"]


def test_what_is_kept_and_what_runs_out_is_said_in_numbers(shop: Shop) -> None:
    ada = a_subscriber(shop)
    shop.buys(ada, "pack:10")
    said = shop.plans.ending(ada.id)
    # This month's videos live a month longer than the plan.
    assert (said.name, said.kept, said.lost) == ("Starter", FREE + 10 + 30, 0)
    # What the plan brought rolls over a month; what was bought stays.
    assert said.kept_expiring == 30 and not said.at_once
    assert said.kept_expires_at is not None and said.kept_expires_at > said.ends_at
    lot = ledger.NewLot(
        key=f"test:{ada.id}",
        user_id=ada.id,
        source="promo",
        credits=4,
        expires_at=shop.clock.now + timedelta(days=3),
    )
    with shop.runtime.transaction() as session:
        ledger.grant(session, lot, now=shop.clock.now)
    said = shop.plans.ending(ada.id)
    assert (said.kept, said.lost) == (FREE + 10 + 30, 4)
    assert [key for key, _ in said.reasons] == list(endings.REASONS)


@pytest.mark.parametrize("verb", ["cancel", "resume", "discount"])
def test_what_broke_off_between_stripe_and_here_is_carried_out_by_the_sweep(
    shop: Shop, verb: str
) -> None:
    ada = a_subscriber(shop)
    if verb == "resume":
        cancels(shop, ada)
    breaks_off(shop, ada, verb)
    assert shop.plans.run_due_work() == 0
    shop.clock.advance(seconds=121)
    assert shop.plans.run_due_work() == 1
    assert shop.plans.run_due_work() == 0
    plan = plan_of(shop, ada)
    assert plan.cancel_at_period_end is (verb == "cancel")
    assert bool(plan.discount) is (verb == "discount")
    assert states(shop, ada) == [{"cancel": "scheduled", "resume": "resumed"}.get(verb, "kept")]


def test_the_offer_fits_the_reason_and_the_plan(shop: Shop) -> None:
    monthly, yearly = a_subscriber(shop), a_subscriber(shop, "pro:year")
    assert kind_of(shop, monthly) == "pause"
    assert kind_of(shop, monthly, reason="unused") == "pause"
    assert kind_of(shop, monthly, reason="too_expensive") == "discount"
    assert kind_of(shop, yearly, reason="too_expensive") == "downgrade"
    assert kind_of(shop, a_subscriber(shop, "starter:year")) is None
    cancels(shop, monthly)
    assert kind_of(shop, monthly) is None


def test_a_discount_is_taken_once_in_twelve_months_and_the_plan_goes_on(shop: Shop) -> None:
    ada = a_subscriber(shop)
    request_id = str(uuid.uuid4())
    said = takes(shop, ada, "discount", request_id=request_id)
    assert said == "You pay $15.99 a month for 3 months, then $19.99 again."
    assert takes(shop, ada, "discount", request_id=request_id) == said
    until = clocks.add_months(shop.clock.now, months=3)
    assert plan_of(shop, ada).discount == f"20 % off until {wording.day(until)}"
    assert len(at_stripe(shop, ada).discounts) == 1
    assert code_of(lambda: takes(shop, ada, "discount")) == "offer.gone"
    began = shop.clock.now
    shop.clock.move_to(until + timedelta(hours=1))
    assert plan_of(shop, ada).discount == ""
    shop.clock.move_to(clocks.add_months(began, months=12) - timedelta(hours=1))
    assert kind_of(shop, ada, reason="too_expensive") == "pause"
    shop.clock.advance(hours=2)
    assert kind_of(shop, ada, reason="too_expensive") == "discount"


def test_a_pause_taken_instead_of_the_end_is_a_pause_of_a_month(shop: Shop) -> None:
    ada = a_subscriber(shop)
    said = takes(shop, ada, "pause")
    plan = plan_of(shop, ada)
    assert plan.pauses_at == plan.current_period_end
    assert plan.resumes_at is not None
    assert plan.resumes_at == shop.plans.pause_choices(ada.id)[0].until
    assert wording.day(plan.resumes_at) in said
    assert code_of(lambda: takes(shop, ada, "pause")) == "offer.gone"
    assert code_of(lambda: takes(shop, ada, "a pony")) == "offer.gone"


def test_a_smaller_plan_taken_instead_of_the_end_begins_with_the_next_period(shop: Shop) -> None:
    ada = a_subscriber(shop, "pro:month")
    request_id = str(uuid.uuid4())
    said = takes(shop, ada, "downgrade", request_id=request_id)
    assert said == f"You change to Starter on {wording.day(plan_of(shop, ada).current_period_end)}."
    assert takes(shop, ada, "downgrade", request_id=request_id) == said
    pending = shop.changes.options(ada.id).pending
    assert pending is not None
    assert (pending.item, pending.at) == (
        "starter:month",
        plan_of(shop, ada).current_period_end,
    )
    # The end is stronger than a change that waits for the same day.
    cancels(shop, ada)
    assert at_stripe(shop, ada).cancel_at_period_end
    assert shop.changes.options(ada.id).pending is None


def test_tabs_that_meet_end_a_plan_once_and_give_one_discount(shop: Shop) -> None:
    ada, bob = a_subscriber(shop), a_subscriber(shop)
    ends_at = plan_of(shop, ada).current_period_end
    assert at_once(lambda: cancels(shop, ada)) == [ends_at, ends_at]
    assert states(shop, ada) == ["scheduled"]
    said = at_once(lambda: takes(shop, bob, "discount"))
    assert sorted(isinstance(one, errors.Conflict) for one in said) == [False, True]
    assert len(at_stripe(shop, bob).discounts) == 1


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), copies=st.integers(1, 2))
def test_any_order_of_the_events_of_a_life_ends_the_same(
    shop: Shop, seed: int, copies: int
) -> None:
    ada = shop.a_person()
    assert shop.pays(ada, "starter:month").status == 303
    shop.deliver(told := shop.new_events())
    cancels(shop, ada)
    shop.plans.resume(user_id=ada.id)
    takes(shop, ada, "pause")
    shop.plans.unpause(user_id=ada.id)
    cancels(shop, ada)
    plan = client(shop).subscriptions.cancel(at_stripe(shop, ada).id)
    storm: list[Event] = copies * [*told, *shop.new_events()]
    storm.append(old_events.subscription_updated(customer=plan.customer, subscription=plan.id))
    Random(seed).shuffle(storm)  # noqa: S311 - a test's order, not a secret
    shop.deliver(storm)
    assert shop.payments.account(ada.id).plan is None
    assert states(shop, ada) == ["ended", "kept", "resumed"]
    assert shop.balance(ada) == FREE + 30


def a_subscriber(shop: Shop, item: str = "starter:month") -> Person:
    """Somebody with a plan."""
    person = shop.a_person()
    shop.buys(person, item)
    return person


def plan_of(shop: Shop, person: Person) -> PlanView:
    """The person's plan as their page shows it."""
    plan = shop.payments.account(person.id).plan
    assert plan is not None
    return plan


def cancels(shop: Shop, person: Person, **chosen: str) -> datetime:
    """The person cancels; the end that they were told."""
    asked = {"request_id": str(uuid.uuid4()), **chosen}
    return shop.plans.cancel(user_id=person.id, **asked)


def takes(shop: Shop, person: Person, kind: str, *, request_id: str = "") -> str:
    """The person takes the offer; what they were told."""
    asked = request_id or str(uuid.uuid4())
    return shop.plans.accept_offer(user_id=person.id, request_id=asked, kind=kind)


def kind_of(shop: Shop, person: Person, *, reason: str = "") -> str | None:
    """What the person is offered."""
    offer = shop.plans.ending(person.id, reason=reason).offer
    return offer.kind if offer else None


def client(shop: Shop) -> Any:
    """Stripe's own way in, which is no way of ours."""
    return shop.sandbox.client(shop.key).v1


def at_stripe(shop: Shop, person: Person) -> Any:
    """The person's newest subscription at Stripe."""
    customer = client(shop).customers.list({"email": person.email}).data[0].id
    return client(shop).subscriptions.list({"customer": customer, "status": "all"}).data[0]


def row(shop: Shop, person: Person) -> Any:
    """The person's only wish to end a plan, as it is kept."""
    with shop.runtime.read_only() as session:
        query = text("SELECT * FROM cancellations WHERE user_id = :id")
        return session.execute(query, {"id": person.id}).one()


def states(shop: Shop, person: Person) -> list[str]:
    """What became of the person's wishes, the first one first."""
    with shop.runtime.read_only() as session:
        query = text("SELECT state FROM cancellations WHERE user_id = :id ORDER BY asked_at, state")
        return list(session.execute(query, {"id": person.id}).scalars())


def at_once(verb: Callable[[], object]) -> list[object]:
    """What two threads got from the verb, refusals among it."""

    def tried(_: int) -> object:
        try:
            return verb()
        except errors.AppError as refusal:
            return refusal

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(tried, range(2)))


def code_of(verb: Callable[[], object]) -> str:
    """The code of the refusal."""
    with pytest.raises(errors.AppError) as refusal:
        verb()
    return refusal.value.code


def goes_past_due(shop: Shop, person: Person) -> None:
    """The person's renewal failed, and we know."""
    subscription = at_stripe(shop, person)
    method = client(shop).payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": subscription.customer}
    )
    client(shop).subscriptions.update(
        subscription.id,
        {
            "default_payment_method": method.id,
            "billing_cycle_anchor": {"type": "now"},
            "proration_behavior": "none",
        },
    )
    shop.deliver(shop.new_events())
    assert plan_of(shop, person).status == "past_due"


def breaks_off(shop: Shop, person: Person, verb: str) -> None:
    """The process dies when Stripe has answered, before that is written."""

    runtime = Runtime(shop.runtime.settings, clock=shop.clock)
    # It is looked at when Stripe was told, and before anything is written.
    runtime.wall_clock = dies
    plans = SubscriptionService(runtime)
    request_id = str(uuid.uuid4())
    verbs: dict[str, Callable[[], object]] = {
        "cancel": lambda: plans.cancel(user_id=person.id, request_id=request_id),
        "resume": lambda: plans.resume(user_id=person.id),
        "discount": lambda: plans.accept_offer(
            user_id=person.id, request_id=request_id, kind="discount"
        ),
    }
    with pytest.raises(Died):
        verbs[verb]()
    subscription = at_stripe(shop, person)
    with shop.runtime.read_only() as session:
        known = subscriptions.of_customer(session, user_id=person.id)
    assert known is not None
    assert (subscription.cancel_at_period_end, bool(subscription.discounts)) != (
        known.cancel_at_period_end,
        bool(known.standing.discount),
    )


class Died(Exception):
    """The process is gone."""


def dies() -> datetime:
    """A clock at which the process ends."""
    raise Died
