"""The forms of an account over HTTP: cookies, origins, addresses, and the way from page to page."""

from __future__ import annotations

import pytest

from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.visitors import (
    COOKIE,
    EMAIL_COOKIE,
    ORIGIN,
    PASSWORD,
    Visitor,
    place,
    ready_for_web,
    rows,
    said,
)
from web import guards
from web.app import WebApp, create_app

POSTS = ("/auth/register", "/auth/login", "/auth/logout", "/billing/checkout")


@pytest.fixture
def app(runtime: Runtime, clock: TestClock) -> WebApp:
    return create_app(ready_for_web(runtime, clock))


@pytest.fixture
def visitor(app: WebApp) -> Visitor:
    return Visitor(app.test_client())


def who(app: WebApp, token: str | None) -> str | None:
    """The e-mail of whoever that token signs in."""
    wiring: guards.Wiring = app.extensions[guards.EXTENSION]
    user = wiring.auth.current_user(token)
    return user.email if user else None


def test_signing_up_in_and_out_leads_from_page_to_page(app: WebApp, visitor: Visitor) -> None:
    answer = visitor.register()
    assert (answer.status_code, place(answer)) == (303, f"{ORIGIN}/account")
    assert who(app, visitor.token) == "ada@example.com"
    answer = visitor.post("/auth/logout")
    assert (answer.status_code, place(answer)) == (303, f"{ORIGIN}/")
    assert visitor.token is None
    answer = visitor.sign_in()
    assert (answer.status_code, place(answer)) == (303, f"{ORIGIN}/")
    assert who(app, visitor.token) == "ada@example.com"


def test_s5_the_session_cookie_is_bound_to_the_host_and_out_of_reach_of_scripts(
    visitor: Visitor,
) -> None:
    (cookie,) = [
        line
        for line in visitor.register().headers.getlist("Set-Cookie")
        if line.startswith(f"{COOKIE}=") and "Max-Age=0" not in line
    ]
    value, *attributes = (part.strip() for part in cookie.split(";"))
    assert len(value.partition("=")[2]) == 43
    expected = {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"}
    assert expected <= set(attributes)
    assert not [part for part in attributes if part.lower().startswith("domain")]


def test_s4_signing_in_changes_the_cookie_and_the_old_one_is_anonymous(
    app: WebApp, visitor: Visitor
) -> None:
    visitor.register()
    before = visitor.token
    visitor.sign_in()
    assert visitor.token not in (None, before)
    assert who(app, before) is None
    assert who(app, visitor.token) == "ada@example.com"


def test_s4_a_refused_sign_in_leaves_the_person_signed_in(app: WebApp, visitor: Visitor) -> None:
    visitor.register()
    before = visitor.token
    visitor.sign_in(password="not the right one")
    assert visitor.token == before
    assert who(app, before) == "ada@example.com"


def test_s7_an_old_cookie_sent_again_after_signing_out_is_anonymous(
    app: WebApp, visitor: Visitor
) -> None:
    visitor.register()
    stolen = visitor.token
    visitor.post("/auth/logout")
    assert who(app, stolen) is None


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://localhost:8502", "http://localhost:8501/", ""],
)
def test_s14_a_form_of_another_site_changes_nothing(
    app: WebApp, visitor: Visitor, path: str, origin: str | None
) -> None:
    visitor.register()
    before = rows(app, "sessions"), rows(app, "users"), rows(app, "security_events")
    answer = visitor.post(
        path, origin, email="ada@example.com", password=PASSWORD, item="starter:month"
    )
    assert answer.status_code == 403
    assert b"request.origin" in answer.data
    assert "Set-Cookie" not in answer.headers
    assert (rows(app, "sessions"), rows(app, "users"), rows(app, "security_events")) == before
    assert who(app, visitor.token) == "ada@example.com"


def test_s14_two_origins_are_none(visitor: Visitor) -> None:
    answer = visitor.client.post(
        "/auth/logout", headers=[("Origin", ORIGIN), ("Origin", "https://evil.example")]
    )
    assert answer.status_code == 403


def test_s14_the_web_origin_may_post_too(visitor: Visitor) -> None:
    assert visitor.post("/auth/logout", "http://localhost:5001").status_code == 303


