"""The table of fixtures: one line for each route and each state that its answer can be in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.world import Answer, World

Make = Callable[[World], Answer]


@dataclass(frozen=True)
class Fixture:
    """A route, a state of what it answers, how to get there, and how one sees that one is there."""

    route: str
    state: str
    make: Make
    http: int = 200
    shows: dict[str, Any] = field(default_factory=dict)

    def not_reached(self, answer: Answer) -> str | None:
        """Why the answer is not of this route and state; None when it is."""
        if answer.route != self.route:
            return f"answered by {answer.route}"
        if answer.status != self.http:
            return f"status {answer.status} instead of {self.http}: {answer.body}"
        for path, wanted in self.shows.items():
            shown = _at(answer.body, path)
            if shown != wanted:
                return f"{path} is {shown!r} instead of {wanted!r}"
        return None


@dataclass
class Table:
    """The fixtures of one family of objects; they share one sandbox, in this order."""

    family: str
    fixtures: list[Fixture] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    def row(
        self, route: str, state: str, *, http: int = 200, **shows: Any
    ) -> Callable[[Make], Make]:
        """The function below answers by this route in this state; ``a__b`` looks at ``a.b``."""

        def add(make: Make) -> Make:
            paths = {name.replace("__", "."): value for name, value in shows.items()}
            self.fixtures.append(Fixture(route, state, make, http, paths))
            return make

        return add


def _at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body[int(name)] if isinstance(body, list) else body.get(name)
        if body is None:
            return None
    return body
