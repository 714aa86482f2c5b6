"""Hostile bodies and failures over HTTP, and the headers that every answer carries."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.visitors import (
    ORIGIN,
    PASSWORD,
    Visitor,
    place,
    ready_for_web,
    rows,
    said,
)
from web import errors as web_errors
from web import guards
from web.app import WebApp, create_app


@pytest.fixture
def app(runtime: Runtime, clock: TestClock) -> WebApp:
    return create_app(ready_for_web(runtime, clock))


@pytest.fixture
def visitor(app: WebApp) -> Visitor:
    return Visitor(app.test_client())


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
        "https://invoice.stripe.com",
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
