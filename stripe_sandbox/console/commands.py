"""What each command does, and what it prints."""

import argparse
import json
import time
from collections.abc import Iterator

from stripe_sandbox import Json
from stripe_sandbox.console import words
from stripe_sandbox.console.remote import Refused, Remote

_CLOCKS = "/v1/test_helpers/test_clocks"
_LOOK_SECONDS = 0.1
_LONGEST_ADVANCE_SECONDS = 600


def clock(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """The sandbox's own clock was shown, or moved."""
    if given.verb is None:
        now = sandbox.get("/_sandbox/clock")["now"]
        yield f"{words.shown(now)} ({now})"
        return
    by = given.by if given.verb == "advance" else None
    to = given.to if given.verb == "to" else None
    wait = "deliveries" if given.wait else None
    moved = sandbox.post("/_sandbox/clock", {"advance_seconds": by, "to": to, "wait": wait})
    yield f"{words.shown(moved['now'])} ({moved['now']})"
    told = ""
    if given.wait:
        told = ", each sent once" if moved["delivered"] else ", not all of them sent in time"
    yield f"{moved['work']} due, {moved['events']} events{told}"


def test_clock(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """The test clock has gone that far and is ready again."""
    path = f"{_CLOCKS}/{given.clock}"
    found = sandbox.get(path)
    if found.get("deleted"):
        raise Refused(f"the test clock {given.clock} is deleted")
    sandbox.post(f"{path}/advance", {"frozen_time": found["frozen_time"] + given.by})
    deadline = time.monotonic() + _LONGEST_ADVANCE_SECONDS
    while (found := sandbox.get(path))["status"] != "ready":
        if time.monotonic() > deadline:
            raise Refused(f"the test clock {given.clock} is still advancing")
        time.sleep(_LOOK_SECONDS)
    yield f"{words.shown(found['frozen_time'])} ({found['frozen_time']})"


def deliveries(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """The newest deliveries that were asked for, one a line."""
    asked = {name: getattr(given, name) for name in ("endpoint", "state", "event", "type", "limit")}
    page = sandbox.get("/_sandbox/deliveries", asked)
    for row in page["data"]:
        yield _delivery(row)
    if page["has_more"]:
        yield "…"


def endpoints(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """Every webhook endpoint with the modes that are on, one a line."""
    for row in sandbox.get("/_sandbox/endpoints")["data"]:
        yield _endpoint(row)


def lab(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """The laboratory of the endpoint was shown, set up anew, or cleared."""
    path = f"/_sandbox/endpoints/{given.endpoint}/lab"
    if given.modes == ["off"]:
        found = sandbox.delete(path)
    elif given.modes:
        found = sandbox.post(path, _pairs(given.modes))
    else:
        found = sandbox.get(path)
    yield _endpoint(found)
    if found["second_secret"]:
        yield f"second secret {found['second_secret']}"


def redeliver(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """The event is on its way again."""
    path = f"/_sandbox/events/{given.event}/redeliver"
    sent = sandbox.post(path, {"endpoint": given.endpoint})
    for row in sent["deliveries"]:
        yield f"{given.event} goes to {row['endpoint']} as delivery {row['id']}"


def faults(sandbox: Remote, given: argparse.Namespace) -> Iterator[str]:
    """The rules of failure were listed, added to, or cleared."""
    path = "/_sandbox/faults"
    if given.verb == "add":
        yield _fault(sandbox.post(path, {"kind": given.kind, **_pairs(given.fields)}))
    elif given.verb == "clear":
        number = f"/{given.number}" if given.number is not None else ""
        yield f"{sandbox.delete(path + number)['cleared']} cleared"
    else:
        for row in sandbox.get(path)["data"]:
            yield _fault(row)


def _pairs(given: list[str]) -> dict[str, object]:
    pairs = [part.partition("=") for part in given]
    for name, joint, _ in pairs:
        if not joint:
            raise Refused(f"{name} wants a value, as in {name}=on")
    return {name: value for name, _, value in pairs}


def _delivery(row: Json) -> str:
    last = row["attempts"][-1] if row["attempts"] else {}
    ending = last.get("status") or last.get("fault") or "-"
    latency = f"{last['seconds'] * 1000:.0f}ms" if last else "-"
    quirks = json.dumps(row["quirks"]) if row["quirks"] else ""
    facts = (
        *(str(row["id"]), words.shown(row["made_at"]), row["state"], f"tries={row['tries']}"),
        *(str(ending), latency, row["type"], row["event"], row["endpoint"], quirks),
    )
    return "  ".join(fact for fact in facts if fact)


def _endpoint(row: Json) -> str:
    shares = {
        name: value for name, value in row["modes"].items() if name in row["shares"] and value
    }
    on = " ".join(f"{name}={share}%" for name, share in shares.items())
    state = f"seed={row['modes']['seed']} {on} seen={row['seen']}" if on else "off"
    return f"{row['endpoint']}  {row['status']}  {row['url']}  {state}"


def _fault(row: Json) -> str:
    facts = {name: value for name, value in row.items() if name not in ("id", "kind")}
    return f"{row['id']}  {row['kind']}  " + " ".join(
        f"{name}={value}" for name, value in facts.items() if value is not None
    )