@pytest.mark.parametrize("path", POSTS)
def test_s14_following_a_link_changes_nothing(app: WebApp, visitor: Visitor, path: str) -> None:
    visitor.register()
    answer = visitor.get(path)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert who(app, visitor.token) == "ada@example.com"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"email": "nobody"}, "auth.email_invalid"),
        ({"password": "too short"}, "auth.password_short"),
        ({"password": "long " * 60}, "auth.password_long"),
        ({"password": "adaadaadaadaada"}, "auth.password_common"),
        ({"terms": "no"}, "auth.terms"),
        ({"email": "taken@example.com"}, "auth.email_taken"),
    ],
)
def test_a_refused_sign_up_leads_back_to_its_form_with_the_choice_kept(
    visitor: Visitor, fields: dict[str, str], code: str
) -> None:
    visitor.register("taken@example.com")
    typed = {"email": "ada@example.com"} | fields
    answer = visitor.register(**typed, item="starter:month", next="/account")
    assert (answer.status_code, place(answer)) == (303, f"{ORIGIN}/sign-up")
    assert (said(answer), said(answer, "item")) == (code, "starter:month")
    assert said(answer, "next") == "/account"
    assert visitor.cookie(EMAIL_COOKIE) == typed["email"]
    assert PASSWORD not in answer.headers["Location"]


def test_what_was_typed_is_kept_five_minutes_and_forgotten_on_success(visitor: Visitor) -> None:
    visitor.register()
    answer = visitor.sign_in(password="not the right one")
    assert (place(answer), said(answer)) == (f"{ORIGIN}/sign-in", "auth.mismatch")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    for part in ("Max-Age=300", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    visitor.sign_in()
    assert visitor.cookie(EMAIL_COOKIE) is None


def test_s3_unknown_and_wrong_get_the_same_answer(app: WebApp, visitor: Visitor) -> None:
    visitor.register()
    stranger = Visitor(app.test_client())
    answers = [
        stranger.sign_in(email, password="not the right one")
        for email in ("ada@example.com", "eve@example.com")
    ]
    assert answers[0].status_code == answers[1].status_code == 303
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https:evil.example",
        "https://evil.example",
        "/\\evil.example",
        "%2f%2fevil.example",
        "javascript:alert(1)",
        "/account\r\nX: y",
        "/account#x",
        "/a//evil.example",
        "/account?next=//evil.example",
    ],
)
def test_b3_a_way_out_of_our_pages_is_not_taken(visitor: Visitor, path: str) -> None:
    visitor.register()
    answer = visitor.sign_in(next=path)
    assert answer.status_code in (303, 400)
    if answer.status_code == 303:
        assert answer.headers["Location"] == f"{ORIGIN}/"


@pytest.mark.parametrize("path", ["/account", "/success?session_id=cs_test_a1B2"])
def test_b3_a_page_of_ours_is_led_on_to(visitor: Visitor, path: str) -> None:
    visitor.register()
    assert visitor.sign_in(next=path).headers["Location"] == f"{ORIGIN}{path}"


def test_r1_a_program_hears_429_and_a_person_gets_the_form_back(
    app: WebApp, visitor: Visitor
) -> None:
    visitor.register()
    for _ in range(10):
        visitor.sign_in(password="not the right one")
    answer = visitor.sign_in()
    assert (answer.status_code, said(answer)) == (303, "auth.rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    program = Visitor(app.test_client(), headers={"Accept": "*/*"})
    answer = program.sign_in()
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (429, "auth.rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert Visitor(app.test_client(), ip="198.51.100.9").sign_in().status_code == 303


@pytest.mark.parametrize(
    ("hops", "forwarded", "same"),
    [
        (0, ["1.1.1.1", "2.2.2.2"], True),
        (1, ["1.1.1.1", "2.2.2.2"], False),
        (1, ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9"], True),
        (2, ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9"], False),
        (2, ["6.6.6.6, 1.1.1.1, 9.9.9.9", "7.7.7.7, 1.1.1.1, 9.9.9.9"], True),
    ],
)
def test_r2_only_what_a_trusted_proxy_says_is_the_callers_address(
    runtime: Runtime, clock: TestClock, hops: int, forwarded: list[str], same: bool
) -> None:
    ready_for_web(runtime, clock)
    runtime.settings = runtime.settings.model_copy(update={"trusted_proxies": hops})
    visitor = Visitor(create_app(runtime).test_client())
    for _ in range(10):
        visitor.headers["X-Forwarded-For"] = forwarded[0]
        assert said(visitor.sign_in()) == "auth.mismatch"
    visitor.headers["X-Forwarded-For"] = forwarded[1]
    assert (said(visitor.sign_in()) == "auth.rate_limited") is same
