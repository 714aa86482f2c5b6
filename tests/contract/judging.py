"""What a family of fixtures was answered with, judged: every body, every event, every state."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import requests
import stripe

from tests.contract import checking, drift, removed
from tests.contract.table import Fixture, Table
from tests.contract.world import Answer, World
from tests.sandbox.running import Process, Receiver

Json = dict[str, Any]

# Stripe's documents say of this event that its invoice has no id: there is none yet.
_NO_ID_YET = ("invoice.upcoming", ("$.data.object", "'id' is a required property"))
_TRIES = 3
_PLACE = re.compile(r"\[[0-9]+\]")
_EVENT_TYPES = frozenset(get_args(stripe.Event.__annotations__["type"]))


@dataclass(frozen=True)
class Violation:
    """Something that is not as promised: by which route, in which state, where, and how."""

    route: str
    state: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.route}, {self.state}, {self.path}, {self.message}"


@dataclass
class Findings:
    """What was looked at, and what was found."""

    fixtures: int = 0
    responses: int = 0
    refusals: int = 0
    events: int = 0
    event_types: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)
    seen: set[tuple[str, str, str]] = field(default_factory=set)


def unlisted(routes: set[str], tables: Iterable[Table]) -> Iterator[Violation]:
    """The routes without a fixture, and the fixtures of routes that there are not."""
    listed = {fixture.route for table in tables for fixture in table.fixtures}
    for route in sorted(routes - listed):
        yield Violation(route, "none", "$", "it has no fixture; tests/contract/fixtures takes one")
    for route in sorted(listed - routes):
        yield Violation(route, "none", "$", "a fixture is of this route, and it is not served")


def judge(table: Table) -> Findings:
    """The family's fixtures were made in a sandbox of their own, and all it said was looked at."""
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        receiver = Receiver(port=0)
        receiver.open()
        process = _started(Path(folder), receiver.url, table.settings)
        world = World(process, receiver)
        try:
            for fixture in table.fixtures:
                findings.violations += _made(world, fixture)
            world.state = "events"
            events = world.events()
        finally:
            process.stop()
            receiver.close()
    findings.fixtures = len(table.fixtures)
    for answer in world.answers:
        _look(findings, answer)
    for event in events:
        _look_at_event(findings, event)
    return findings


def _started(folder: Path, webhook_url: str, settings: dict[str, str]) -> Process:
    # Between asking for a free port and listening on it somebody else may take it.
    for _ in range(_TRIES - 1):
        with contextlib.suppress(AssertionError):
            return Process(folder, webhook_url=webhook_url, settings=settings).start()
    return Process(folder, webhook_url=webhook_url, settings=settings).start()


def _made(world: World, fixture: Fixture) -> Iterator[Violation]:
    world.state = fixture.state
    try:
        answer = fixture.make(world)
    except (AssertionError, KeyError, requests.RequestException) as fault:
        said = f"could not be made: {type(fault).__name__} {fault}"
        yield Violation(fixture.route, fixture.state, "$", said[:600])
        return
    missed = fixture.not_reached(answer)
    if missed:
        yield Violation(fixture.route, fixture.state, "$", f"the state was not reached: {missed}")


def _look(findings: Findings, answer: Answer) -> None:
    findings.responses += 1
    findings.refusals += answer.status != 200
    findings.objects |= set(_kinds(answer.body))
    found = [*removed.faults(answer.body), *answer_faults(answer)]
    findings.violations += _once(answer.route, answer.state, found, findings)


def answer_faults(answer: Answer) -> list[checking.Fault]:
    """Where and how an answer is not what its route promises, or no error as Stripe writes them."""
    if answer.status != 200:
        return checking.faults(answer.body, "error")
    return [*checking.answer_faults(answer.body, answer.route), *_strangers(answer.body)]


def _look_at_event(findings: Findings, event: Json) -> None:
    findings.events += 1
    findings.event_types.add(event["type"])
    found = event_faults(event)
    findings.violations += _once(f"event {event['type']}", "delivered", found, findings)


def event_faults(event: Json) -> list[checking.Fault]:
    """Where and how a delivered event, or the object in it, is not what it says it is."""
    inner = event["data"]["object"]
    kind = checking.name_of(inner)
    # The object in the event of an end is the last state it had, not the short word of an answer.
    before = event["data"].get("previous_attributes") or {}
    found = [
        *checking.faults(event, "event"),
        *_below("$.data.object", [*checking.faults(inner, kind), *removed.faults(inner)]),
        *_below("$.data.previous_attributes", checking.previous_faults(before, kind)),
        *_strangers(inner),
    ]
    if event["type"] not in _EVENT_TYPES:
        found.append(("$.type", f"the SDK knows no event {event['type']}"))
    return [fault for fault in found if (event["type"], fault) != _NO_ID_YET]


def _below(place: str, found: Iterable[checking.Fault]) -> Iterator[checking.Fault]:
    return ((f"{place}{path[1:]}", message) for path, message in found)


def _strangers(body: Any) -> list[checking.Fault]:
    known = {*drift.SERVED, "list", "search_result"}
    strange = {kind for kind in _kinds(body) if kind not in known}
    return [("$", f"{kind} is not in drift.SERVED") for kind in sorted(strange)]


def _kinds(body: Any) -> Iterator[str]:
    if isinstance(body, list):
        for one in body:
            yield from _kinds(one)
    elif isinstance(body, dict):
        if isinstance(body.get("object"), str):
            yield body["object"]
        for name, inner in body.items():
            if name != "metadata":
                yield from _kinds(inner)


def _once(
    route: str, state: str, found: Iterable[checking.Fault], findings: Findings
) -> Iterator[Violation]:
    """The faults as violations, each where the route shows it first."""
    for path, message in found:
        sign = (route, _PLACE.sub("[]", path), message)
        if sign not in findings.seen:
            findings.seen.add(sign)
            yield Violation(route, state, path, message)
