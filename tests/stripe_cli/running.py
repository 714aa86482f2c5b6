"""The flows run by the CLI against the running product, and what became of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.stripe_cli.binary import Cli, Said
from tests.stripe_cli.flows import Flow, Reason
from tests.stripe_cli.recorder import Exchange, Recorder

# The CLI, the sandbox, the web processes and the worker share the machine's cores.
_AT_ONCE = 4


@dataclass(frozen=True)
class Run:
    """One flow as the CLI ran it: how that ended, and what was said on the way."""

    flow: Flow
    amended: bool
    said: Said
    exchanges: tuple[Exchange, ...]

    @property
    def name(self) -> str:
        """The flow's name, and what the CLI was told beside it."""
        return " ".join((self.flow.name, *(self.flow.instead if self.amended else ())))

    @property
    def must_pass(self) -> bool:
        """False for a flow that is run as it is although a parameter of it is gone."""
        return self.amended or self.flow.reason is None

    def concerns(self, body: dict[str, Any]) -> bool:
        """True if an answer named that object, or the payment that it is of."""
        names = [json.dumps(body[name]) for name in ("id", "payment_intent") if body.get(name)]
        return any(name in each.answer for name in names for each in self.exchanges)

    def was_refused_for(self, reason: Reason) -> bool:
        """True if an answer was a refusal that the reason speaks of."""
        return any(_refused_parameter(each) in reason.parameters for each in self.exchanges)


def run_all(flows: Iterable[Flow], cli: Cli, recorder: Recorder) -> list[Run]:
    """Every flow was run as it is, and again amended if it can be; several at once."""
    wanted = [(flow, False) for flow in flows]
    wanted += [(flow, True) for flow, _ in wanted if flow.instead]

    def run(number: int, flow: Flow, amended: bool) -> Run:
        key = f"sk_test_cli_{number}"
        more = flow.instead if amended else ()
        said = cli.trigger(flow.name, *more, api=recorder.base, key=key)
        return Run(flow, amended, said, recorder.of(key))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        begun = [pool.submit(run, number, *one) for number, one in enumerate(wanted)]
        return [each.result() for each in begun]


def _refused_parameter(exchange: Exchange) -> str | None:
    """The last name in the parameter that was refused as unknown: phases[0][iterations]."""
    error = json.loads(exchange.answer).get("error", {})
    if exchange.status != 400 or error.get("code") != "parameter_unknown":
        return None
    names = re.findall(r"[^\[\]\d][^\[\]]*", error["param"])
    return names[-1] if names else None
