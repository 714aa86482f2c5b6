"""Money back: exact, once, with its videos, whatever breaks in between."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.refund_service import RefundOrder
from talkingphoto.billing import refunds
from talkingphoto.foundation import errors
from tests.support.money_back import (
    FREE,
    balance,
    gives_back,
    newest,
    payment_of,
    refunded_at_stripe,
    spends,
    status_of,
    usd,
)
from tests.support.sandbox import of_type
from tests.support.shop import Shop

PENDING_THEN_FAILS = "4000000000005126"


def test_m11_who_withdraws_gets_the_exact_value_of_what_is_unused_and_the_plan_ends(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pro:month")
    spends(shop, ada, 12)
    payment_id, request_id = payment_of(shop, ada), str(uuid.uuid4())

    offer = shop.refunds.offer(user_id=ada.id, payment_id=payment_id)
    view = shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=request_id)
    again = shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=request_id)

    assert (offer.words, offer.allowed) == ("Pro, 12 of 100 used: refundable 43.99", True)
    assert offer.ends_plan
    assert (view.amount, view.state) == (usd(43_99), "succeeded")
    assert again == view
    assert refunded_at_stripe(shop, payment_id) == [43_99]
    assert (balance(shop, ada).available, balance(shop, ada).owed) == (FREE, 0)
    account = shop.payments.account(ada.id)
    assert (account.plan, account.invoices[0].status) == (None, "partly_refunded")
    shop.deliver(shop.new_events())
    assert refunded_at_stripe(shop, payment_id) == [43_99]
    assert balance(shop, ada).available == FREE
    assert shop.refunds.history(ada.id) == (view,)


@pytest.mark.parametrize(("days", "allowed"), [(13.9, True), (14, False)])
def test_m11_fourteen_days_and_no_longer(shop: Shop, days: float, *, allowed: bool) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    shop.clock.advance(days=days)

    offer = shop.refunds.offer(user_id=ada.id, payment_id=payment_id)

    assert (offer.allowed, offer.ends_plan) == (allowed, False)
    if not allowed:
        with pytest.raises(errors.Conflict, match="14 days are over"):
            shop.refunds.withdraw(
                user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4())
            )


def test_m11_what_went_back_already_is_said_to_have_gone_back(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4()))

    offer = shop.refunds.offer(user_id=ada.id, payment_id=payment_id)

    assert (offer.allowed, offer.unused) == (False, 0)
    assert offer.why == "All of this payment was given back already."


def test_m11_nothing_unused_is_nothing_to_give_back_and_others_see_no_payment(shop: Shop) -> None:
    ada, eve = shop.a_person(), shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    spends(shop, ada, FREE + 10)

    assert not shop.refunds.offer(user_id=ada.id, payment_id=payment_id).allowed
    with pytest.raises(errors.NotFound):
        shop.refunds.offer(user_id=eve.id, payment_id=payment_id)
    with pytest.raises(errors.NotPermitted):
        order = RefundOrder(payment_id, None, "Please", str(uuid.uuid4()))
        shop.refunds.refund(staff_id=ada.id, order=order)


def test_m11_of_a_year_the_months_that_have_not_begun_end_with_the_refund(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:year")
    spends(shop, ada, 15)
    payment_id = payment_of(shop, ada)

    view = shop.refunds.withdraw(
        user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4())
    )

    # 199.99 less half of the first of its twelve parts (16.67).
    assert view.amount == usd(191_66)
    shop.clock.advance(days=70)
    shop.payments.run_due_work()
    assert balance(shop, ada).available == FREE


def test_m11_staff_gives_back_a_part_with_its_share_of_the_videos_unused_first(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    spends(shop, ada, FREE + 4)
    payment_id = payment_of(shop, ada)

    gives_back(shop, payment_id, 4_95)

    assert (balance(shop, ada).available, balance(shop, ada).owed) == (1, 0)
    assert status_of(shop, ada) == "partly_refunded"
    assert refunded_at_stripe(shop, payment_id) == [4_95]


@pytest.mark.parametrize(("forgive", "owed"), [(False, 4), (True, 0)])
def test_m11_of_a_whole_refund_what_was_used_is_owed_unless_forgiven(
    shop: Shop, owed: int, *, forgive: bool
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    spends(shop, ada, FREE + 4)

    gives_back(shop, payment_of(shop, ada), None, forgive=forgive)

    assert (balance(shop, ada).available, balance(shop, ada).owed) == (0, owed)
    assert status_of(shop, ada) == "refunded"


def test_m11_three_parts_that_are_more_than_the_whole_are_refused(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    gives_back(shop, payment_id, 4_00)
    gives_back(shop, payment_id, 4_00)

    with pytest.raises(errors.Conflict) as refused:
        gives_back(shop, payment_id, 4_00)
    assert refused.value.code == "refund.too_much"
    assert sum(refunded_at_stripe(shop, payment_id)) == 8_00
    third = text(
        "INSERT INTO refunds SELECT 'third', payment_id, user_id, NULL, origin, 191, currency, 0,"
        " stopped, reason, 'asked', created_at, NULL, NULL FROM refunds LIMIT 1"
    )
    with (
        pytest.raises(IntegrityError, match="ck_payments_refunded"),
        shop.runtime.transaction() as session,
    ):
        session.execute(third)
    gives_back(shop, payment_id, 1_90)
    assert (status_of(shop, ada), balance(shop, ada).available) == ("refunded", FREE)


def test_m11_a_refund_made_in_the_dashboard_takes_its_videos_once(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    client, intent = shop.sandbox.client(shop.key), newest(shop, "payment_intents").id
    client.v1.refunds.create({"payment_intent": intent, "amount": 4_95})
    events = shop.new_events()

    shop.deliver(reversed([*events, *events]))

    assert of_type(events, "refund.created") and of_type(events, "charge.refunded")
    assert balance(shop, ada).available == FREE + 5
    assert status_of(shop, ada) == "partly_refunded"
    (view,) = shop.refunds.history(ada.id)
    assert (view.amount, view.payment_id) == (usd(4_95), payment_id)


def test_m11_a_refund_told_of_before_its_payment_finds_it(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    client, intent = shop.sandbox.client(shop.key), newest(shop, "payment_intents").id
    client.v1.refunds.create({"payment_intent": intent})

    shop.deliver(reversed(shop.new_events()))

    assert (balance(shop, ada).available, status_of(shop, ada)) == (FREE, "refunded")


def test_m11_a_refund_that_fails_days_later_gives_the_videos_back(shop: Shop) -> None:
    ada = shop.a_person()
    assert shop.pays(ada, "pack:10", card=PENDING_THEN_FAILS).status == 303
    shop.deliver(shop.new_events())
    payment_id = payment_of(shop, ada)
    view = shop.refunds.withdraw(
        user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4())
    )
    assert balance(shop, ada).available == FREE

    shop.sandbox.advance(advance_seconds=10)
    events = shop.new_events()
    shop.deliver([*events, *events])

    assert of_type(events, "refund.failed")
    (after,) = shop.refunds.history(ada.id)
    assert (after.id, after.state) == (view.id, "failed")
    assert (balance(shop, ada).available, status_of(shop, ada)) == (FREE + 10, "paid")


def test_m11_a_refund_cut_short_anywhere_is_finished_by_the_sweep_and_made_once(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    asked = refunds.NewRefund(str(uuid.uuid4()), payment_id, "customer", "Withdrawn")
    with shop.runtime.transaction() as session:
        refunds.ask(session, asked, now=shop.clock())
    assert shop.refunds.sweep() == 0  # who asked may be about to do it

    shop.clock.advance(seconds=61)
    assert shop.refunds.sweep() == 1
    with shop.runtime.transaction() as session:  # as if its outcome had not been written
        session.execute(
            text("UPDATE refunds SET state = 'asked', ended_at = NULL, synced_at = NULL")
        )
    assert (shop.refunds.sweep(), shop.refunds.sweep()) == (1, 0)

    assert refunded_at_stripe(shop, payment_id) == [9_90]
    assert [one.state for one in shop.refunds.history(ada.id)] == ["succeeded"]


def test_m11_what_stripe_refuses_for_good_leaves_everything_as_it_was(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    client, intent = shop.sandbox.client(shop.key), newest(shop, "payment_intents").id
    client.v1.refunds.create({"payment_intent": intent})  # and no event has arrived

    with pytest.raises(errors.Conflict) as refused:
        gives_back(shop, payment_id, None)

    assert refused.value.code == "refund.refused"
    assert balance(shop, ada).available == FREE + 10
    shop.deliver(shop.new_events())
    assert (balance(shop, ada).available, status_of(shop, ada)) == (FREE, "refunded")


def test_who_withdrew_is_told_that_the_plan_ended_though_the_refund_was_refused(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pro:month")
    payment_id = payment_of(shop, ada)
    client, intent = shop.sandbox.client(shop.key), newest(shop, "payment_intents").id
    client.v1.refunds.create({"payment_intent": intent})  # and no event has arrived

    with pytest.raises(errors.Conflict) as refused:
        shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4()))

    assert refused.value.code == "refund.refused_plan_ended"
    assert shop.payments.account(ada.id).plan is None
    assert balance(shop, ada).available == FREE + 100
    told = "SELECT count(*) FROM mails WHERE template = 'needs_a_hand' AND strpos(key, :about) > 0"
    with shop.runtime.read_only() as session:
        assert session.scalar(text(told), {"about": payment_id}) == 1
