"""A sandbox in a process of its own, a receiver of webhooks, and a shop that sells through it."""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import stripe

from tests.support.sandbox import free_port

SECRET = "whsec_for_the_receiver_of_these_tests"
KEY = "sk_test_of_the_sandbox_tests"
GOOD_CARD = "4242 4242 4242 4242"


def eventually(check: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """The check holds before the time is over."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@dataclass
class Receiver:
    """A webhook endpoint that keeps what it is sent and answers as it is told.

    With a secret it checks signatures as the SDK does, and answers 400 to one that is not in force.
    """

    status: int = 200
    hold_seconds: float = 0.0
    secret: str = ""
    letters: list[tuple[str, str, float]] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    _server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        """It listens on its port."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                header = self.headers["Stripe-Signature"]
                receiver.letters.append((raw, header, time.time()))
                time.sleep(receiver.hold_seconds)
                self.send_response(receiver.status if receiver.accepts(raw, header) else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Test output stays readable."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        # Asked for port 0, it has whichever was free at that moment.
        self.port = self._server.server_port
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """It listens no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def accepts(self, raw: str, header: str) -> bool:
        """True unless it has a secret and the letter is not signed with it, and just now."""
        if not self.secret:
            return True
        try:
            return bool(stripe.WebhookSignature.verify_header(raw, header, self.secret, 300))
        except stripe.SignatureVerificationError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def events(self) -> list[dict[str, Any]]:
        """What arrived, in the order of arrival."""
        return [json.loads(raw) for raw, _, _ in list(self.letters)]


def _end(popen: "subprocess.Popen[str]") -> None:
    """A sandbox whose test failed before it stopped it does not outlive the run."""
    if popen.poll() is None:
        os.killpg(popen.pid, signal.SIGKILL)


@dataclass
class Process:
    """One sandbox process on a free port with a store of its own."""

    folder: Path
    webhook_url: str = ""
    secret: str = SECRET
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    popen: subprocess.Popen[str] | None = None

    @property
    def base(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> "Process":
        """It answers."""
        self.popen = self.launch()
        deadline = time.monotonic() + 90
        while True:
            try:
                if requests.get(f"{self.base}/healthz", timeout=2).ok:
                    return self
            except requests.RequestException:
                assert self.popen.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.03)

    def launch(self, **how: Any) -> "subprocess.Popen[str]":
        """The command was given; it may end at once."""
        return self.launch_with("--store", str(self.store), **how)

    def launch_with(self, *arguments: str, **how: Any) -> "subprocess.Popen[str]":
        """As launch, with arguments of its own."""
        environment = {
            **os.environ,
            "STRIPE_SANDBOX_WEBHOOK_URL": self.webhook_url,
            "STRIPE_SANDBOX_WEBHOOK_SECRET": self.secret if self.webhook_url else "",
            "STRIPE_SANDBOX_BRAND": "Example Shop",
            **self.settings,
        }
        command = [sys.executable, "-m", "stripe_sandbox", "--port", str(self.port)]
        popen = subprocess.Popen(
            [*command, *arguments],
            env=environment,
            text=True,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("a"),
            **how,
        )
        atexit.register(_end, popen)
        return popen

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """It has ended; its exit status."""
        assert self.popen is not None
        if how == signal.SIGKILL:
            # The whole of it, as when a machine goes down: a worker left alone would answer on.
            os.killpg(self.popen.pid, how)
        self.popen.send_signal(how)
        return self.popen.wait(60)

    @property
    def store(self) -> Path:
        return self.folder / "sandbox.sqlite"

    def log(self) -> str:
        """What it wrote to standard error so far."""
        return (self.folder / "log").read_text()

    def client(self, retries: int = 0) -> stripe.StripeClient:
        """The official SDK, with only its base address changed."""
        return stripe.StripeClient(
            KEY, base_addresses={"api": self.base}, max_network_retries=retries
        )

    def post(self, path: str, data: Any = None, **headers: str) -> requests.Response:
        """A raw request with the key of these tests."""
        sent = {"Authorization": f"Bearer {KEY}", **headers}
        return requests.post(f"{self.base}{path}", data=data, headers=sent, timeout=10)

    def get(self, path: str, **params: Any) -> requests.Response:
        """A raw reading with the key of these tests."""
        sent = {"Authorization": f"Bearer {KEY}"}
        return requests.get(f"{self.base}{path}", params=params, headers=sent, timeout=10)

    def events_about(self, *object_ids: str) -> list[str]:
        """The types of the events whose object is one of these or names one, oldest first."""
        found = self.client().v1.events.list(params={"limit": 100}).data
        wanted = set(object_ids)
        return [
            event.type
            for event in reversed(found)
            if wanted & {str(value) for value in event.data.object.to_dict().values()}
        ]

    def advance(self, seconds: int) -> int:
        """The sandbox clock is that much further; what it shows now."""
        answer = requests.post(
            f"{self.base}/_sandbox/clock", data={"advance_seconds": seconds}, timeout=30
        )
        assert answer.ok, answer.text
        return int(answer.json()["now"])


@dataclass
class Shop:
    """A merchant with one plan and one pack, and payers who fill in the page."""

    sandbox: Process
    client: stripe.StripeClient
    plan: str
    pack: str

    def customer(self) -> str:
        """A new customer's id."""
        return self.client.v1.customers.create(params={"email": "ada@example.com"}).id

    def checkout(self, **extra: Any) -> Any:
        """A new session that sells the plan, or what the extra parameters say."""
        params: Any = {
            "mode": "subscription",
            "line_items": [{"price": self.plan, "quantity": 1}],
            "success_url": "http://localhost:1/success?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://localhost:1/cancel",
            **extra,
        }
        return self.client.v1.checkout.sessions.create(params=params)

    def checkout_pack(self, **extra: Any) -> Any:
        """A new session that sells the pack."""
        line = {"price": self.pack, "quantity": 1}
        return self.checkout(**{"mode": "payment", "line_items": [line], **extra})

    def pay(self, session: Any, card: str = GOOD_CARD, **fields: str) -> requests.Response:
        """The card form, sent as a browser would."""
        typed = {
            "email": "ada@example.com",
            "number": card,
            "expiry": "12 / 34",
            "cvc": "123",
            "name": "Ada Lovelace",
        }
        url = f"{self.sandbox.base}/c/pay/{session.id}"
        return requests.post(url, data={**typed, **fields}, allow_redirects=False, timeout=10)

    def reread(self, session: Any, *expand: str) -> Any:
        """The session as it is now."""
        return self.client.v1.checkout.sessions.retrieve(
            session.id, params={"expand": list(expand)}
        )

    def events_about(self, *object_ids: str) -> list[str]:
        """The types of the events whose object is one of these or names one, oldest first."""
        return self.sandbox.events_about(*object_ids)


def open_shop(sandbox: Process) -> Shop:
    """A shop with a monthly plan at $19.99 and a pack at $9.90."""
    client = sandbox.client()
    plan = client.v1.prices.create(
        params={
            "currency": "usd",
            "unit_amount": 1999,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Starter"},
        }
    )
    pack = client.v1.prices.create(
        params={"currency": "usd", "unit_amount": 990, "product_data": {"name": "10 videos"}}
    )
    return Shop(sandbox, client, plan.id, pack.id)
