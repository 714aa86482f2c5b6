"""S10, R3: a link that proves an address does so once, within the hour, and only when asked to."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.auth_service import AuthService
from services.mail_service import MailService
from talkingphoto.accounts import verifications
from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support import proving
from tests.support.clock import TestClock
from tests.support.visitors import ORIGIN, PASSWORD, Visitor, place, ready_for_web, rows
from web.app import WebApp, create_app


@pytest.fixture
def app(runtime: Runtime, clock: TestClock) -> WebApp:
    """The web application on the test's clock."""
    return create_app(ready_for_web(runtime, clock))


@pytest.fixture
def visitor(app: WebApp) -> Visitor:
    """Somebody who has signed up and not proved their address."""
    made = Visitor(app.test_client())
    made.register()
    return made


def user_id(runtime: Runtime) -> str:
    """The one user there is."""
    with runtime.read_only() as session:
        return str(session.execute(text("SELECT id FROM users")).scalar_one())


def balance(runtime: Runtime) -> int:
    """What that user can spend."""
    who = user_id(runtime)
    with runtime.read_only() as session:
        return ledger.balance(session, user_id=who, now=runtime.clock()).available


def test_a_sign_up_brings_no_videos_until_the_button_behind_the_link_is_pressed(
    visitor: Visitor, runtime: Runtime
) -> None:
    assert balance(runtime) == 0
    token = proving.token_for(runtime, user_id(runtime))
    page = visitor.get(f"/auth/verify?token={token}")
    assert page.status_code == 200
    assert f'value="{token}"' in page.text
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert balance(runtime) == 0, "a program that opens every link has not pressed the button"
    answer = visitor.post("/auth/verify", token=token)
    assert (answer.status_code, place(answer)) == (303, f"{ORIGIN}/account")
    assert balance(runtime) == 3


@pytest.mark.parametrize("odd", ["", "x", "\0", "é", "a" * 100, '"><script>'])
def test_a_link_that_is_none_of_ours_shows_the_same_page_and_proves_nothing(
    visitor: Visitor, runtime: Runtime, odd: str
) -> None:
    page = visitor.client.get("/auth/verify", query_string={"token": odd})
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert visitor.post("/auth/verify", token=odd).status_code == 400
    assert balance(runtime) == 0


def test_s10_a_link_works_once_and_says_so_the_second_time(
    visitor: Visitor, runtime: Runtime
) -> None:
    token = proving.token_for(runtime, user_id(runtime))
    assert visitor.post("/auth/verify", token=token).status_code == 303
    again = visitor.post("/auth/verify", token=token)
    assert again.status_code == 400
    assert "used before, or is older than an hour" in again.text
    assert balance(runtime) == 3


@pytest.mark.parametrize(("minutes", "works"), [(59.9, True), (60, False), (60.1, False)])
def test_s10_a_link_works_for_an_hour(
    visitor: Visitor, runtime: Runtime, clock: TestClock, minutes: float, works: bool
) -> None:
    token = proving.token_for(runtime, user_id(runtime))
    clock.advance(seconds=minutes * 60)
    assert (visitor.post("/auth/verify", token=token).status_code == 303) == works
    assert (balance(runtime) == 3) == works


def test_s10_an_altered_link_one_for_something_else_and_one_to_an_old_address_prove_nothing(
    visitor: Visitor, runtime: Runtime
) -> None:
    token = proving.token_for(runtime, user_id(runtime))
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert visitor.post("/auth/verify", token=altered).status_code == 400
    with runtime.transaction() as session, pytest.raises(errors.InvalidRequest):
        verifications.use(
            session,
            token=token,
            purpose="something_else",  # type: ignore[arg-type]
            now=runtime.wall_clock(),
        )
    with runtime.transaction() as session:
        session.execute(text("UPDATE users SET email_key = 'eve@example.com'"))
    assert visitor.post("/auth/verify", token=token).status_code == 400
    assert balance(runtime) == 0


def test_s10_the_database_and_the_list_of_staff_hold_no_link_that_works(
    visitor: Visitor, runtime: Runtime
) -> None:
    who = user_id(runtime)
    token = proving.token_for(runtime, who)
    assert len(token) == 43, "256 bits"
    dumped: list[str] = []
    with runtime.transaction() as session:
        session.execute(text("UPDATE users SET role = 'support'"))
        for table in ("mails", "verifications", "procrastinate_jobs"):
            dumped += session.scalars(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
        key = session.execute(text("SELECT key FROM mails")).scalar_one()
    assert not [row for row in dumped if token in row or token.encode().hex() in row]
    shown = MailService(runtime).body(staff_id=who, key=key)
    assert token not in shown.text + shown.html


def test_two_presses_at_once_prove_once(visitor: Visitor, runtime: Runtime) -> None:
    token = proving.token_for(runtime, user_id(runtime))
    auth = AuthService(runtime)

    def press(_: int) -> str:
        try:
            return auth.verify(token=token, ip="203.0.113.7").state
        except errors.InvalidRequest as refusal:
            return refusal.code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(press, range(4))) == ["auth.link_over"] * 3 + ["granted"]
    assert balance(runtime) == 3


def test_using_one_link_ends_the_others(visitor: Visitor, runtime: Runtime) -> None:
    who = user_id(runtime)
    first = proving.token_for(runtime, who)
    visitor.post("/auth/verify/resend")
    second = proving.token_for(runtime, who)
    assert first != second
    assert visitor.post("/auth/verify", token=second).status_code == 303
    assert visitor.post("/auth/verify", token=first).status_code == 400


def test_r3_the_sixth_link_within_an_hour_is_not_sent_and_the_answer_is_the_same(
    visitor: Visitor, app: WebApp, clock: TestClock
) -> None:
    answers = [visitor.post("/auth/verify/resend") for _ in range(6)]
    assert len({(answer.status_code, answer.headers["Location"]) for answer in answers}) == 1
    assert rows(app, "mails") == 5  # one of them at sign-up
    clock.advance(seconds=3601)
    visitor.sign_in()
    visitor.post("/auth/verify/resend")
    assert rows(app, "mails") == 6


def test_whoever_has_proved_the_address_or_is_signed_out_is_sent_no_link(
    visitor: Visitor, app: WebApp, runtime: Runtime
) -> None:
    proving.prove(runtime, user_id(runtime))
    visitor.post("/auth/verify/resend")
    stranger = Visitor(app.test_client())
    assert stranger.post("/auth/verify/resend").status_code == 303
    assert rows(app, "mails") == 1


def test_links_that_are_too_old_are_forgotten(visitor: Visitor, runtime: Runtime) -> None:
    proving.token_for(runtime, user_id(runtime))
    wall = runtime.wall_clock
    AuthService(runtime).forget_past()
    with runtime.read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM verifications")) == 1
    runtime.wall_clock = lambda: wall() + timedelta(minutes=61)
    AuthService(runtime).forget_past()
    with runtime.read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM verifications")) == 0


def test_what_the_mail_says_is_what_the_page_says(visitor: Visitor, runtime: Runtime) -> None:
    token = proving.token_for(runtime, user_id(runtime))
    page = visitor.get(f"/auth/verify?token={token}").text
    assert re.search(r"<button[^>]*>Confirm my e-mail</button>", page)
    assert PASSWORD not in page
