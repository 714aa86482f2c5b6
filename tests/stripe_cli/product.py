"""The running product, as far as an event's way through it can be followed from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import requests

from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.stripe_cli.running import Run
from tests.support.stack import Stack

_KEY = "sk_test_who_looks"
# A debit is decided some seconds after it was promised; then come webhook and worker.
_PATIENCE_SECONDS = 40
_LOOK_SECONDS = 0.1
_TIMEOUT = 10


@dataclass(frozen=True)
class Arrival:
    """One event of the sandbox: how its delivery went, and what the product made of it."""

    event: str
    statuses: tuple[int | None, ...]
    result: str | None

    @property
    def fault(self) -> str:
        """What is wrong with it, or nothing."""
        if self.statuses != (200,):
            return f"{self.event} was answered {self.statuses or 'by nobody'}, not 200 at once"
        if self.result is None:
            return f"{self.event} was taken and never worked on"
        if self.result not in ("done", "ignored"):
            return f"{self.event} was taken and ended as {self.result}"
        return ""


class Product:
    """Looks into the sandbox over HTTP and into the product's table of events."""

    def __init__(self, stack: Stack) -> None:
        self._sandbox = stack.sandbox
        self._database = EmbeddedPostgres(stack.data).url.replace("+psycopg", "", 1)

    def events_of(self, runs: Iterable[Run]) -> dict[Run, str]:
        """For each run the event that it is for, as soon as all have one or the time is over."""
        wanted = list(runs)
        found: dict[Run, str] = {}

        def all_found() -> bool:
            for kind in {run.flow.event for run in wanted if run not in found}:
                events = self._events(kind)
                found.update((run, id_) for run in wanted if (id_ := _event_of(run, events)))
            return len(found) == len(wanted)

        _wait_until(all_found)
        return found

    def event_now(self, run: Run) -> str | None:
        """The event that the run is for, if it is there by now."""
        return _event_of(run, self._events(run.flow.event))

    def arrivals(self) -> dict[str, Arrival]:
        """By id every event so far, once each was delivered and worked on or the time is over."""
        latest: dict[str, Arrival] = {}

        def all_well() -> bool:
            results = self._results()
            settled = {id_ for id_, arrival in latest.items() if not arrival.fault}
            for event in self._events():
                if event["id"] not in settled:
                    latest[event["id"]] = self._arrival(event["id"], event["type"], results)
            return not any(arrival.fault for arrival in latest.values())

        _wait_until(all_well)
        return latest

    def _arrival(self, event_id: str, kind: str, results: dict[str, str | None]) -> Arrival:
        deliveries = self._get("/_sandbox/deliveries", event=event_id)["data"]
        statuses = [attempt["status"] for each in deliveries for attempt in each["attempts"]]
        return Arrival(f"{kind} ({event_id})", tuple(statuses), results.get(event_id))

    def _events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """All events, or all of the type, newest first."""
        pages: list[dict[str, Any]] = []
        asked = {"limit": 100, **({"type": kind} if kind else {})}
        while True:
            page = self._get("/v1/events", **asked)
            pages += page["data"]
            if not page["has_more"]:
                return pages
            asked["starting_after"] = pages[-1]["id"]

    def _results(self) -> dict[str, str | None]:
        with psycopg.connect(self._database) as connection:
            return dict(connection.execute("SELECT id, result FROM stripe_events").fetchall())

    def _get(self, path: str, **params: object) -> Any:
        answer = requests.get(
            self._sandbox + path,
            params={name: str(value) for name, value in params.items()},
            headers={"Authorization": f"Bearer {_KEY}"},
            timeout=_TIMEOUT,
        )
        answer.raise_for_status()
        return answer.json()


def _event_of(run: Run, events: Iterable[dict[str, Any]]) -> str | None:
    for event in events:
        if event["type"] == run.flow.event and run.concerns(event["data"]["object"]):
            return str(event["id"])
    return None


def _wait_until(done: Callable[[], bool]) -> None:
    """It is done or the time is over: who asked looks at what is missing."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
