"""The forms of an account over HTTP: cookies, origins, addresses, and bodies nobody meant."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from sqlalchemy import text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from talkingphoto.foundation import errors
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
    said,
)
from web import errors as web_errors
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


def rows(app: WebApp, table: str) -> int:
    wiring: guards.Wiring = app.extensions[guards.EXTENSION]
    with wiring.runtime.read_only() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


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


FORM = f"email=ada%40example.com&password={quote(PASSWORD)}&terms=yes"
HOSTILE = {
    "nothing": b"",
    "bytes that are no text": b"email=\xff\xfe&password=x",
    "escaped bytes that are no text": b"email=%ff%fe&password=x",
    "a lone surrogate": b"email=%ed%a0%80@example.com&password=x",
    "a NUL": b"email=ada%00@example.com&password=x",
    "a NUL in the password": FORM.replace("an", "%00").encode(),
    "a line break in the e-mail": FORM.replace("example", "exa%0d%0ample").encode(),
    "a field twice": f"{FORM}&email=eve%40example.com".encode(),
    "a password twice": f"{FORM}&password=x".encode(),
    "no password": b"email=ada%40example.com",
    "many fields": b"&".join(b"f%d=x" % n for n in range(100)),
    "a long e-mail": FORM.replace("ada", "a" * 1_000_000).encode(),
    "a long password": FORM.replace("owl", "o" * 1_000_000).encode(),
    "a long item": f"{FORM}&item={'x' * 100}".encode(),
}


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_b1_a_hostile_form_is_refused_with_a_code(
    app: WebApp, visitor: Visitor, path: str, body: bytes
) -> None:
    answer = visitor.post_raw(path, body)
    assert answer.status_code == 400
    assert b"form." in answer.data
    assert rows(app, "users") == 0


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/billing/checkout"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"email": ["x"]}'),
        ("application/json", b"[" * 10_000),
        ("text/plain", FORM.encode()),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("multipart/form-data", b"--x\r\n"),
    ],
)
def test_b1_a_body_of_another_kind_is_refused_with_a_code(
    visitor: Visitor, path: str, kind: str, body: bytes
) -> None:
    answer = visitor.post_raw(path, body, content_type=kind)
    assert (answer.status_code, b"form.type" in answer.data) == (400, True)


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 400), (1024 * 1024 + 1, 413)])
def test_b1_a_mebibyte_is_read_and_a_byte_more_is_not(
    visitor: Visitor, size: int, status: int
) -> None:
    answer = visitor.post_raw("/auth/login", b"email=".ljust(size, b"x"))
    assert answer.status_code == status


def test_b1_text_that_means_something_elsewhere_is_only_text(app: WebApp, visitor: Visitor) -> None:
    for nth, hostile in enumerate(
        ("'; DROP TABLE users; --", "{{7*7}}", "=HYPERLINK()", "🦉\u202e")
    ):
        password = f"{hostile} is a password of mine"
        assert place(visitor.register(f"a{nth}@example.com", password=password)).endswith(
            "/account"
        )
        assert place(visitor.sign_in(f"a{nth}@example.com", password=password)) == f"{ORIGIN}/"
        answer = visitor.sign_in(hostile)
        assert (place(answer), said(answer)) == (f"{ORIGIN}/sign-in", "auth.mismatch")
    assert rows(app, "users") == 4


def test_z1_every_route_says_who_may_call_it(app: WebApp) -> None:
    routes = [rule.endpoint for rule in app.url_map.iter_rules()]
    assert len(routes) >= 8
    undeclared = [name for name in routes if not guards.audience_of(app.view_functions[name])]
    assert undeclared == []


def test_z1_a_route_that_says_nothing_answers_nobody(app: WebApp, visitor: Visitor) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = visitor.get("/forgotten")
    assert (answer.status_code, b"secret" in answer.data) == (404, False)


def test_every_refusal_of_ours_has_a_status() -> None:
    assert set(errors.AppError.__subclasses__()) == set(web_errors.STATUSES)


def test_d7_every_answer_carries_the_security_headers(app: WebApp, visitor: Visitor) -> None:
    def fail() -> str:
        raise ZeroDivisionError(PASSWORD)

    app.add_url_rule("/fails", "fails", guards.anyone(fail))
    answers = {
        200: visitor.get("/healthz"),
        303: visitor.register(),
        403: visitor.post("/auth/login", None),
        404: visitor.get("/nothing"),
        405: visitor.get("/auth/login"),
        413: visitor.post_raw("/auth/login", b"x" * 2_000_000),
        500: visitor.get("/fails"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Request-Id"]
        assert "Strict-Transport-Security" not in headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert f"{ORIGIN} http://localhost:12111" in policy.partition("form-action")[2]
        assert "unsafe" not in policy


def test_d7_browsers_are_held_to_https_where_the_product_is_served_over_it(
    runtime: Runtime, clock: TestClock
) -> None:
    ready_for_web(runtime, clock)
    secure = {"app_url": "https://tp.example", "web_url": "https://tp.example"}
    live = {"stripe_api_base": "https://api.stripe.com"}
    runtime.settings = runtime.settings.model_copy(update=secure | live)
    headers = Visitor(create_app(runtime).test_client()).get("/healthz").headers
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    targets = headers["Content-Security-Policy"].partition("form-action")[2]
    for origin in (
        "https://tp.example",
        "https://checkout.stripe.com",
        "https://billing.stripe.com",
    ):
        assert origin in targets


def test_d4_a_failure_shows_a_reference_and_nothing_of_itself(
    app: WebApp, visitor: Visitor
) -> None:
    def fail() -> str:
        raise ZeroDivisionError(PASSWORD)

    app.add_url_rule("/fails", "fails", guards.anyone(fail))
    with capture_logs(processors=[merge_contextvars]) as events:
        page = visitor.get("/fails")
        program = visitor.get("/fails", Accept="application/json")
    logged = repr(events)
    for answer in (page, program):
        assert answer.status_code == 500
        assert answer.headers["X-Request-Id"] in answer.text
        assert answer.headers["X-Request-Id"] in logged
        for leak in (PASSWORD, "ZeroDivisionError", "Traceback", "web/"):
            assert leak not in answer.text
    assert page.mimetype == "text/html"
    assert program.get_json()["error"]["code"] == "internal"
    assert "ZeroDivisionError" in logged
    assert PASSWORD not in logged


def test_d7_the_page_of_an_error_may_use_its_own_style_and_no_other(visitor: Visitor) -> None:
    answer = visitor.get("/nothing")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    assert "color-scheme: light dark" in style
    assert web_errors.page_style() == style
    assert "sha256-" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
