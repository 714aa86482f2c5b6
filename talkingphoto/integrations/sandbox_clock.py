"""The product's clock while it follows the sandbox: wall time and what the sandbox has skipped."""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime, timedelta

import requests
import structlog

from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import database

log = structlog.get_logger()

FRESH_SECONDS = 0.05
# A sandbox that does not answer is left alone for a while: a clock must not make its reader wait.
LEAVE_ALONE_SECONDS = 1.0
TIMEOUT_SECONDS = 1.0
# The first answer may decide which year it is, so it is worth more patience.
FIRST_TIMEOUT_SECONDS = 3.0


class SandboxClock:
    """Called, it tells the sandbox's time; it never runs back and never raises.

    It asks the sandbox how far ahead of wall time it is, at most every `FRESH_SECONDS` and never
    while a transaction is open; otherwise, and when nobody answers, what it heard last still holds.
    """

    def __init__(self, api_base: str) -> None:
        self._address = f"{api_base}/_sandbox/clock"
        self._ahead_seconds = 0
        self._latest = clocks.system_clock()
        self._timeout = FIRST_TIMEOUT_SECONDS
        self._begin()

    def __call__(self) -> datetime:
        if self._process_id != os.getpid():
            # A forked process may hold neither the parent's connection nor its locks.
            self._begin()
        if not database.in_transaction():
            with self._looking:
                if time.monotonic() >= self._next_look:
                    self._look()
        with self._telling:
            now = clocks.system_clock() + timedelta(seconds=self._ahead_seconds)
            self._latest = max(self._latest, now)
            return self._latest

    def _begin(self) -> None:
        self._looking = threading.Lock()
        self._telling = threading.Lock()
        self._next_look = 0.0
        self._answers = True
        self._connection = requests.Session()
        # The sandbox is on this machine: no proxy of the surroundings stands in between.
        self._connection.trust_env = False
        self._process_id = os.getpid()

    def _look(self) -> None:
        timeout, self._timeout = self._timeout, TIMEOUT_SECONDS
        try:
            answer = self._connection.get(self._address, timeout=timeout)
            answer.raise_for_status()
            told = int(answer.json()["now"])
        except (requests.RequestException, KeyError, TypeError, ValueError) as fault:
            self._next_look = time.monotonic() + LEAVE_ALONE_SECONDS
            self._note(answers=False, error=type(fault).__name__)
            return
        # It tells whole seconds, and so does this difference. If the second turned over on the
        # way it is one too small, which the next look mends; it is never too large.
        ahead = told - int(clocks.system_clock().timestamp())
        self._ahead_seconds = max(self._ahead_seconds, ahead)
        self._next_look = time.monotonic() + FRESH_SECONDS
        self._note(answers=True)

    def _note(self, *, answers: bool, **why: str) -> None:
        """The log hears once that the sandbox is lost, and once that it is back."""
        if answers == self._answers:
            return
        self._answers = answers
        if answers:
            log.info("clock.sandbox_back", ahead_seconds=self._ahead_seconds)
        else:
            log.warning("clock.sandbox_lost", ahead_seconds=self._ahead_seconds, **why)
