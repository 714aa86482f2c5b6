"""One sandbox as a fixture sees it: requests in, answers out, and all of them kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from stripe_sandbox.api.served import ROUTES
from tests.sandbox.running import KEY, Process, Receiver, eventually

Json = dict[str, Any]

_SECONDS = 30
_PAGE = 100
_MOST_PAGES = 50
DAY = 24 * 3600
# 1 January 2026, 00:00 UTC.
NEW_YEAR = 1_767_225_600


@dataclass(frozen=True)
class Answer:
    """What a request was answered with, and during which state's making."""

    route: str
    status: int
    body: Any
    state: str

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


def route_of(method: str, path: str) -> str:
    """The line of the sandbox's table that a request takes; says so when there is none."""
    try:
        endpoint, _ = _ROUTES.match(path, method=method)
    except HTTPException:
        return f"{method} {path} (no route)"
    return str(endpoint)


_ROUTES = Map(
    [
        Rule(route.path, methods=[route.method], endpoint=f"{route.method} {route.path}")
        for route in ROUTES
    ]
).bind("localhost")


@dataclass
class World:
    """A sandbox with a receiver of webhooks; what it answers is kept to be looked at."""

    process: Process
    receiver: Receiver
    state: str = ""
    answers: list[Answer] = field(default_factory=list)

    def call(
        self, method: str, path: str, *, key: str = KEY, idempotency_key: str = "", **params: Any
    ) -> Answer:
        """Any request and whatever it is answered with."""
        fields = list(_pairs(params))
        sent = {"data": fields} if method == "POST" else {"params": fields}
        headers = {"Authorization": f"Bearer {key}"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        answered = requests.request(
            method,
            f"{self.process.base}{path}",
            headers=headers,
            timeout=_SECONDS,
            **sent,  # type: ignore[arg-type]
        )
        answer = Answer(route_of(method, path), answered.status_code, answered.json(), self.state)
        self.answers.append(answer)
        return answer

    def get(self, path: str, **params: Any) -> Answer:
        """What is there, read."""
        return self.call("GET", path, **params)

    def post(self, path: str, **params: Any) -> Answer:
        """Something is made or changed."""
        return self.call("POST", path, **params)

    def delete(self, path: str, **params: Any) -> Answer:
        """Something is gone."""
        return self.call("DELETE", path, **params)

    def made(self, path: str, **params: Any) -> Any:
        """What a request that has to succeed has made."""
        answer = self.post(path, **params)
        assert answer.status == 200, f"POST {path}: {answer.body}"
        return answer.body

    def form(self, path: str, **fields: str) -> requests.Response:
        """A page's form, or one of the sandbox's own addresses, sent as a browser would."""
        url = path if path.startswith("http") else f"{self.process.base}{path}"
        return requests.post(url, data=fields, allow_redirects=False, timeout=_SECONDS)

    def wait(self, clock: str, *, days: float) -> None:
        """So much later on the test clock, with everything done that was due on the way."""
        at = f"/v1/test_helpers/test_clocks/{clock}"
        moment = self.get(at)["frozen_time"] + int(days * DAY)
        self.made(f"{at}/advance", frozen_time=moment)
        eventually(lambda: bool(self.get(at)["status"] == "ready"), seconds=_SECONDS)

    def events(self) -> list[Json]:
        """Every event there is, each as it was delivered."""
        there = set(self._event_ids())
        eventually(lambda: there <= {one["id"] for one in self.receiver.events()}, seconds=_SECONDS)
        delivered = {event["id"]: event for event in self.receiver.events()}
        return list(delivered.values())

    def _event_ids(self) -> Iterator[str]:
        after: Json = {}
        for _ in range(_MOST_PAGES):
            page = self.get("/v1/events", limit=_PAGE, **after).body
            yield from (event["id"] for event in page["data"])
            if not page["has_more"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}
        raise AssertionError(f"there are more than {_MOST_PAGES} pages of events")


def _pairs(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    """Nested parameters as the form fields that Stripe's SDK writes for them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(inner, f"{name}[{key}]" if name else key)
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            yield from _pairs(inner, f"{name}[{position}]")
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
