"""What staff give: within a limit, with a reason, once a request."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from services.wallet_service import Gift, WalletService
from talkingphoto.accounts import staff
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.foundation.clock import add_months
from tests.support.shop import Person, Shop


def a_gift(credits: int, *, kind: str = "goodwill", reason: str = "A video failed.") -> Gift:
    request_id = str(uuid.uuid4())
    return Gift(credits=credits, kind=kind, reason=reason, request_id=request_id)  # type: ignore[arg-type]


@pytest.fixture
def shop(storefront: Shop) -> Shop:
    storefront.clock.now = datetime.now(UTC).replace(day=15)
    return storefront


@pytest.fixture
def wallets(shop: Shop) -> WalletService:
    return WalletService(shop.runtime)


def appoint(shop: Shop, role: staff.Role) -> Person:
    person = shop.a_person()
    with shop.runtime.transaction() as session:
        staff.appoint(session, email=person.email, role=role)
    return person


def test_a_gift_is_given_once_and_says_who_gave_it_why(shop: Shop, wallets: WalletService) -> None:
    ada, ben, gift = shop.a_person(), appoint(shop, "support"), a_gift(20)
    for _ in range(2):
        wallets.give(staff_id=ben.id, user_id=ada.id, gift=gift)
    assert shop.balance(ada) == 3 + 20
    line = wallets.statement(user_id=ada.id).rows[0]
    assert (line.source, line.description, line.credits) == ("goodwill", "With our apologies", 20)
    assert line.expires_at == add_months(shop.clock.now, months=12)
    with shop.runtime.read_only() as session:
        done = session.execute(
            text("SELECT staff_id, action, reason FROM staff_actions WHERE about = :about"),
            {"about": ada.id},
        )
        assert done.all() == [(ben.id, "credits.goodwill", "A video failed.")]
        mails = session.execute(
            text("SELECT template, facts FROM mails WHERE user_id = :id AND template = 'gift'"),
            {"id": ada.id},
        ).all()
        assert [tuple(row) for row in mails] == [("gift", {"credits": "20"})]
        assert ledger.check(session) == ()


def test_the_same_request_for_another_gift_is_refused(shop: Shop, wallets: WalletService) -> None:
    ada, ben, gift = shop.a_person(), appoint(shop, "support"), a_gift(5)
    wallets.give(staff_id=ben.id, user_id=ada.id, gift=gift)
    with pytest.raises(errors.Conflict, match=r"office\.request_used"):
        wallets.give(staff_id=ben.id, user_id=ada.id, gift=replace(gift, credits=6))
    assert shop.balance(ada) == 3 + 5


def test_support_gives_at_most_fifty_a_customer_and_month(
    shop: Shop, wallets: WalletService
) -> None:
    ada, bob, ben = shop.a_person(), shop.a_person(), appoint(shop, "support")
    with pytest.raises(errors.InvalidRequest, match=r"office\.gift"):
        wallets.give(staff_id=ben.id, user_id=ada.id, gift=a_gift(21))
    for credits in (20, 20, 10):
        wallets.give(staff_id=ben.id, user_id=ada.id, gift=a_gift(credits))
    with pytest.raises(errors.InvalidRequest, match=r"office\.gift_limit"):
        wallets.give(staff_id=ben.id, user_id=ada.id, gift=a_gift(1))
    wallets.give(staff_id=ben.id, user_id=bob.id, gift=a_gift(1))
    shop.clock.move_to(add_months(shop.clock.now, months=1).replace(day=1))
    wallets.give(staff_id=ben.id, user_id=ada.id, gift=a_gift(20))
    assert (shop.balance(ada), shop.balance(bob)) == (3 + 70, 3 + 1)


def test_an_admin_gives_up_to_five_hundred(shop: Shop, wallets: WalletService) -> None:
    ada, eve = shop.a_person(), appoint(shop, "admin")
    wallets.give(staff_id=eve.id, user_id=ada.id, gift=a_gift(500, kind="gift"))
    with pytest.raises(errors.InvalidRequest, match=r"office\.gift"):
        wallets.give(staff_id=eve.id, user_id=ada.id, gift=a_gift(501))
    assert shop.balance(ada) == 3 + 500


@pytest.mark.parametrize(
    ("credits", "kind", "reason", "code"),
    [
        (0, "goodwill", "sorry", "office.gift"),
        (-5, "goodwill", "sorry", "office.gift"),
        (5, "pack", "sorry", "office.gift"),
        (5, "goodwill", "  ", "office.reason"),
        (5, "goodwill", "x" * 501, "office.reason"),
    ],
)
def test_a_gift_that_says_nothing_or_gives_nothing_is_refused(
    shop: Shop, wallets: WalletService, credits: int, kind: str, reason: str, code: str
) -> None:
    ada, ben = shop.a_person(), appoint(shop, "support")
    with pytest.raises(errors.InvalidRequest) as refusal:
        wallets.give(
            staff_id=ben.id, user_id=ada.id, gift=a_gift(credits, kind=kind, reason=reason)
        )
    assert (refusal.value.code, shop.balance(ada)) == (code, 3)


def test_nobody_but_staff_gives_and_no_support_to_themselves(
    shop: Shop, wallets: WalletService
) -> None:
    ada, ben = shop.a_person(), appoint(shop, "support")
    for giver, taker in ((ada, ada), (ada, ben), (ben, ben)):
        with pytest.raises(errors.NotPermitted):
            wallets.give(staff_id=giver.id, user_id=taker.id, gift=a_gift(1))
    with pytest.raises(errors.NotFound):
        wallets.give(staff_id=ben.id, user_id=str(uuid.uuid4()), gift=a_gift(1))
    assert (shop.balance(ada), shop.balance(ben)) == (3, 3)


def test_two_of_support_at_once_do_not_pass_the_limit(shop: Shop, wallets: WalletService) -> None:
    ada, ben = shop.a_person(), appoint(shop, "support")

    def give(_: int) -> bool:
        try:
            wallets.give(staff_id=ben.id, user_id=ada.id, gift=a_gift(20))
        except errors.InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(give, range(4)))
    assert sorted(given) == [False, False, True, True]
    assert shop.balance(ada) == 3 + 40
