"""A way to the sandbox that writes down what each run of the CLI asked and was answered."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import requests

_KEPT = ("Authorization", "Content-Type", "Stripe-Version", "Idempotency-Key")
_TIMEOUT = 30


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    request: str
    status: int
    answer: str


class Recorder:
    """Forwards to the sandbox; whoever calls is known by the key they call with."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self._heard: dict[str, list[Exchange]] = defaultdict(list)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.recorder = self
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, key: str) -> tuple[Exchange, ...]:
        """What was said with that key, in order."""
        return tuple(self._heard[f"Bearer {key}"])

    def note(self, authorization: str, exchange: Exchange) -> None:
        """The exchange is on record."""
        self._heard[authorization].append(exchange)


class _Server(ThreadingHTTPServer):
    """The listening socket, knowing whose it is."""

    daemon_threads = True
    recorder: Recorder


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Forwarded."""
        self._forward()

    def do_POST(self) -> None:
        """Forwarded."""
        self._forward()

    def do_DELETE(self) -> None:
        """Forwarded."""
        self._forward()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed: the check says what it needs."""

    def _forward(self) -> None:
        recorder = self.server.recorder
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = {name: self.headers[name] for name in _KEPT if name in self.headers}
        answer = requests.request(
            self.command, recorder.upstream + self.path, headers=kept, data=body, timeout=_TIMEOUT
        )
        recorder.note(
            self.headers["Authorization"],
            Exchange(f"{self.command} {self.path}", answer.status_code, answer.text),
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Request-Id", answer.headers.get("Request-Id", ""))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
