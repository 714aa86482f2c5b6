"""The sandbox as a process on a free port, and a payer who fills in its pages."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import stripe

VISA = "4242424242424242"
_START_SECONDS = 90
_TIMEOUT = 30
# Below those that systems give to connections that go out: none of them takes a port of ours.
_PORTS = (20_000, 32_000)
_BLOCK = 200
Event = dict[str, Any]


@functools.cache
def _own_ports() -> tuple[socket.socket, Iterator[int]]:
    """A block of ports, round and round, and the mark on it: ours as long as this process lives."""
    for mark in range(*_PORTS, _BLOCK):
        guard = socket.socket()
        try:
            guard.bind(("127.0.0.1", mark))
        except OSError:
            guard.close()
            continue
        return guard, itertools.cycle(range(mark + 1, mark + _BLOCK))
    raise AssertionError("every block of ports has an owner")


def free_port() -> int:
    """A port that nobody listens on, and that no other test process is given."""
    _, ports = _own_ports()
    for port in itertools.islice(ports, _BLOCK):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port of ours is taken")


@dataclass(frozen=True)
class Paid:
    """What the payer saw after pressing the button."""

    status: int
    location: str | None
    page: str


class SandboxProcess:
    """One sandbox with a store of its own; ended by stop()."""

    def __init__(self, folder: Path, *, webhook_url: str = "", secret: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "STRIPE_SANDBOX_WEBHOOK_URL": webhook_url,
            "STRIPE_SANDBOX_WEBHOOK_SECRET": secret,
            "STRIPE_SANDBOX_BRAND": "TalkingPhoto",
        }
        self.start()

    def start(self) -> None:
        """The sandbox answers; its store is the one from before."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "stripe_sandbox", "--port", str(self.port)),
                *("--store", str(self.folder / "stripe.sqlite")),
            ],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "sandbox.log").open("a"),
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.base}/healthz", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError((self.folder / "sandbox.log").read_text())

    def stop(self) -> None:
        """The process has ended and its port is closed."""
        self._process.terminate()
        self._process.wait(_TIMEOUT)

    def pay(self, url: str, *, card: str = VISA, **fields: str) -> Paid:
        """The hosted page's form, filled in and sent."""
        answer = requests.post(
            self._reachable(url),
            data={
                "number": card,
                "expiry": "12 / 34",
                "cvc": "123",
                "name": "Ada Example",
                "email": "ada@example.com",
                **fields,
            },
            allow_redirects=False,
            timeout=_TIMEOUT,
        )
        return Paid(answer.status_code, answer.headers.get("Location"), answer.text)

    def open(self, url: str) -> requests.Response:
        """A hosted page as a browser gets it."""
        return requests.get(self._reachable(url), timeout=_TIMEOUT)

    def advance(self, **seconds_or_to: int) -> None:
        """The sandbox's own time moves forward; renewals happen on the way."""
        answer = requests.post(f"{self.base}/_sandbox/clock", data=seconds_or_to, timeout=60)
        assert answer.ok, answer.text

    def client(self, key: str) -> stripe.StripeClient:
        """The official SDK, speaking to this sandbox; its key tells it from the product's."""
        return stripe.StripeClient(f"{key}_tests", base_addresses={"api": self.base})

    def events(self, key: str) -> list[Event]:
        """The latest hundred events, oldest first, as delivered."""
        return list(reversed(self.read(key, "/v1/events?limit=100")["data"]))

    def read(self, key: str, path: str) -> dict[str, Any]:
        """An object as it goes over the wire."""
        headers = {"Authorization": f"Bearer {key}"}
        answer = requests.get(self.base + path, headers=headers, timeout=_TIMEOUT)
        assert answer.ok, answer.text
        return dict(answer.json())

    def _reachable(self, url: str) -> str:
        """The page's address on the loopback interface that the sandbox is bound to."""
        return re.sub(r"^http://localhost:", "http://127.0.0.1:", url)


def sign(event: Event, secret: str, *, at: float | None = None) -> tuple[bytes, str]:
    """The body and the signature header of a delivery."""
    raw = json.dumps(event).encode()
    moment = int(time.time() if at is None else at)
    header = stripe.WebhookSignature.generate_signature_header(
        payload=raw.decode(), secret=secret, timestamp=moment
    )
    return raw, header


def of_type(events: Iterable[Event], *types: str) -> list[Event]:
    """Those of the events that have one of the types."""
    return [event for event in events if event["type"] in types]
