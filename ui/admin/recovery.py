"""What failed in a time, what was got back of it, and what did that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from services import retry_service
from talkingphoto import runtime
from talkingphoto.foundation.money import Money
from ui import kit, session, wording
from ui.admin import tables

_DAYS = 90
_CAUSES = {
    "manual": "by hand",
    "mail_link": "from our mail",
    "new_card": "by another card",
    "stripe_retry": "by Stripe's tries",
}


def section(_visit: session.Visit, staff_id: str) -> None:
    """A period, and for each currency what failed in it and what became of that since."""
    periods = _periods(runtime.current().clock().date())
    chosen = st.radio("Period", list(periods), horizontal=True, key="tp-office-period")
    start, end = periods[chosen] if chosen else periods["This month"]
    service = retry_service.retry_service
    report = service.recovered(staff_id=staff_id, start=start, end=end)
    between = f"{_day(start)} to {_day(end)}"
    if not report.by_currency:
        kit.show(kit.empty(f"No invoice failed for the first time from {between}."))
        return
    kit.show(
        f'<p class="tp-muted">Invoices that failed for the first time from {between} (UTC), and '
        "what became of them since; how many stands in brackets.</p>",
        '<div class="tp-cards">',
        *(_card(currency, found) for currency, found in sorted(report.by_currency.items())),
        "</div>",
        '<h2 class="tp-h2">By the first reason of the bank</h2>',
        tables.table(
            ("Reason", "Failed", "Got back", "Open", "Lost", "Rate"),
            _reasons(report),
            none="",
            numbers=("Failed", "Got back", "Open", "Lost", "Rate"),
        ),
    )


def _periods(today: date) -> dict[str, tuple[date, date]]:
    """First and last day of each choice."""
    begun = today.replace(day=1)
    before = begun - timedelta(days=1)
    return {
        "This month": (begun, today),
        "Last month": (before.replace(day=1), before),
        f"Last {_DAYS} days": (today - timedelta(days=_DAYS - 1), today),
    }


def _card(currency: str, found: retry_service.Recovered) -> str:
    rows = [
        ("Failed", _counted(found.failed, found.failed_invoices)),
        ("Got back", _counted(found.recovered, found.recovered_invoices)),
        *(
            (f"of it {_CAUSES[cause]}", wording.amount(part))
            for cause, part in sorted(found.by_cause.items(), key=_largest_first)
        ),
        ("Still open", wording.amount(found.open)),
        ("Lost", wording.amount(found.lost)),
    ]
    return (
        '<section class="tp-card"><div class="tp-row tp-row--between">'
        f'<h2 class="tp-h2">{kit.esc(currency.upper())}</h2>'
        f"{kit.badge(f'{_rate(found)} got back', 'info')}</div>{kit.facts(rows)}</section>"
    )


def _largest_first(part: tuple[str, Money]) -> int:
    return -part[1].minor


def _reasons(report: retry_service.RecoveryReport) -> Iterator[tuple[str, ...]]:
    for code, groups in report.by_code.items():
        for _, found in sorted(groups.items()):
            yield (
                code.replace("_", " "),
                _counted(found.failed, found.failed_invoices),
                _counted(found.recovered, found.recovered_invoices),
                wording.amount(found.open),
                wording.amount(found.lost),
                _rate(found),
            )


def _counted(value: Money, invoices: int) -> str:
    return f"{wording.amount(value)} ({invoices:,})"


def _rate(found: retry_service.Recovered) -> str:
    return f"{found.rate_tenths // 10}.{found.rate_tenths % 10} %"


def _day(which: date) -> str:
    return wording.day(datetime.combine(which, time.min, tzinfo=UTC))
