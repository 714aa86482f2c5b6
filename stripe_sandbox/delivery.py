"""Webhooks: signed, sent by background threads, tried again after a while, every try on record."""

import hashlib
import hmac
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import requests

from stripe_sandbox import Json
from stripe_sandbox.store import Store
from stripe_sandbox.unit import public

log = logging.getLogger(__name__)

# Seconds before the second try, the third and so on; after the last the delivery has failed.
BACKOFF = (1, 5, 30, 120, 600, 1800, 3600, 7200, 14400)
_THREADS = 4
_TIMEOUT_SECONDS = (3.05, 15)
_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class _Letter:
    """One try of one delivery: what to send where, signed with what."""

    delivery: int
    tries: int
    url: str
    secrets: tuple[str, ...]
    body: str


@dataclass(frozen=True)
class _Outcome:
    status: int | None
    seconds: float
    fault: str | None

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass
class Deliverer:
    """The threads that send what is due; they sleep until woken or until the next try."""

    store: Store
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _flying: set[int] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stopped: bool = False

    def start(self) -> None:
        """Deliveries go out, those left from before the start among them."""
        for number in range(_THREADS):
            thread = threading.Thread(target=self._run, name=f"delivery-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """No new try begins; those in the air have a moment to land."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=2)

    def wake(self) -> None:
        """New deliveries are seen at once."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, events: Iterable[str], timeout_seconds: float) -> bool:
        """True once every delivery of these events was tried; False when the time is over first."""
        wanted = tuple(events)
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._untried(wanted):
                left = deadline - time.monotonic()
                if left <= 0 or self._stopped:
                    return False
                self._changed.wait(left)
        return True

    def _run(self) -> None:
        # Connections stay open: a handshake for every event would be the slow part.
        with requests.Session() as http:
            http.trust_env = False
            while True:
                letter = self._next()
                if letter is None:
                    return
                outcome = _send(http, letter)
                self._record(letter, outcome)

    def _next(self) -> _Letter | None:
        with self._changed:
            while not self._stopped:
                with self.store.transaction() as connection:
                    letter, due_in = _due(connection, self._flying)
                if letter is not None:
                    self._flying.add(letter.delivery)
                    return letter
                self._changed.wait(min(due_in, _IDLE_SECONDS))
        return None

    def _record(self, letter: _Letter, outcome: _Outcome) -> None:
        with self.store.transaction() as connection:
            _note(connection, letter, outcome)
        if not outcome.arrived:
            reason = outcome.fault or outcome.status
            log.warning("delivery %d to %s not taken: %s", letter.delivery, letter.url, reason)
        with self._changed:
            self._flying.discard(letter.delivery)
            self._changed.notify_all()

    def _untried(self, events: tuple[str, ...]) -> bool:
        with self.store.transaction() as connection:
            for event in events:
                row = connection.execute(
                    "SELECT 1 FROM deliveries WHERE event = ? AND state = 'waiting' AND "
                    "tries = 0 LIMIT 1",
                    (event,),
                ).fetchone()
                if row is not None:
                    return True
        return False


def signature(secrets: Iterable[str], body: str, timestamp: int) -> str:
    """The value of Stripe-Signature: the time, and one v1 for each secret in force."""
    signed = f"{timestamp}.{body}".encode()
    prints = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={print_}" for print_ in prints)])


def _due(connection: sqlite3.Connection, flying: set[int]) -> tuple[_Letter | None, float]:
    """The next letter to send, or None and the seconds until there may be one."""
    now = time.time()
    rows = connection.execute(
        "SELECT id, event, endpoint, tries, due_at FROM deliveries WHERE state = 'waiting' "
        "ORDER BY due_at, id LIMIT ?",
        (len(flying) + 1,),
    )
    for row in rows:
        if row["id"] in flying:
            continue
        if row["due_at"] > now:
            return None, row["due_at"] - now
        return _letter(connection, row), 0.0
    return None, _IDLE_SECONDS


def _letter(connection: sqlite3.Connection, row: sqlite3.Row) -> _Letter:
    endpoint = _body(connection, row["endpoint"])
    event = public(_body(connection, row["event"]))
    event["api_version"] = endpoint["api_version"] or event["api_version"]
    event["pending_webhooks"] = connection.execute(
        "SELECT count(*) FROM deliveries WHERE event = ? AND state = 'waiting'", (row["event"],)
    ).fetchone()[0]
    return _Letter(
        row["id"],
        row["tries"],
        endpoint["url"],
        tuple(endpoint["_secrets"]),
        json.dumps(event, indent=2),
    )


def _body(connection: sqlite3.Connection, object_id: str) -> Json:
    row = connection.execute("SELECT body FROM objects WHERE id = ?", (object_id,)).fetchone()
    return dict(json.loads(row["body"]))


def _send(http: requests.Session, letter: _Letter) -> _Outcome:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature(letter.secrets, letter.body, int(time.time())),
        "User-Agent": "Stripe/1.0 (sandbox look-alike)",
    }
    began = time.monotonic()
    try:
        answer = http.post(
            letter.url,
            data=letter.body.encode(),
            headers=headers,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError) as error:
        return _Outcome(None, time.monotonic() - began, type(error).__name__)
    return _Outcome(answer.status_code, time.monotonic() - began, None)


def _note(connection: sqlite3.Connection, letter: _Letter, outcome: _Outcome) -> None:
    connection.execute(
        "INSERT INTO attempts (delivery, at, status, seconds, fault) VALUES (?, ?, ?, ?, ?)",
        (letter.delivery, time.time(), outcome.status, outcome.seconds, outcome.fault),
    )
    last = letter.tries >= len(BACKOFF)
    state = "succeeded" if outcome.arrived else "failed" if last else "waiting"
    wait = 0 if last else BACKOFF[letter.tries]
    # A delivery that was given up meanwhile, its endpoint being deleted, stays given up.
    connection.execute(
        "UPDATE deliveries SET state = ?, tries = tries + 1, due_at = ? WHERE id = ? AND "
        "state = 'waiting'",
        (state, time.time() + wait, letter.delivery),
    )
