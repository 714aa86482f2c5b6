"""A customer changes plans: what was shown is what is charged, and credits follow what was paid."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text

from services.change_service import ChangeOutcome, ChangePreview
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from tests.support.shop import Person, Shop

FREE = 3


def subscriber(shop: Shop, item: str) -> Person:
    """Somebody who pays for that plan, and whose webhooks have all come."""
    person = shop.a_person()
    shop.buys(person, item)
    return person


def shown(shop: Shop, person: Person, item: str) -> ChangePreview:
    return shop.changes.preview(user_id=person.id, item=item)


def confirms(shop: Shop, person: Person, seen: ChangePreview, request: str = "") -> ChangeOutcome:
    return shop.changes.confirm(
        user_id=person.id, token=seen.token, request_id=request or str(uuid.uuid4())
    )


def charges(shop: Shop, person: Person) -> list[int]:
    """What the sandbox has charged that person's card with, the newest first."""
    client = shop.sandbox.client(shop.key)
    customer = client.v1.customers.list({"email": person.email}).data[0].id
    return [one.amount for one in client.v1.charges.list({"customer": customer}).data if one.paid]


def refuses(shop: Shop, person: Person, item: str) -> str:
    with pytest.raises(errors.Conflict) as refusal:
        shown(shop, person, item)
    return refusal.value.code


def test_an_upgrade_charges_what_was_shown_and_brings_its_credits_once(shop: Shop) -> None:
    ada = subscriber(shop, "starter:month")
    seen = shown(shop, ada, "pro:month")
    assert seen.when == "now"
    assert sum(line.amount.minor for line in seen.lines) == seen.charge_today.minor == 3000
    assert (seen.next_invoice.minor, seen.monthly_credits) == (4999, 100)
    made = confirms(shop, ada, seen)
    assert (made.state, made.charged, made.credits_added) == ("done", seen.charge_today, 70)
    assert seen.credits_now == 70
    assert charges(shop, ada) == [3000, 1999]
    shop.deliver(shop.new_events() * 2)
    assert shop.balance(ada) == FREE + 100
    plan = shop.payments.account(ada.id).plan
    assert plan is not None and plan.item == "pro:month"
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_a_second_yes_to_the_same_upgrade_charges_nothing(shop: Shop) -> None:
    ada = subscriber(shop, "starter:month")
    seen, other = shown(shop, ada, "pro:month"), shown(shop, ada, "pro:month")
    request = str(uuid.uuid4())
    assert confirms(shop, ada, seen, request) == confirms(shop, ada, seen, request)
    with pytest.raises(errors.Conflict) as refusal:
        confirms(shop, ada, other)
    assert refusal.value.code in {"change.stale", "change.same"}
    assert len(charges(shop, ada)) == 2


def test_a_month_becomes_a_year_and_is_not_paid_for_twice(shop: Shop) -> None:
    ada = subscriber(shop, "starter:month")
    seen = shown(shop, ada, "starter:year")
    assert seen.when == "now"
    assert seen.charge_today.minor == 19999 - 1999
    made = confirms(shop, ada, seen)
    assert (made.state, made.credits_added) == ("done", seen.credits_now)
    shop.deliver(shop.new_events())
    assert shop.balance(ada) in {FREE + 30, FREE + 31}
    with shop.runtime.read_only() as session:
        months = "SELECT count(*), sum(price_minor), min(credits), max(credits) FROM drips"
        assert session.execute(text(months)).one() == (11, 18000, 30, 30)


def test_a_cheaper_plan_waits_for_the_end_of_the_period_and_can_be_undone(shop: Shop) -> None:
    ada = subscriber(shop, "pro:month")
    seen = shown(shop, ada, "starter:month")
    assert (seen.when, seen.charge_today.minor, seen.next_invoice.minor) == ("period_end", 0, 1999)
    assert confirms(shop, ada, seen).state == "scheduled"
    pending = shop.changes.options(ada.id).pending
    assert pending is not None and (pending.item, pending.at) == ("starter:month", seen.at)
    coming = shop.payments.account(ada.id).credits
    assert (coming.next_credits_at, coming.next_credits) == (seen.at, 30)
    shop.deliver(shop.new_events())
    shop.changes.undo(user_id=ada.id)
    assert shop.changes.options(ada.id).pending is None
    assert shop.payments.account(ada.id).credits.next_credits == 100
    shop.deliver(shop.new_events())
    assert charges(shop, ada) == [4999]
