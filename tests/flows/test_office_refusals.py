"""What is refused in the office leaves a row with its code, and no way to fill the table."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.refund_service import RefundOrder, RefundService
from services.wallet_service import Gift
from talkingphoto.accounts import staff
from talkingphoto.billing.gifts import MOST_BY_SUPPORT, MOST_BY_SUPPORT_A_MONTH
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.support.money_back import a_colleague, payment_of
from tests.support.shop import Person, Shop

WHY = "The customer wrote."


@pytest.fixture
def shop(storefront: Shop) -> Shop:
    """One shop for these stories: each has people of its own."""
    return storefront


def rows(shop: Shop, who: Person) -> list[tuple[str, str, str]]:
    """What that person did or was refused: the verb, about what, and why."""
    query = text(
        "SELECT action, about, reason FROM staff_actions WHERE staff_id = :who ORDER BY at, id"
    )
    with shop.runtime.read_only() as session:
        return [tuple(row) for row in session.execute(query, {"who": who.id})]


def gives(shop: Shop, giver: Person, taker: Person, credits: int, *, request_id: str = "") -> str:
    """The code of the refusal; empty when the videos were given."""
    gift = Gift(credits, "gift", WHY, request_id or str(uuid.uuid4()))
    try:
        shop.wallets.give(staff_id=giver.id, user_id=taker.id, gift=gift)
    except errors.AppError as refusal:
        return refusal.code
    return ""


def refunds(shop: Shop, giver: Person, payment_id: str, cents: int, *, request_id: str = "") -> str:
    """The code of the refusal; empty when the money went back."""
    order = RefundOrder(payment_id, Money(cents, "usd"), WHY, request_id or str(uuid.uuid4()))
    try:
        shop.refunds.refund(staff_id=giver.id, order=order)
    except errors.AppError as refusal:
        return refusal.code
    return ""


def test_a_gift_above_the_limit_is_on_record_each_time_it_is_tried(shop: Shop) -> None:
    ada, ben = shop.a_person(), a_colleague(shop)
    assert MOST_BY_SUPPORT_A_MONTH - 2 * MOST_BY_SUPPORT < MOST_BY_SUPPORT
    given = ("credits.gift", ada.id, WHY)
    refused = ("credits.gift.refused", ada.id, f"office.gift_limit: {WHY}")
    for _ in range(2):
        assert gives(shop, ben, ada, MOST_BY_SUPPORT) == ""
    for _ in range(2):
        assert gives(shop, ben, ada, MOST_BY_SUPPORT) == "office.gift_limit"
    assert rows(shop, ben) == [given, given, refused, refused]
    assert shop.balance(ada) == 3 + 2 * MOST_BY_SUPPORT


def test_a_form_that_was_used_for_another_gift_is_on_record(shop: Shop) -> None:
    ada, ben, form = shop.a_person(), a_colleague(shop), str(uuid.uuid4())
    assert gives(shop, ben, ada, 5, request_id=form) == ""
    assert gives(shop, ben, ada, 6, request_id=form) == "office.request_used"
    assert rows(shop, ben)[1:] == [
        ("credits.gift.refused", ada.id, f"office.request_used: {WHY}"),
    ]


def test_a_refund_above_what_is_left_or_of_ones_own_payment_is_on_record(shop: Shop) -> None:
    ada, ben = shop.a_person(), a_colleague(shop)
    shop.buys(ada, "pack:10")
    shop.buys(ben, "pack:10")
    hers, his = payment_of(shop, ada), payment_of(shop, ben)
    codes = [refunds(shop, ben, hers, 990_01), refunds(shop, ben, his, 1_00)]
    assert codes == ["refund.too_much", "office.own_account"]
    assert rows(shop, ben) == [
        ("refund.refused", hers, f"refund.too_much: {WHY}"),
        ("refund.refused", his, f"office.own_account: {WHY}"),
    ]
    assert shop.refunds.history(ada.id) == ()
    assert refunds(shop, ben, hers, 1_00) == ""
    assert rows(shop, ben)[2:] == [("refund", hers, WHY)]


def test_a_refund_that_stripe_refused_is_refused_again_by_the_same_form(shop: Shop) -> None:
    ada, ben, form = shop.a_person(), a_colleague(shop), str(uuid.uuid4())
    shop.buys(ada, "pack:10")
    hers = payment_of(shop, ada)
    client = shop.sandbox.client(shop.key)
    intent = client.v1.payment_intents.list({"limit": 1}).data[0].id
    client.v1.refunds.create({"payment_intent": intent})  # and no event has arrived
    codes = [refunds(shop, ben, hers, 1_00, request_id=form) for _ in range(2)]
    assert codes == ["refund.refused", "refund.refused"]
    refused = ("refund.refused", hers, f"refund.refused: {WHY}")
    assert rows(shop, ben) == [("refund", hers, WHY), refused, refused]


def test_a_form_that_was_used_for_one_sum_gives_no_other_back(shop: Shop) -> None:
    ada, ben, form = shop.a_person(), a_colleague(shop), str(uuid.uuid4())
    shop.buys(ada, "pack:10")
    hers = payment_of(shop, ada)
    sums = (5_00, 3_00, 5_00)
    codes = [refunds(shop, ben, hers, cents, request_id=form) for cents in sums]
    assert codes == ["", "refund.request_used", ""]
    assert [one.amount.minor for one in shop.refunds.history(ada.id)] == [5_00]


def test_a_refund_waits_on_record_while_stripe_refuses_our_key(shop: Shop) -> None:
    ada, ben = shop.a_person(), a_colleague(shop)
    shop.buys(ada, "pack:10")
    hers = payment_of(shop, ada)
    chosen = shop.runtime.settings.model_copy(
        update={"stripe_secret_key": SecretStr("sk_of_no_kind")}
    )
    order = RefundOrder(hers, Money(1_00, "usd"), WHY, str(uuid.uuid4()))
    with pytest.raises(errors.NotPermitted, match=r"stripe\.key_refused"):
        RefundService(Runtime(chosen, clock=shop.clock)).refund(staff_id=ben.id, order=order)
    assert rows(shop, ben) == [("refund", hers, WHY)]
    shop.clock.advance(seconds=3600)
    assert shop.refunds.sweep() == 1
    assert [one.amount.minor for one in shop.refunds.history(ada.id)] == [1_00]


def test_what_only_an_admin_decides_is_on_record_when_support_tries_it(shop: Shop) -> None:
    ben, about = a_colleague(shop), str(uuid.uuid4())
    decide = shop.reconciliation
    for tried in (
        lambda: decide.heal(staff_id=ben.id, difference_id=about, reason=WHY),
        lambda: decide.replay(staff_id=ben.id, event_id="evt_1", reason=WHY),
        lambda: shop.letters.send_again(staff_id=ben.id, key="receipt:1", reason=WHY),
    ):
        with pytest.raises(errors.NotPermitted):
            tried()
    said = f"office.not_permitted: {WHY}"
    assert rows(shop, ben) == [
        ("difference.heal.refused", about, said),
        ("event.replay.refused", "evt_1", said),
        ("mail.send_again.refused", "receipt:1", said),
    ]


def test_what_cannot_be_stored_as_it_was_sent_is_on_record_as_far_as_it_can(shop: Shop) -> None:
    eve = a_colleague(shop, "admin")
    with pytest.raises(errors.InvalidRequest):
        shop.reconciliation.replay(staff_id=eve.id, event_id="e" * 300, reason="a\0\ud800" * 400)
    with pytest.raises(errors.InvalidRequest):
        shop.reconciliation.replay(staff_id=eve.id, event_id="", reason="")
    (_, long, why), (_, about, bare) = rows(shop, eve)
    assert (len(long), len(why)) == (staff.LONGEST_ABOUT, staff.LONGEST_REASON)
    assert why.startswith("office.reason: a ?a ?")
    assert (about, bare) == ("", "office.reason")
    # The table keeps its rows for ever: no address gets into it.
    with pytest.raises(errors.NotFound):
        shop.reconciliation.replay(staff_id=eve.id, event_id="ada@example.com", reason=WHY)
    assert rows(shop, eve)[-1][1] == ""


def test_a_gift_of_no_known_kind_is_on_record_as_far_as_it_can(shop: Shop) -> None:
    ada, ben = shop.a_person(), a_colleague(shop)
    gift = Gift(1, "\0" * 300, WHY, str(uuid.uuid4()))  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidRequest, match=r"office\.gift"):
        shop.wallets.give(staff_id=ben.id, user_id=ada.id, gift=gift)
    ((verb, _, _),) = rows(shop, ben)
    assert verb.startswith("credits.") and len(verb) == staff.LONGEST_ACTION + len(staff.REFUSED)


def test_who_does_not_work_here_leaves_ten_rows_a_day_and_who_has_no_account_none(
    shop: Shop,
) -> None:
    ada, ghost = shop.a_person(), str(uuid.uuid4())
    for who in (ada.id, ghost):
        for _ in range(staff.MOST_REFUSALS_A_DAY + 2):
            with pytest.raises(errors.NotPermitted):
                shop.refunds.disputes(who)
    refused = ("disputes.refused", "", "office.not_permitted")
    assert rows(shop, ada) == [refused] * staff.MOST_REFUSALS_A_DAY
    assert rows(shop, Person(ghost, "")) == []
    shop.auth.appoint(email=ada.email, role="support", reason="Works here from now on.")
    with pytest.raises(errors.NotPermitted):
        shop.letters.send_again(staff_id=ada.id, key="receipt:1", reason=WHY)
    assert len(rows(shop, ada)) == staff.MOST_REFUSALS_A_DAY + 1


def test_the_rows_of_yesterday_are_not_counted_against_today(shop: Shop) -> None:
    ada = shop.a_person()
    now = shop.runtime.wall_clock()
    for at in (*[now - timedelta(days=1, seconds=1)] * staff.MOST_REFUSALS_A_DAY, now):
        asked = staff.Action(str(uuid.uuid4()), ada.id, "disputes", "", "")
        with shop.runtime.transaction() as session:
            staff.record_refusal(session, asked=asked, code="office.not_permitted", now=at)
    assert len(rows(shop, ada)) == staff.MOST_REFUSALS_A_DAY + 1
