"""A payment is disputed: its videos wait for the bank, whatever the order of the events."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkingphoto.foundation import errors
from tests.support.money_back import (
    FREE,
    a_colleague,
    balance,
    gives_back,
    newest,
    payment_of,
    spends,
)
from tests.support.sandbox import Event
from tests.support.shop import Person, Shop

DISPUTED = "4000000000000259"
INQUIRED = "4000000000001976"


def buys_and_disputes(
    shop: Shop, *, card: str = DISPUTED, used: int = 0
) -> tuple[Person, list[Event]]:
    """Somebody who bought ten videos and used some, and the words of their dispute, undelivered."""
    ada = shop.a_person()
    assert shop.pays(ada, "pack:10", card=card).status == 303
    told = shop.new_events()
    later = [event for event in told if event["type"].startswith("charge.dispute")]
    shop.deliver(event for event in told if event not in later)
    if used:
        spends(shop, ada, used)
    return ada, later


def decided(shop: Shop, words: str) -> list[Event]:
    """The bank has decided by this evidence; what it told since."""
    client, dispute = shop.sandbox.client(shop.key), newest(shop, "disputes")
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": words}})
    shop.sandbox.advance(advance_seconds=6)
    return [event for event in shop.new_events() if event["type"].startswith("charge.dispute")]


@pytest.mark.parametrize("card", [DISPUTED, INQUIRED], ids=["dispute", "inquiry"])
def test_m11_while_a_payment_is_disputed_its_videos_wait(shop: Shop, card: str) -> None:
    ada, told = buys_and_disputes(shop, card=card, used=FREE + 2)

    shop.deliver([*told, *told])

    found = balance(shop, ada)
    assert (found.available, found.frozen, found.owed) == (0, 8, 0)
    (view,) = shop.refunds.history(ada.id)
    assert (view.state, view.amount.minor) == ("open", 9_90)
    payment_id = payment_of(shop, ada)
    with pytest.raises(errors.Conflict) as refused:
        gives_back(shop, payment_id, 1_00)
    assert refused.value.code == "refund.disputed"
    with pytest.raises(errors.Conflict, match="disputed"):
        shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4()))
    assert balance(shop, ada).frozen == 8


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), early=st.integers(0, 2), copies=st.integers(1, 2))
@pytest.mark.parametrize(
    ("evidence", "left"), [("winning_evidence", (8, 0, 0)), ("losing_evidence", (0, 0, 2))]
)
def test_m11_any_order_of_the_events_of_a_dispute_ends_the_same(
    shop: Shop, evidence: str, left: tuple[int, int, int], seed: int, early: int, copies: int
) -> None:
    ada, told = buys_and_disputes(shop, used=FREE + 2)
    # Some arrive before the bank has decided, the others after it.
    shop.deliver(told[:early])
    told += decided(shop, evidence)
    storm = [event for event in told for _ in range(copies)] + [as_told_in_2019(told[0])]
    random.Random(seed).shuffle(storm)  # noqa: S311 - a test's order, not a secret

    shop.deliver(storm)

    found = balance(shop, ada)
    assert (found.available, found.frozen, found.owed) == left
    (view,) = shop.refunds.history(ada.id)
    assert evidence.startswith({"won": "winning", "lost": "losing"}[view.state])


def as_told_in_2019(event: Event) -> Event:
    """The event as an endpoint of that version tells it: a dispute names its charge alone."""
    subject = event["data"]["object"]
    kept = ("id", "object", "amount", "charge", "created", "currency", "reason", "status")
    return {
        **event,
        "id": f"{event['id']}_2019",
        "api_version": "2019-12-03",
        "data": {"object": {name: subject[name] for name in kept}},
    }


def test_m11_after_a_won_dispute_the_payment_can_be_refunded_after_a_lost_one_never(
    shop: Shop,
) -> None:
    ada, told = buys_and_disputes(shop)
    shop.deliver([*told, *decided(shop, "winning_evidence")])
    gives_back(shop, payment_of(shop, ada), None)
    assert balance(shop, ada).available == FREE

    bob, told = buys_and_disputes(shop)
    shop.deliver([*told, *decided(shop, "losing_evidence")])
    with pytest.raises(errors.Conflict) as refused:
        gives_back(shop, payment_of(shop, bob), None)
    assert refused.value.code == "refund.disputed"


def test_m11_what_a_lost_dispute_left_owed_is_paid_by_the_next_videos(shop: Shop) -> None:
    ada, told = buys_and_disputes(shop, used=FREE + 4)
    shop.deliver([*told, *decided(shop, "losing_evidence")])
    assert balance(shop, ada).owed == 4

    shop.buys(ada, "pack:10")

    assert (balance(shop, ada).available, balance(shop, ada).owed) == (6, 0)


def test_m11_months_of_a_disputed_year_wait_too_and_end_when_it_is_lost(shop: Shop) -> None:
    ada = shop.a_person()
    assert shop.pays(ada, "starter:year", card=DISPUTED).status == 303
    shop.deliver(shop.new_events())
    assert balance(shop, ada).frozen == 30
    shop.clock.advance(days=32)
    shop.payments.run_due_work()
    assert (balance(shop, ada).available, balance(shop, ada).frozen) == (FREE, 60)

    shop.deliver(decided(shop, "losing_evidence"))

    shop.clock.advance(days=32)
    shop.payments.run_due_work()
    found = balance(shop, ada)
    assert (found.available, found.frozen, found.owed) == (FREE, 0, 0)


def test_staff_sees_the_disputes_that_are_due_first_and_others_see_none(shop: Shop) -> None:
    _, told = buys_and_disputes(shop)
    shop.deliver(told)
    _, told = buys_and_disputes(shop)
    shop.deliver([*told, *decided(shop, "winning_evidence")])

    seen = shop.refunds.disputes(a_colleague(shop).id)

    assert [view.state for view in seen] == ["open", "won"]
    with pytest.raises(errors.NotPermitted):
        shop.refunds.disputes(shop.a_person().id)
