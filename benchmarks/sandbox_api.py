"""Requests to the sandbox a second, beside a route of the same server that does nothing."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlencode

from benchmarks import load, sandbox_processes
from benchmarks.report import Report, quantile
from tests.support.stack import temporary_folder

ROUNDS = 5
REQUESTS = 2_000
CONNECTIONS = 8
_NO_OP = load.post("/", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"})


@dataclass(frozen=True)
class _Round:
    served: float
    yardstick: float
    latencies: list[float]


def customers() -> Report:
    """Customers made a second, each under an idempotency key of its own."""
    return _run("sandbox_customer", "customers/s", _customer)


def payments() -> Report:
    """Payments made and confirmed a second: an intent, a charge, a balance entry, three events."""
    return _run("sandbox_payment", "payments/s", _payment)


def _run(bench: str, unit: str, request: Callable[[int], bytes]) -> Report:
    numbers = count(1)
    with (
        temporary_folder("sandbox-bench-") as folder,
        sandbox_processes.sandbox(folder) as port,
        sandbox_processes.no_op(folder) as no_op,
    ):

        def round_of(requests: int) -> _Round:
            made = [request(next(numbers)) for _ in range(requests)]
            ours = load.drive(port, made, connections=CONNECTIONS)
            bare = load.drive(no_op, [_NO_OP] * requests, connections=CONNECTIONS)
            return _Round(requests / ours.seconds, requests / bare.seconds, ours.latencies)

        round_of(REQUESTS // 10)  # warms both up
        rounds = [round_of(REQUESTS) for _ in range(ROUNDS)]
    return _report(bench, unit, rounds)


def _customer(number: int) -> bytes:
    form = {
        "email": f"ada{number}@example.com",
        "name": "Ada Example",
        "metadata[user_id]": str(number),
    }
    return _post("/v1/customers", form, number)


def _payment(number: int) -> bytes:
    form = {
        "amount": "1999",
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "return_url": "http://localhost:1/return",
        "metadata[order_id]": str(number),
    }
    return _post("/v1/payment_intents", form, number)


def _post(path: str, form: dict[str, str], number: int) -> bytes:
    headers = {
        "Authorization": f"Bearer {sandbox_processes.KEY}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": f"bench-{number}",
    }
    return load.post(path, urlencode(form).encode(), headers)


def _report(bench: str, unit: str, rounds: list[_Round]) -> Report:
    latencies = [seconds for each in rounds for seconds in each.latencies]
    return Report(
        bench=bench,
        value=round(statistics.median(each.served for each in rounds), 1),
        unit=unit,
        yardstick=round(statistics.median(each.yardstick for each in rounds), 1),
        yardstick_is="a Flask route that does nothing, under the same server, requests/s",
        ratio=round(statistics.median(each.served / each.yardstick for each in rounds), 3),
        rounds=len(rounds),
        p50_ms=round(quantile(latencies, 0.50) * 1000, 2),
        p99_ms=round(quantile(latencies, 0.99) * 1000, 2),
        more={"connections": CONNECTIONS, "requests": len(latencies)},
    )
