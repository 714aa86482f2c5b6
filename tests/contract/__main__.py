"""``python -m tests.contract``: the sandbox and the product held against Stripe's descriptions."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from stripe_sandbox.api.served import ROUTES
from tests.contract import drift, gateway, judging, overlay, recording, removed, spec
from tests.contract.fixtures import TABLES
from tests.contract.judging import Findings, Violation

_AT_A_TIME = 3


def main() -> int:
    """Every count and every violation is printed; 0 when there is none of the latter."""
    try:
        spec.fetch()
    except spec.SpecMissing as missing:
        sys.stderr.write(f"sandbox-contract: {missing}\n")
        return 1
    with ThreadPoolExecutor(_AT_A_TIME) as families:
        found = list(families.map(judging.judge, TABLES))
    violations = [
        *_of_the_overlay(),
        *judging.unlisted({f"{route.method} {route.path}" for route in ROUTES}, TABLES),
        *(violation for findings in found for violation in findings.violations),
    ]
    _say("overlay entries", len(overlay.CHANGES) + len(overlay.ROUTES), "each with its reason")
    _say("removed fields", removed.count(), "asserted absent from every answer and event")
    _say_responses(found)
    violations += _of_the_requests()
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    _say("violations", len(violations), "of Stripe's contract" if violations else "all holds")
    return 1 if violations else 0


def _say(what: str, count: int, more: str) -> None:
    sys.stdout.write(f"{what:20}{count:>7}  {more}\n")


def _say_responses(found: list[Findings]) -> None:
    _say("routes", len(ROUTES), "in the sandbox's table, each with a fixture or named below")
    _say("fixtures", sum(one.fixtures for one in found), f"in {len(found)} families")
    refusals = sum(one.refusals for one in found)
    _say("responses validated", sum(one.responses for one in found), f"{refusals} of them errors")
    objects = set().union(*(one.objects for one in found)) - {"list", "search_result"}
    _say("objects", len(objects), "kinds seen in them")
    types = set().union(*(one.event_types for one in found))
    _say("events validated", sum(one.events for one in found), f"of {len(types)} types")


def _of_the_overlay() -> Iterable[Violation]:
    for sentence in drift.differences():
        yield Violation("overlay", "incomplete", "$", sentence)
    for sentence in removed.returned():
        yield Violation("removed fields", "wrong", "$", sentence)


def _of_the_requests() -> list[Violation]:
    """The product's requests: of every verb of its gateway now, and of the last whole test run."""
    now, before = gateway.requests(), recording.kept()
    both = sorted({*now, *before}, key=lambda request: (request.path, request.method))
    routes = len({request.route for request in both})
    run = f"{len(before)} of the last whole test run" if before else "no whole test run is kept"
    _say("requests validated", len(both), f"by {routes} methods of the SDK; {run}")
    found = [
        Violation(request.route, "request", path, message)
        for request, path, message in recording.faults(both)
    ]
    for verb in gateway.not_called():
        message = "it has no call in tests/contract/gateway.py"
        found.append(Violation(f"StripeGateway.{verb}", "request", "$", message))
    if not now:
        found.append(Violation("StripeGateway", "request", "$", "it sent no request"))
    return found


if __name__ == "__main__":
    sys.exit(main())
