"""Signing up, in and out: what a person meets, and what a thief does not get."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from sqlalchemy import text

from services.auth_service import AuthService, SignedIn
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support import proving
from tests.support.clock import TestClock
from tests.support.visitors import PASSWORD, ready_for_web


@pytest.fixture
def auth(runtime: Runtime, clock: TestClock) -> AuthService:
    return AuthService(ready_for_web(runtime, clock))


def a_person(auth: AuthService, email: str = "ada@example.com", **given: str) -> SignedIn:
    filled = {"password": PASSWORD, "ip": "203.0.113.7", "user_agent": "Firefox"} | given
    return auth.register(email=email, terms_accepted=True, **filled)


def arrive(auth: AuthService, email: str = "ada@example.com", **given: str) -> SignedIn:
    filled = {"password": PASSWORD, "ip": "203.0.113.7", "user_agent": "Firefox"} | given
    return auth.sign_in(email=email, **filled)


def count(runtime: Runtime, table: str) -> int:
    with runtime.read_only() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


def kinds(runtime: Runtime) -> list[str]:
    with runtime.read_only() as session:
        return list(session.scalars(text("SELECT kind FROM security_events ORDER BY at, kind")))


def test_a_new_account_is_signed_in_and_holds_three_videos_once_its_address_is_proved(
    auth: AuthService, runtime: Runtime
) -> None:
    signed_in = a_person(auth)
    assert auth.current_user(signed_in.token) == signed_in.user
    assert count(runtime, "lots") == 0
    proving.prove(runtime, signed_in.user.id)
    with runtime.transaction() as session:
        balance = ledger.balance(session, user_id=signed_in.user.id, now=runtime.clock())
    assert (balance.available, balance.by_source["free"]) == (3, 3)
    assert count(runtime, "terms_acceptances") == 1
    assert kinds(runtime) == ["account.created", "email.proved"]


def test_a_sign_up_that_fails_leaves_nothing_behind(auth: AuthService, runtime: Runtime) -> None:
    a_person(auth)
    with pytest.raises(errors.Conflict, match=r"auth\.email_taken"):
        a_person(auth, " ADA@Example.com ")
    for table in ("users", "customers", "terms_acceptances", "sessions", "mails"):
        assert count(runtime, table) == 1, table


def test_two_sign_ups_at_once_make_one_account(auth: AuthService, runtime: Runtime) -> None:
    def sign_up(_: int) -> str:
        try:
            return a_person(auth).user.id
        except errors.Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(sign_up, range(6)))
    assert results.count("auth.email_taken") == 5
    for table in ("users", "customers", "sessions", "mails"):
        assert count(runtime, table) == 1, table


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"email": "ada"}, "auth.email_invalid"),
        ({"email": "ada@example"}, "auth.email_invalid"),
        ({"email": "ada@example.com\r\nBcc: eve@example.com"}, "auth.email_invalid"),
        ({"email": "ada@example.com\0"}, "auth.email_invalid"),
        ({"email": "a@b@example.com"}, "auth.email_invalid"),
        ({"email": "ada\u202e@example.com"}, "auth.email_invalid"),
        ({"email": "\ud800@example.com"}, "auth.email_invalid"),
        ({"email": f"{'a' * 64}@{'b.' * 95}com"}, "auth.email_invalid"),
        ({"password": "fourteen chars"}, "auth.password_short"),
        ({"password": "x y" * 85 + "ab"}, "auth.password_long"),
        ({"password": "Password12345678"}, "auth.password_common"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    auth: AuthService, runtime: Runtime, fields: dict[str, str], code: str
) -> None:
    with pytest.raises(errors.InvalidRequest) as refusal:
        a_person(auth, **fields)
    assert refusal.value.code == code
    assert count(runtime, "users") == 0


def test_terms_that_were_not_accepted_make_no_account(auth: AuthService, runtime: Runtime) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"auth\.terms"):
        auth.register(
            email="ada@example.com",
            password=PASSWORD,
            terms_accepted=False,
            ip="203.0.113.7",
            user_agent="",
        )
    assert count(runtime, "users") == 0


def test_s2_passwords_that_differ_only_after_72_bytes_are_different(auth: AuthService) -> None:
    long = "the quick owl reads " * 4
    a_person(auth, password=long)
    assert arrive(auth, password=long)
    altered = f"{long[:74]}#{long[75:]}"
    assert len(altered) == len(long) == 80
    with pytest.raises(errors.NotPermitted):
        arrive(auth, password=altered)


def test_s2_two_spellings_of_one_letter_are_one_password(auth: AuthService) -> None:
    a_person(auth, password="u\u0308ber den Wolken ist es still")
    assert arrive(auth, password="\u00fcber den Wolken ist es still")


@pytest.mark.parametrize("email", ["eve@example.com", "not an address", "\0", "\ud800", ""])
def test_s3_an_unknown_e_mail_and_a_wrong_password_are_refused_in_the_same_words(
    auth: AuthService, runtime: Runtime, email: str
) -> None:
    a_person(auth)
    with pytest.raises(errors.NotPermitted) as wrong:
        arrive(auth, password="not the right password")
    with pytest.raises(errors.NotPermitted) as unknown:
        arrive(auth, email)
    assert str(wrong.value) == str(unknown.value)
    assert kinds(runtime).count("sign_in.failed") == 2


def test_s4_a_sign_in_opens_a_new_session_and_ends_the_one_it_replaces(auth: AuthService) -> None:
    first = a_person(auth)
    elsewhere = arrive(auth)
    second = arrive(auth, replaces=first.token)
    assert second.token != first.token
    assert auth.current_user(first.token) is None
    assert auth.current_user(second.token) == first.user
    assert auth.current_user(elsewhere.token) == first.user


def test_s4_a_fixated_token_never_signs_anybody_in(auth: AuthService) -> None:
    a_person(auth)
    signed_in = arrive(auth, replaces="chosen by the attacker")
    assert signed_in.token != "chosen by the attacker"
    assert auth.current_user("chosen by the attacker") is None


def test_s7_a_token_is_worth_nothing_after_signing_out(auth: AuthService) -> None:
    signed_in = a_person(auth)
    auth.sign_out(signed_in.token)
    assert auth.current_user(signed_in.token) is None
    auth.sign_out(signed_in.token)
    auth.sign_out(None)


def test_s8_an_hour_without_use_ends_a_session(auth: AuthService, clock: TestClock) -> None:
    used, unused = a_person(auth), arrive(auth)
    clock.advance(seconds=59 * 60 + 59)
    assert auth.current_user(used.token)
    clock.advance(seconds=1)
    assert auth.current_user(unused.token) is None
    assert auth.current_user(used.token)


def test_s8_a_page_that_only_watches_keeps_no_session_open(
    auth: AuthService, clock: TestClock
) -> None:
    token = a_person(auth).token
    for _ in range(59):
        clock.advance(seconds=60)
        assert auth.current_user(token, active=False)
    clock.advance(seconds=60)
    assert auth.current_user(token, active=False) is None


def test_s8_no_use_keeps_a_session_open_beyond_a_day(auth: AuthService, clock: TestClock) -> None:
    token = a_person(auth).token
    for _ in range(47):
        clock.advance(hours=0.5)
        assert auth.current_user(token)
    clock.advance(seconds=30 * 60 - 1)
    assert auth.current_user(token)
    clock.advance(seconds=1)
    assert auth.current_user(token) is None


def test_use_is_noted_at_most_once_a_minute(
    auth: AuthService, runtime: Runtime, clock: TestClock
) -> None:
    token = a_person(auth).token
    with runtime.read_only() as session:
        before = session.scalar(text("SELECT xmin::text FROM sessions"))
    clock.advance(seconds=59)
    auth.current_user(token)
    with runtime.read_only() as session:
        assert session.scalar(text("SELECT xmin::text FROM sessions")) == before
    clock.advance(seconds=1)
    auth.current_user(token)
    with runtime.read_only() as session:
        assert session.scalar(text("SELECT xmin::text FROM sessions")) != before


def test_a_dump_of_the_database_holds_no_token_no_password_and_no_address(
    auth: AuthService, runtime: Runtime
) -> None:
    signed_in = a_person(auth, ip="203.0.113.77")
    tables = ("users", "sessions", "security_events", "terms_acceptances", "rate_counters")
    rows: list[str] = []
    with runtime.read_only() as session:
        for table in tables:
            rows += session.scalars(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
    assert len(rows) >= len(tables)
    for secret in (signed_in.token, PASSWORD, "203.0.113.77"):
        for form in (secret, secret.encode().hex()):
            assert not [row for row in rows if form in row]


def test_an_old_hash_is_renewed_when_its_owner_signs_in(
    auth: AuthService, runtime: Runtime
) -> None:
    a_person(auth)
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with runtime.transaction() as session:
        session.execute(text("UPDATE users SET password_hash = :weak"), {"weak": weak})
    assert arrive(auth)
    with runtime.read_only() as session:
        renewed = session.scalar(text("SELECT password_hash FROM users"))
    assert renewed is not None and "m=19456,t=2,p=1" in renewed
    assert arrive(auth)


@pytest.mark.parametrize("table", ["security_events", "terms_acceptances"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {}",
        "TRUNCATE {}",
        "UPDATE {} SET user_id = NULL",
        "UPDATE {} SET ip_sealed = ''",
    ],
)
def test_what_is_on_record_stays(
    auth: AuthService, runtime: Runtime, table: str, statement: str
) -> None:
    a_person(auth)
    with pytest.raises(Exception, match="append only"), runtime.transaction() as session:
        session.execute(text(statement.format(table)))
    with runtime.transaction() as session:
        session.execute(text(f"UPDATE {table} SET ip_sealed = NULL"))  # noqa: S608
    assert count(runtime, table) == 1


def test_past_sessions_and_counters_are_forgotten(
    auth: AuthService, runtime: Runtime, clock: TestClock
) -> None:
    a_person(auth)
    clock.advance(seconds=60 * 60 - 1)
    assert auth.forget_past() == 0
    living = arrive(auth)
    clock.advance(seconds=1)
    assert auth.forget_past() >= 2
    assert count(runtime, "sessions") == 1
    assert auth.current_user(living.token)
