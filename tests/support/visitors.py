"""People and programs that use the web application, each from an address of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from web import guards
from web.app import WebApp

ORIGIN = "http://localhost:8501"
PASSWORD = "an owl reads the paper at dawn"
COOKIE = "__Host-tp_session"
EMAIL_COOKIE = "__Host-tp_email"


def ready_for_web(runtime: Runtime, clock: TestClock) -> Runtime:
    """The runtime with sessions on the test's clock, without a worker in a thread."""
    runtime.settings = runtime.settings.model_copy(update={"worker": "external"})
    runtime.wall_clock = clock
    return runtime


def rows(app: WebApp, table: str) -> int:
    """How many rows that table of the application's database has."""
    wiring: guards.Wiring = app.extensions[guards.EXTENSION]
    with wiring.runtime.read_only() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


@dataclass
class Visitor:
    """A browser: it keeps cookies and says where its forms come from."""

    client: FlaskClient
    ip: str = "203.0.113.7"
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": "text/html"})

    def post(self, path: str, origin: str | None = ORIGIN, **fields: str) -> TestResponse:
        """The answer to a form of our own page, or of `origin`."""
        headers = self.headers | ({"Origin": origin} if origin is not None else {})
        return self.client.post(
            path,
            data=fields,
            headers=headers,
            base_url="https://localhost",
            environ_base={"REMOTE_ADDR": self.ip},
        )

    def post_raw(self, path: str, body: bytes, content_type: str | None = None) -> TestResponse:
        """The answer to those very bytes."""
        return self.client.post(
            path,
            data=body,
            content_type=content_type or "application/x-www-form-urlencoded",
            headers=self.headers | {"Origin": ORIGIN},
            base_url="https://localhost",
            environ_base={"REMOTE_ADDR": self.ip},
        )

    def get(self, path: str, **headers: str) -> TestResponse:
        """The answer to a plain request."""
        return self.client.get(
            path,
            headers=self.headers | headers,
            base_url="https://localhost",
            environ_base={"REMOTE_ADDR": self.ip},
        )

    def register(self, email: str = "ada@example.com", **fields: str) -> TestResponse:
        """The answer to the sign-up form, filled in well unless `fields` say otherwise."""
        filled = {"email": email, "password": PASSWORD, "terms": "yes"} | fields
        return self.post("/auth/register", **filled)

    def sign_in(self, email: str = "ada@example.com", **fields: str) -> TestResponse:
        """The answer to the sign-in form."""
        return self.post("/auth/login", **({"email": email, "password": PASSWORD} | fields))

    @property
    def token(self) -> str | None:
        """The session token this browser holds."""
        return self.cookie(COOKIE)

    def cookie(self, name: str) -> str | None:
        """The value this browser holds under that name."""
        kept = self.client.get_cookie(name, domain="localhost")
        return kept.value if kept else None


def place(response: TestResponse) -> str:
    """Where a redirect leads, without its query."""
    return response.headers["Location"].partition("?")[0]


def said(response: TestResponse, name: str = "error") -> str:
    """What a redirect tells the page about `name`; empty when nothing."""
    return parse_qs(urlsplit(response.headers["Location"]).query).get(name, [""])[0]
