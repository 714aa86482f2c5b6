"""The sandbox inside this process: the same application, called without a socket."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe
from requests.structures import CaseInsensitiveDict

from stripe_sandbox.app import create_app
from stripe_sandbox.sandbox import Sandbox, Settings
from tests.simulation.moments import START

BASE = "http://localhost:12111"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Inside(stripe.HTTPClient):
    """The SDK's way to an application in this process."""

    name = "inside"

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._app = app

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """What the application answers to that request."""
        answer = self.ask(method, url, post_data or "", headers or {})
        return answer.body.decode(), answer.status, answer.headers

    def close(self) -> None:
        """There is no connection to close."""

    def ask(
        self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request and its answer."""
        begun: list[Any] = []

        def start(status: str, given: list[tuple[str, str]], _fault: Any = None) -> None:
            begun.extend((int(status[:3]), CaseInsensitiveDict(given)))

        chunks: Iterable[bytes] = self._app(_environ(method, url, body, headers or {}), start)
        return Answer(begun[0], begun[1], b"".join(chunks))


def _environ(method: str, url: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    parts, raw = urlsplit(url), body.encode()
    return {
        "REQUEST_METHOD": method.upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": _FORM,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(raw),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_HOST": parts.netloc,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }


class InsideBank:
    """A sandbox of this process, with a store of its own; nothing is delivered by itself."""

    base = BASE

    def __init__(self, folder: Path) -> None:
        self.store = folder / "stripe.sqlite"
        self._sandbox = Sandbox(Settings(store=self.store, public_url=BASE))
        self._sandbox.stop_clock(still=True)
        self._sandbox.move_clock(int(START.timestamp()))
        self._inside = Inside(create_app(self._sandbox))
        self.http_client: stripe.HTTPClient | None = self._inside

    def move_to(self, moment: datetime) -> None:
        """It is that moment at the sandbox, and what was due on the way was done."""
        self._sandbox.move_clock(int(moment.timestamp()))

    def post(self, url: str, fields: Mapping[str, str]) -> Answer:
        """A form sent to one of the sandbox's own addresses."""
        address = url if url.startswith("http") else f"{BASE}{url}"
        return self._inside.ask("POST", address, urlencode(fields))

    def stop(self) -> None:
        """The store is closed."""
        self._sandbox.store.close()
