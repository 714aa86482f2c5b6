"""A circuit breaker: who does not answer is left alone for a while, and asked again by one caller.

Hand-written: pybreaker holds its lock while it calls, so that one slow answer would keep every
other thread waiting; this one decides under the lock and calls outside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()
MOST_FAILURES = 5
REST_SECONDS = 15.0


class Breaker:
    """Counts failures in a row of one vendor, for all threads of this process."""

    def __init__(self, vendor: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._vendor = vendor
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._asked_again_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the vendor is left alone, but for a try now and then."""
        return self._asked_again_at is not None

    def allows(self) -> bool:
        """Whether to call: always while it answers, else one caller after each rest."""
        with self._lock:
            if self._asked_again_at is None:
                return True
            if self._clock() < self._asked_again_at:
                return False
            # The others go on waiting; if this caller is never heard of again, one of them asks.
            self._asked_again_at = self._clock() + REST_SECONDS
            return True

    def succeeded(self) -> None:
        """The vendor answered: everybody may call."""
        with self._lock:
            was_open, self._asked_again_at, self._failures = self.is_open, None, 0
        if was_open:
            log.error("alert.circuit_closed", vendor=self._vendor)

    def failed(self) -> None:
        """The vendor did not answer; after several times in a row it is left alone."""
        with self._lock:
            self._failures += 1
            if self._failures < MOST_FAILURES:
                return
            opens, self._asked_again_at = not self.is_open, self._clock() + REST_SECONDS
        if opens:
            log.error("alert.circuit_opened", vendor=self._vendor, failures=MOST_FAILURES)
