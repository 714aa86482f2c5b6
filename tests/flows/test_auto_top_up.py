"""Packs that are bought by themselves: as agreed, once, within a cap, and off at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from talkingphoto.billing import ledger, ledger_claims, top_up_terms
from talkingphoto.foundation import errors
from talkingphoto.generations import records
from talkingphoto.rendering import entering
from tests.support.purse import use
from tests.support.saved import customer_of, save_card
from tests.support.shop import Person, Shop
from tests.support.topping import auto, charges, consider, states, sweep, turn_on


class Undone(Exception):
    """The test has seen enough: nothing of it is kept."""


@pytest.fixture
def shop(storefront: Shop) -> Iterator[Shop]:
    """The shop on the tenth of a month, with nothing left over by other stories."""
    storefront.clock.now = datetime.now(UTC).replace(day=10)
    yield storefront
    with storefront.runtime.transaction() as session:
        session.execute(text("UPDATE top_up_settings SET is_on = false"))


@pytest.fixture
def ada(shop: Shop) -> Person:
    """Somebody with three videos and a saved card."""
    person = shop.a_person()
    save_card(shop, person)
    return person


def test_a_pack_is_bought_when_fewer_are_left_than_agreed(shop: Shop, ada: Person) -> None:
    assert shop.wallets.wallet(ada.id).can_auto
    turn_on(shop, ada)
    sweep(shop)
    assert (shop.balance(ada), charges(shop, ada)) == (3, [])  # three are not fewer than three
    use(shop, ada, 1)
    sweep(shop)
    assert (shop.balance(ada), charges(shop, ada)) == (12, [9_90])
    (payment,) = shop.payments.account(ada.id).invoices
    assert (payment.description, payment.status) == ("10 videos", "paid")
    assert payment.number and payment.pdf_url
    shown = auto(shop, ada)
    assert (shown.on, shown.spent_this_month.minor) == (True, 9_90)
    sweep(shop)
    assert (shop.balance(ada), states(shop, ada)) == (12, ["paid"])
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()
        (lot,) = session.execute(
            text("SELECT price_minor, source, reference FROM lots WHERE reference = :id"),
            {"id": payment.id},
        ).all()
        receipts = session.execute(
            text("SELECT count(*) FROM mails WHERE key = :key"), {"key": f"receipt:{payment.id}"}
        ).scalar_one()
    assert (lot.price_minor, lot.source, receipts) == (9_90, "pack", 1)


def test_the_video_that_takes_the_third_but_last_asks_for_a_pack(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    video = records.NewGeneration(
        id=str(uuid.uuid4()),
        user_id=ada.id,
        text="Good morning.",
        voice="any",
        language="en",
        tier="540p",
        watermark=True,
        seed=1,
        photo_key=f"photo/{uuid.uuid4()}",
        photo_sha256="0" * 64,
        due_by=shop.clock.now + timedelta(hours=1),
    )
    query = text("SELECT state FROM top_ups WHERE user_id = :id")
    with suppress(Undone), shop.runtime.transaction() as session:
        entering.enter(session, video, now=shop.clock.now, wall=datetime.now(UTC))
        assert list(session.execute(query, {"id": ada.id}).scalars()) == ["open"]
        raise Undone  # no worker here makes videos
    assert states(shop, ada) == []


def test_what_somebody_agreed_to_is_kept_as_it_was_shown(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    words = shop.wallets.consent_words(item="pack:10", threshold=3, monthly_cap_minor=30_00)
    with shop.runtime.read_only() as session:
        row = session.execute(
            text("SELECT * FROM top_up_consents WHERE user_id = :id"), {"id": ada.id}
        ).one()
    assert (row.words, row.version) == (words, top_up_terms.CONSENT_VERSION)
    assert "$9.90 for 10 videos" in words and "at most $30.00" in words
    place = f"top_up_consents:ip_sealed:{row.id}"
    assert shop.runtime.cipher.decrypt(bytes(row.ip_sealed), place=place) == "192.0.2.7"
    with pytest.raises(DBAPIError, match="append only"), shop.runtime.transaction() as session:
        session.execute(text("UPDATE top_up_consents SET words = ''"))


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ({"consent": False}, "topup.consent"),
        ({"item": "pro:month"}, "topup.item"),
        ({"item": "pack:11"}, "billing.item_unknown"),
        ({"threshold": 0}, "topup.threshold"),
        ({"threshold": 51}, "topup.threshold"),
        ({"monthly_cap_minor": 9_89}, "topup.cap"),
        ({"monthly_cap_minor": 2_000_01}, "topup.cap"),
    ],
)
def test_nothing_is_turned_on_without_consent_or_outside_the_limits(
    shop: Shop, chosen: dict[str, Any], code: str
) -> None:
    bob = shop.a_person()
    with pytest.raises(errors.InvalidRequest) as refusal:
        turn_on(shop, bob, **chosen)
    assert (refusal.value.code, shop.wallets.wallet(bob.id).auto) == (code, None)


def test_without_a_saved_card_it_cannot_be_turned_on(shop: Shop) -> None:
    bob = shop.a_person()
    shop.buys(bob, "pack:10")  # a page for one payment keeps no card
    assert not shop.wallets.wallet(bob.id).can_auto
    with pytest.raises(errors.Conflict, match=r"topup\.no_card"):
        turn_on(shop, bob)


def test_the_card_of_a_plan_can_be_charged(shop: Shop) -> None:
    bob = shop.a_person()
    shop.buys(bob, "starter:month")
    assert shop.wallets.wallet(bob.id).can_auto
    use(shop, bob, 31)
    turn_on(shop, bob)
    sweep(shop)
    assert shop.balance(bob) == 2 + 10


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("pm_card_chargeCustomerFail", "Your bank declined this card."),
        ("pm_card_authenticationRequired", "Your bank wants you to confirm the payment"),
    ],
)
def test_a_bank_that_refuses_or_asks_stops_it_and_is_not_asked_again(
    shop: Shop, card: str, words: str
) -> None:
    bob = shop.a_person()
    save_card(shop, bob, card)
    use(shop, bob, 1)
    turn_on(shop, bob)
    sweep(shop)
    shown = auto(shop, bob)
    assert (shown.on, shown.stopped_because[: len(words)]) == (False, words)
    assert (states(shop, bob), shop.balance(bob), charges(shop, bob)) == (["failed"], 2, [])
    shop.clock.advance(days=2)
    sweep(shop)
    assert states(shop, bob) == ["failed"]
    (invoice,) = shop.sandbox.client(shop.key).v1.invoices.list(
        {"customer": customer_of(shop, bob)}
    )
    assert (invoice.status, invoice.attempt_count) == ("void", 1)
    with shop.runtime.read_only() as session:
        told = session.execute(
            text("SELECT template, facts FROM mails WHERE user_id = :id AND template LIKE 'top%'"),
            {"id": bob.id},
        ).all()
        assert [tuple(row) for row in told] == [("topup_stopped", {"why": shown.stopped_because})]


def test_a_card_that_is_gone_stops_it(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    v1 = shop.sandbox.client(shop.key).v1
    for card in v1.customers.payment_methods.list(customer_of(shop, ada)).data:
        v1.payment_methods.detach(card.id)
    shop.deliver(shop.new_events())
    sweep(shop)
    shown = auto(shop, ada)
    assert (shown.on, shown.stopped_because[:22]) == (False, "There was no saved car")
    assert (states(shop, ada), shop.wallets.wallet(ada.id).can_auto) == (["failed"], False)


def test_turned_off_means_off_at_once_also_for_one_that_has_begun(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    top_up_id = consider(shop, ada)
    assert top_up_id is not None
    shop.wallets.turn_off(user_id=ada.id)
    shop.wallets.top_up(top_up_id)
    assert (states(shop, ada), charges(shop, ada), auto(shop, ada).on) == (["dropped"], [], False)
    sweep(shop)
    assert states(shop, ada) == ["dropped"]


@pytest.mark.parametrize(("hours", "again"), [(5.99, False), (6, True)])
def test_six_hours_pass_between_two(shop: Shop, ada: Person, hours: float, again: bool) -> None:
    turn_on(shop, ada)
    use(shop, ada, 1)
    sweep(shop)
    use(shop, ada, 12)
    shop.clock.advance(hours=hours)
    assert (consider(shop, ada) is not None) is again


def test_there_are_at_most_three_a_day(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada, monthly_cap_minor=500_00)
    use(shop, ada, 3)
    for count in (1, 2, 3):
        sweep(shop)
        assert len(charges(shop, ada)) == count
        use(shop, ada, 10)
        shop.clock.advance(hours=6)
    sweep(shop)
    assert len(charges(shop, ada)) == 3
    shop.clock.advance(hours=6)
    sweep(shop)
    assert len(charges(shop, ada)) == 4


def test_a_month_never_costs_more_than_its_cap(shop: Shop, ada: Person) -> None:
    turn_on(shop, ada, monthly_cap_minor=2 * 9_90)
    use(shop, ada, 3)
    for _ in range(4):
        sweep(shop)
        shop.clock.advance(days=1)
        with shop.runtime.read_only() as session:
            left = ledger.balance(session, user_id=ada.id, now=shop.clock.now).available
        if left:
            use(shop, ada, left)
    assert charges(shop, ada) == [9_90, 9_90]
    with shop.runtime.read_only() as session:
        told = session.execute(
            text(
                "SELECT template FROM mails WHERE user_id = :id AND template LIKE 'top%'"
                " ORDER BY created_at"
            ),
            {"id": ada.id},
        ).scalars()
        assert list(told) == ["topped_up", "topped_up", "topup_capped"]
    # The next month has a cap of its own.
    shop.clock.move_to(shop.clock.now.replace(day=28) + timedelta(days=7))
    sweep(shop)
    assert charges(shop, ada) == [9_90, 9_90, 9_90]


@pytest.mark.parametrize("trouble", ["disputed", "owed"])
def test_a_dispute_or_a_debt_stops_it(shop: Shop, trouble: str) -> None:
    bob = shop.a_person()
    shop.buys(bob, "starter:month")
    turn_on(shop, bob)
    (payment,) = shop.payments.account(bob.id).invoices
    use(shop, bob, 33)
    with shop.runtime.transaction() as session:
        if trouble == "disputed":
            ledger_claims.freeze(
                session,
                key=f"dispute:{bob.id}",
                reference=payment.id,
                reason="disputed",
                now=shop.clock.now,
            )
        else:
            (lot,) = ledger.lots_of(session, reference=payment.id)
            ledger_claims.claw_back(
                session,
                key=f"refund:{bob.id}",
                lot_key=lot.key,
                credits=30,
                reason="paid back",
                now=shop.clock.now,
            )
    sweep(shop)
    shown = auto(shop, bob)
    assert (shown.on, states(shop, bob)) == (False, [])
    assert shown.stopped_because.endswith(("turn it on again.", "once that is settled."))
    wallet = shop.wallets.wallet(bob.id)
    assert (wallet.available, wallet.owed) == (0, 30 if trouble == "owed" else 0)
    with pytest.raises(errors.Conflict, match=r"topup\.blocked"):
        turn_on(shop, bob)
