"""Idempotency keys: the same key answers the same for a day, and never does the work twice."""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stripe_sandbox import Json
from stripe_sandbox.api import errors

KEPT_SECONDS = 24 * 3600
_LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """A finished answer: its status, its body as sent, and the request that made it."""

    status: int
    body: str
    request: str


@dataclass
class Running:
    """The keys whose first request is not finished; one process serves, so memory will do."""

    _keys: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def holding(self, key: str | None) -> Iterator[None]:
        """The key is ours until the block ends; a key in use is refused with 409."""
        if key is None:
            yield
            return
        if len(key) > _LONGEST_KEY:
            raise errors.invalid(f"Idempotency keys are at most {_LONGEST_KEY} characters")
        with self._lock:
            if key in self._keys:
                raise errors.idempotency(
                    409,
                    "There is currently another in-progress request using this Idempotency Key: "
                    f"{key}. Try again later.",
                    "idempotency_key_in_use",
                )
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def fingerprint(method: str, path: str, form: Json) -> str:
    """Equal for equal requests."""
    text = json.dumps([method, path, form], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recall(connection: sqlite3.Connection, key: str, print_: str) -> Answer | None:
    """The answer this key got within a day, None for a new key; 400 if the parameters differ."""
    row = connection.execute(
        "SELECT fingerprint, status, body, request FROM replays WHERE key = ? AND at > ?",
        (key, time.time() - KEPT_SECONDS),
    ).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != print_:
        raise errors.idempotency(
            400,
            "Keys for idempotent requests can only be used with the same parameters they "
            "were first "
            f"used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
        )
    return Answer(row["status"], row["body"], row["request"])


def keep(connection: sqlite3.Connection, key: str, print_: str, answer: Answer) -> None:
    """The answer is kept for a day under the key."""
    connection.execute(
        "INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?, ?)",
        (key, print_, answer.status, answer.body, answer.request, time.time()),
    )
