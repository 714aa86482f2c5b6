"""`make sandbox-cli`: every flow of `stripe trigger` against the sandbox and the whole product."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.stripe_cli import binary, verdict
from tests.stripe_cli.flows import FLOWS
from tests.stripe_cli.product import Arrival, Product
from tests.stripe_cli.recorder import Recorder
from tests.stripe_cli.running import Run, run_all
from tests.support.stack import StackFault, die_politely, running_stack, temporary_folder


@dataclass(frozen=True)
class Outcome:
    """Every run with the event that it led to, and what became of all events."""

    events: dict[Run, str | None]
    arrivals: dict[str, Arrival]

    def faults_of_runs(self) -> dict[Run, str]:
        """What is wrong with each run; nothing, if it ended as the table says."""
        return {
            run: verdict.of_a_pass(run, event, self.arrivals)
            if run.must_pass
            else verdict.of_a_refusal(run, event)
            for run, event in self.events.items()
        }

    def faults_of_others(self) -> Iterator[str]:
        """What is wrong with the events that came along with those we asked for."""
        for event, arrival in self.arrivals.items():
            if arrival.fault and event not in self.events.values():
                yield arrival.fault


def main() -> int:
    """0 when every flow ended as the table says; nothing that was started is left in any case."""
    die_politely()
    began = time.monotonic()
    try:
        with temporary_folder("talkingphoto-cli-") as folder:
            faults = _faults(folder)
    except (binary.NoCli, StackFault) as refusal:
        faults = [str(refusal)]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    _say(f"{len(faults)} faults, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


def _faults(folder: Path) -> list[str]:
    cli = binary.unpacked(folder)
    triggered = cli.events()
    faults = list(verdict.of_the_table(FLOWS, triggered))
    if faults:
        return faults
    outside = len(triggered) - len(FLOWS)
    _say(f"Stripe CLI {binary.VERSION}: {len(FLOWS)} flows of our families, {outside} of others")
    outcome = _run(cli)
    of_runs = outcome.faults_of_runs()
    _tell(outcome, of_runs)
    return [*filter(None, of_runs.values()), *outcome.faults_of_others()]


def _run(cli: binary.Cli) -> Outcome:
    with running_stack() as stack, Recorder(stack.sandbox) as recorder:
        product = Product(stack)
        runs = run_all(FLOWS, cli, recorder)
        found = product.events_of(run for run in runs if run.must_pass)
        arrivals = product.arrivals()
        strays = {run: product.event_now(run) for run in runs if not run.must_pass}
    return Outcome({run: found.get(run) or strays.get(run) for run in runs}, arrivals)


def _tell(outcome: Outcome, faults: dict[Run, str]) -> None:
    good = [run for run, fault in faults.items() if not fault]
    passed = [run for run in good if run.flow.reason is None]
    listed = [run for run in good if not run.must_pass]
    amended = [run for run in good if run.amended]
    _say(f"flows passed {len(passed)} / listed {len(listed)}, of which {len(amended)} pass amended")
    for reason in dict.fromkeys(run.flow.reason for run in listed):
        assert reason is not None, "a listed flow has a reason"
        names = [run.flow.name for run in listed if run.flow.reason is reason]
        _say(f"  {', '.join((*reason.parameters[:1], reason.why))}: {' '.join(names)}")
    for instead in dict.fromkeys(run.flow.instead for run in amended):
        names = [run.flow.name for run in amended if run.flow.instead == instead]
        _say(f"  passed with {' '.join(instead)}: {' '.join(names)}")
    results = Counter(arrival.result or "waiting" for arrival in outcome.arrivals.values())
    ends = ", ".join(f"{number} {result}" for result, number in sorted(results.items()))
    _say(f"{len(outcome.arrivals)} events in our app: {ends}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
