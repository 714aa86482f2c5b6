"""The web application in a process of its own, reached over real sockets."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.sandbox import free_port

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 90
GUNICORN = ("-m", "gunicorn", "--no-control-socket", "-b", "127.0.0.1:{port}", "webhook_app:app")


class WebProcess:
    """A program that serves the web application on a free port; ended by stop()."""

    def __init__(
        self,
        database_url: str,
        program: Sequence[str] = GUNICORN,
        *,
        environment: Mapping[str, str] | None = None,
        health: str = "/healthz",
    ) -> None:
        self._health = health
        self.port = free_port()
        self.base = f"http://localhost:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "WEB_URL": self.base,
            "WORKER": "external",
            **(environment or {}),
        }
        self.process = subprocess.Popen(
            [sys.executable, *(part.replace("{port}", str(self.port)) for part in program)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> WebProcess:
        try:
            self.await_health()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def await_health(self) -> None:
        """The process answers."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.rest_of_output()
            try:
                if requests.get(f"{self.base}{self._health}", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError("the web process did not answer")

    def connect(self) -> socket.socket:
        """A connection to it, without any HTTP yet."""
        return socket.create_connection(("localhost", self.port), timeout=15)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The process was asked to end and has; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            if self.process.stdin:
                self.process.stdin.close()

    def rest_of_output(self) -> str:
        """What it printed and nobody has read; only after it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def ask(self, line: str) -> str:
        """The first line beginning with a bracket that it prints after reading ours."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.await_line(r"^\[")

    def await_line(self, pattern: str) -> str:
        """The next line it prints in which the pattern is found."""
        assert self.process.stdout is not None
        for said in self.process.stdout:
            if re.search(pattern, said):
                return said
        raise AssertionError(f"it ended without a line like {pattern}")


class SlowForm:
    """A form of which half was sent; the other half waits in the visitor's hands."""

    def __init__(self, connection: socket.socket, rest: bytes) -> None:
        self._connection = connection
        self._rest = rest

    def await_reader(self) -> None:
        """The half was on its way long enough to be in somebody's hands, and no answer came."""
        self._connection.settimeout(1)
        try:
            early = self._connection.recv(1)
        except TimeoutError:
            return
        finally:
            self._connection.settimeout(30)
        raise AssertionError(f"an answer came before the form was whole: {early!r}")

    def finish(self) -> str:
        """Everything that comes back once the form is whole."""
        self._connection.sendall(self._rest)
        received = b""
        while chunk := self._connection.recv(65536):
            received += chunk
        return received.decode()


@contextmanager
def slow_form(web: WebProcess, path: str, body: str) -> Iterator[SlowForm]:
    """Half of the form has been sent."""
    sent = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8501\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    half = len(sent) // 2
    with web.connect() as connection:
        connection.sendall(head.encode() + sent[:half])
        yield SlowForm(connection, sent[half:])
