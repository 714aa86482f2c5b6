"""A year of a hundred monthly subscriptions: every renewal charged, every webhook delivered."""

from __future__ import annotations

import time
from typing import Any

import requests

from benchmarks import load, sandbox_processes
from benchmarks.report import Report, quantile
from tests.support.stack import temporary_folder

SUBSCRIPTIONS = 100
MONTHS = 12
# A year and a day: the twelfth renewal is in it, and whatever follows a renewal within hours.
_YEAR_SECONDS = 366 * 24 * 3600 + 7200
_LONGEST_SECONDS = 300
_CONNECTIONS = 4
_NO_OP = load.post("/", b"{}", {"Content-Type": "application/json"})


def run() -> Report:
    """The clock is moved a year; the answer comes when all that happened is delivered."""
    with (
        temporary_folder("sandbox-bench-") as folder,
        sandbox_processes.no_op(folder) as receiver,
        sandbox_processes.sandbox(folder, webhook_url=f"http://localhost:{receiver}/") as port,
    ):
        shop = _Shop(port)
        for number in range(SUBSCRIPTIONS):
            shop.subscribe(number)
        began = time.perf_counter()
        moved = shop.advance(_YEAR_SECONDS)
        seconds = time.perf_counter() - began
        shop.require_paid(SUBSCRIPTIONS * (MONTHS + 1))
        latencies = shop.latencies()
        events = int(moved["events"])
        bare = load.drive(receiver, [_NO_OP] * events, connections=_CONNECTIONS)
    return Report(
        bench="sandbox_year",
        value=round(seconds, 2),
        unit="s (100 monthly subscriptions, a year, until every event was delivered)",
        yardstick=round(bare.seconds, 2),
        yardstick_is="the receiver alone, taking as many posts, s",
        ratio=round(seconds / bare.seconds, 2),
        rounds=1,
        p50_ms=round(quantile(latencies, 0.50) * 1000, 2),
        p99_ms=round(quantile(latencies, 0.99) * 1000, 2),
        more={"invoices": SUBSCRIPTIONS * MONTHS, "events": events, "work": int(moved["work"])},
    )


class _Shop:
    """A merchant with one monthly plan, whose payers fill in the checkout page."""

    def __init__(self, port: int) -> None:
        self._base = f"http://localhost:{port}"
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {sandbox_processes.KEY}"
        price = {
            "currency": "usd",
            "unit_amount": "1999",
            "recurring[interval]": "month",
            "product_data[name]": "Starter",
        }
        self._plan = str(self._post("/v1/prices", price)["id"])

    def subscribe(self, number: int) -> None:
        """One more customer has paid for the first month."""
        order = {
            "mode": "subscription",
            "line_items[0][price]": self._plan,
            "line_items[0][quantity]": "1",
            "success_url": "http://localhost:1/done",
        }
        session = self._post("/v1/checkout/sessions", order)
        card = {"number": "4242424242424242", "expiry": "12 / 34", "cvc": "123", "name": "Ada"}
        payer = {"email": f"ada{number}@example.com"}
        paid = self._http.post(
            f"{self._base}/c/pay/{session['id']}", card | payer, allow_redirects=False, timeout=30
        )
        assert paid.status_code == 303, "the payment was refused"

    def advance(self, seconds: int) -> dict[str, Any]:
        """The sandbox's clock has moved, and every event made on the way was sent."""
        form = {"advance_seconds": str(seconds), "wait": "deliveries", "wait_seconds": "120"}
        moved = self._post("/_sandbox/clock", form)
        assert moved["delivered"] is True, "not every event was delivered in time"
        return moved

    def require_paid(self, number: int) -> None:
        """So many invoices exist, and all are paid."""
        found: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = self._get("/v1/invoices", {"limit": "100", **after})
            found += [invoice["status"] for invoice in page["data"]]
            if not page["has_more"]:
                break
            after = {"starting_after": page["data"][-1]["id"]}
        assert found == ["paid"] * number, f"{len(found)} invoices, not all of them paid"

    def latencies(self) -> list[float]:
        """Seconds that the newest deliveries took, as the sandbox recorded them."""
        page = self._get("/_sandbox/deliveries", {"limit": "100"})
        return [attempt["seconds"] for sent in page["data"] for attempt in sent["attempts"]]

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        answer = self._http.post(self._base + path, form, timeout=_LONGEST_SECONDS)
        assert answer.ok, answer.text
        return dict(answer.json())

    def _get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        answer = self._http.get(self._base + path, params=query, timeout=_LONGEST_SECONDS)
        assert answer.ok, answer.text
        return dict(answer.json())
