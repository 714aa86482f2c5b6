"""Free videos are for once: one account for each person, and few for each network."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text

from services.auth_service import AuthService
from talkingphoto.accounts import free_videos
from talkingphoto.billing import ledger
from talkingphoto.runtime import Runtime
from tests.support import proving
from tests.support.clock import TestClock
from tests.support.shop import PASSWORD, Person, Shop

OFFICE = "203.0.113.7"


def somebody(runtime: Runtime, email: str = "", *, ip: str = OFFICE, proved: bool = True) -> str:
    """The id of somebody new, who has proved their address from there."""
    signed_in = AuthService(runtime).register(
        email=email or f"{uuid.uuid4().hex}@example.com",
        password=PASSWORD,
        terms_accepted=True,
        ip=str(uuid.uuid4()),
        user_agent="",
    )
    if proved:
        proving.prove(runtime, signed_in.user.id, ip=ip)
    return signed_in.user.id


def balance(runtime: Runtime, user_id: str) -> int:
    """What that user can spend."""
    with runtime.read_only() as session:
        return ledger.balance(session, user_id=user_id, now=runtime.clock()).available


@pytest.mark.parametrize(
    ("email", "bare"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+trial@example.com", "ada@example.com"),
        ("a.d.a+x+y@example.com", "a.d.a@example.com"),
        ("a.d.a@gmail.com", "ada@gmail.com"),
        ("A.da+7@GoogleMail.com", "ada@gmail.com"),
        ("+tag@example.com", "+tag@example.com"),
        ("ada@mail.gmail.com", "ada@mail.gmail.com"),
    ],
)
def test_two_spellings_that_reach_one_person_are_one_address(email: str, bare: str) -> None:
    assert free_videos.bare_address(email) == bare


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("203.0.113.255", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("unknown", "unknown"),
    ],
)
def test_a_network_is_what_one_customer_of_a_provider_has(ip: str, network: str) -> None:
    assert free_videos.network_of(ip) == network


def test_the_second_account_of_a_person_works_and_gets_no_free_videos(runtime: Runtime) -> None:
    first = somebody(runtime, "ada.example@gmail.com")
    second = somebody(runtime, "adaexample+2@googlemail.com")
    assert (balance(runtime, first), balance(runtime, second)) == (3, 0)
    told = AuthService(runtime).free_videos(second)
    assert told.state == "same_person"
    assert "another account of yours" in told.words
    assert AuthService(runtime).free_videos(first).words == ""


def test_an_account_that_is_not_proved_takes_nothing_from_the_one_that_is(
    runtime: Runtime,
) -> None:
    squatter = somebody(runtime, "ada+squat@example.com", proved=False)
    ada = somebody(runtime, "ada@example.com")
    assert (balance(runtime, squatter), balance(runtime, ada)) == (0, 3)
    assert AuthService(runtime).free_videos(squatter).state == "to_confirm"


def test_of_one_network_five_in_a_day_get_free_videos(runtime: Runtime, clock: TestClock) -> None:
    people = [somebody(runtime, ip=f"203.0.113.{n}") for n in range(5)]
    assert [balance(runtime, who) for who in people] == [3] * 5
    sixth, elsewhere = somebody(runtime), somebody(runtime, ip="203.0.114.7")
    assert (balance(runtime, sixth), balance(runtime, elsewhere)) == (0, 3)
    assert AuthService(runtime).free_videos(sixth).state == "network"
    assert "first purchase" in AuthService(runtime).free_videos(sixth).words
    clock.advance(hours=24)
    assert balance(runtime, somebody(runtime)) == 3


def test_of_one_network_twenty_in_thirty_days_get_free_videos(
    runtime: Runtime, clock: TestClock
) -> None:
    given = text(
        "INSERT INTO free_claims (user_id, person, network, state, claimed_at)"
        " VALUES (:user, :person, '203.0.113.0/24', 'granted', :at)"
    )
    for number in range(20):
        user_id = somebody(runtime, proved=False)
        with runtime.transaction() as session:
            session.execute(given, {"user": user_id, "person": bytes([number]), "at": clock.now})
    clock.advance(days=29)
    assert balance(runtime, somebody(runtime)) == 0
    clock.advance(days=1)
    assert balance(runtime, somebody(runtime)) == 3


def test_free_videos_that_waited_for_their_network_come_with_the_first_purchase(
    shop: Shop,
) -> None:
    for _ in range(5):
        somebody(shop.runtime)
    late = Person(somebody(shop.runtime, "late@example.com"), "late@example.com")
    assert shop.balance(late) == 0
    events = shop.buys(late, "pack:10")
    assert shop.balance(late) == 13
    shop.deliver(events)
    assert shop.balance(late) == 13
    assert shop.auth.free_videos(late.id).state == "granted"
