"""What is wrong with what the CLI's flows led to, each fault in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tests.stripe_cli import flows
from tests.stripe_cli.flows import Flow
from tests.stripe_cli.product import Arrival
from tests.stripe_cli.running import Run


def of_the_table(table: Collection[Flow], triggered: Collection[str]) -> Iterator[str]:
    """Where our table and what the CLI can trigger differ."""
    names = [flow.name for flow in table]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} stands in the table twice"
    for name in sorted(set(names) - set(triggered)):
        yield f"{name} is in the table, and the CLI does not know it"
    for name in sorted(set(triggered) - set(names)):
        if not flows.is_outside(name):
            yield f"{name} can be triggered, and the table does not say what must come of it"


def of_a_pass(run: Run, event: str | None, arrivals: Mapping[str, Arrival]) -> str:
    """Why the run did not pass, or nothing: the CLI, the event, its way into the product."""
    if run.said.status != 0:
        return f"{run.name}: the CLI ended with {run.said.status}: {run.said.text.strip()}"
    if event is None:
        return f"{run.name}: no {run.flow.event} came of it"
    arrival = arrivals.get(event)
    fault = arrival.fault if arrival else f"{event} is not among the events"
    return f"{run.name}: {fault}" if fault else ""


def of_a_refusal(run: Run, event: str | None) -> str:
    """Why the listed run was not refused as its reason says, or nothing."""
    reason = run.flow.reason
    assert reason is not None, run.name
    if event is not None:
        return f"{run.name} passes now: take it off the list"
    if reason.parameters and not run.was_refused_for(reason):
        said = "; ".join(f"{each.request}: {each.status}" for each in run.exchanges)
        return f"{run.name} was not refused for {' or '.join(reason.parameters)}: {said}"
    return ""
