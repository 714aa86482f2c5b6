"""Seconds from the pay button to the credits on the balance, by webhook and worker alone."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from urllib.parse import urlsplit

import psycopg
import requests

from benchmarks import load, machine, samples
from benchmarks.report import Report, quantile
from talkingphoto.billing import catalog, ledger
from talkingphoto.foundation.database import Database
from talkingphoto.integrations import postgres_programs
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.sandbox import VISA, sign
from tests.support.stack import Stack, running_stack, settings_of

PEOPLE = 20
ITEMS = ("starter:month", "pack:50")
BARE_POSTS = 60
_PASSWORD = "a sentence that nobody else uses"  # noqa: S105 - of nobody
_LOOK_SECONDS = 0.003
_LONGEST_SECONDS = 10
_TIMEOUT = 10


def run() -> Report:
    """Forty purchases, one after the other, in the product as `make run` starts it."""
    with running_stack() as stack, _database(stack) as database:
        shop = _Shop(stack, database)
        waits = [wait for _ in range(PEOPLE) for wait in shop.a_person_buys()]
        bare = shop.bare_posts(BARE_POSTS)
        fdatasync = machine.fdatasync_us(postgres_programs.find(None), stack.data)
    p95 = quantile(waits, 0.95)
    yardstick = statistics.median(bare)
    return Report(
        bench="delivery_to_credits",
        value=round(p95, 4),
        unit="s (p95, from pressing Pay; the checkout's own work included)",
        yardstick=round(yardstick, 4),
        yardstick_is="one webhook acknowledged, nothing else under way, median s",
        ratio=round(p95 / yardstick, 1),
        rounds=len(waits),
        p50_ms=round(quantile(waits, 0.50) * 1000, 1),
        p99_ms=round(quantile(waits, 0.99) * 1000, 1),
        more={"p95_ms": round(p95 * 1000, 1), "fdatasync_us": fdatasync},
    )


@contextmanager
def _database(stack: Stack) -> Iterator[Database]:
    database = Database(EmbeddedPostgres(stack.data).url)
    try:
        yield database
    finally:
        database.dispose()


class _Shop:
    """People who buy over HTTP and never come back from the checkout, so webhooks must do it."""

    def __init__(self, stack: Stack, database: Database) -> None:
        self._stack = stack
        self._database = database
        self._numbers = count(1)
        self._payer = ThreadPoolExecutor(max_workers=1)

    def a_person_buys(self) -> list[float]:
        """For each item in turn, how long the new person waited for its credits."""
        email = f"bench{next(self._numbers)}@example.com"
        cookie = self._sign_up(email)
        user_id = self._id_of(email)
        return [self._buy(user_id, cookie, item) for item in ITEMS]

    def bare_posts(self, number: int) -> list[float]:
        """How long each of so many webhooks took that only have to be stored."""
        secret = settings_of(self._stack).webhook_secrets[0]
        return [self._bare_post(secret, n) for n in range(number)]

    def _sign_up(self, email: str) -> str:
        answer = self._post(
            "/auth/register", {"email": email, "password": _PASSWORD, "terms": "yes"}
        )
        # By hand: a Secure cookie comes back over plain http from a browser only.
        return answer.headers["Set-Cookie"].partition(";")[0]

    def _id_of(self, email: str) -> str:
        address = self._database.url.replace("+psycopg", "", 1)
        with psycopg.connect(address) as connection:
            row = connection.execute("SELECT id FROM users WHERE email = %s", (email,)).fetchone()
        assert row is not None, "the sign-up made no account"
        return str(row[0])

    def _buy(self, user_id: str, cookie: str, item: str) -> float:
        before = self._balance(user_id)
        form = {"item": item, "request_id": str(uuid.uuid4())}
        hosted = self._post("/billing/checkout", form, Cookie=cookie).headers["Location"]
        wanted = before + catalog.item(item).credits
        began = time.perf_counter()
        # The checkout keeps its payer waiting for the webhooks; the balance need not wait for it.
        paid = self._payer.submit(self._pay, hosted)
        while self._balance(user_id) < wanted:
            waited = time.perf_counter() - began
            assert waited < _LONGEST_SECONDS, f"{item} was paid and not credited"
            time.sleep(_LOOK_SECONDS)
        seconds = time.perf_counter() - began
        assert paid.result().status_code == 303, "the payment was refused"
        return seconds

    def _pay(self, hosted: str) -> requests.Response:
        card = {"number": VISA, "expiry": "12 / 34", "cvc": "123", "name": "Ada Example"}
        form = card | {"email": "ada@example.com"}
        return requests.post(hosted, data=form, allow_redirects=False, timeout=_TIMEOUT)

    def _post(self, path: str, form: dict[str, str], **headers: str) -> requests.Response:
        answer = requests.post(
            self._stack.web + path,
            data=form,
            headers={"Origin": self._stack.app, **headers},
            allow_redirects=False,
            timeout=_TIMEOUT,
        )
        assert answer.status_code == 303, f"{path} answered {answer.status_code}"
        return answer

    def _balance(self, user_id: str) -> int:
        with self._database.read_only() as session:
            return ledger.balance(session, user_id=user_id, now=datetime.now(UTC)).available

    def _bare_post(self, secret: str, number: int) -> float:
        raw, header = sign(samples.product_updated(number), secret)
        port = urlsplit(self._stack.web).port
        assert port is not None, "the web process has no port"
        request = load.post("/webhook/stripe", raw, {"Stripe-Signature": header})
        return load.drive(port, [request], connections=1).latencies[0]
