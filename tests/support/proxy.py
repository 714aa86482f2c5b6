"""A way to Stripe that misbehaves on purpose: slow, cut off after the effect, or odd."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import requests

_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "host"}


class Proxy:
    """Forwards to the sandbox; `delay` comes before, `hold_after` keeps the answer back.

    `answers` are objects by path that are handed out instead of asking.
    """

    def __init__(
        self,
        upstream: str,
        *,
        delay: float = 0,
        hold_after: str = "",
        answers: Mapping[str, object] | None = None,
    ) -> None:
        self.upstream = upstream
        self.answers = answers or {}
        self.delay = delay
        self.hold_after = hold_after
        self.held = threading.Event()
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """The listening socket, knowing whose it is."""

    daemon_threads = True
    proxy: Proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Forwarded."""
        self._forward()

    def do_POST(self) -> None:
        """Forwarded; the answer may be kept back."""
        self._forward()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed: the test says what it needs."""

    def _forward(self) -> None:
        proxy = self.server.proxy
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length else None
        proxy.released.wait(proxy.delay)
        recorded = proxy.answers.get(self.path.partition("?")[0])
        if recorded is not None:
            self._send(200, json.dumps(recorded).encode(), {"Content-Type": "application/json"})
            return
        kept = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        answer = requests.request(
            self.command, proxy.upstream + self.path, headers=kept, data=body, timeout=30
        )
        if self.command == "POST" and proxy.hold_after and proxy.hold_after in self.path:
            proxy.held.set()
            proxy.released.wait(30)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._send(answer.status_code, answer.content, answer.headers)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
