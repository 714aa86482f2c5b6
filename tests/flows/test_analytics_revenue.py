"""Revenue is what was really paid, by day, currency, tier and source."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.payment_analytics import AnalyticsService, Figures
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.till import Till

JANUARY = (date(2025, 1, 1), date(2025, 1, 31))
SALE = {"amount": 49.99, "currency": "usd", "tier": "pro", "customer_email": "user@example.com"}
NO_RANGES: list[tuple[Any, Any]] = [
    (date(2025, 1, 2), date(2025, 1, 1)),
    (date(2020, 1, 1), date(2025, 1, 6)),
    (date(1, 1, 1), date.max),
    (date.max, date.max),
    ("2025-01-01", date(2025, 1, 31)),
    (date(2025, 1, 1), None),
    (datetime(2025, 1, 1, tzinfo=UTC), date(2025, 1, 31)),
]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2025, 1, 15, 12, tzinfo=UTC))


@pytest.fixture
def analytics(runtime: Runtime) -> AnalyticsService:
    return AnalyticsService(runtime)


@pytest.fixture
def till(runtime: Runtime) -> Till:
    return Till(runtime)


def january(analytics: AnalyticsService) -> Any:
    return analytics.get_revenue_analytics(start_date=JANUARY[0], end_date=JANUARY[1])


def short(figures: Figures) -> tuple[int, int, int, int, int]:
    return (
        figures["gross_minor"],
        figures["refunded_minor"],
        figures["net_minor"],
        figures["payments"],
        figures["failed"],
    )


def test_both_ends_of_the_range_are_in_and_their_neighbours_are_not(
    analytics: AnalyticsService, till: Till
) -> None:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    last = datetime(2025, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    till.takes(100, first - timedelta(microseconds=1))
    till.takes(2000, first)
    till.takes(3000, last)
    till.takes(100, last + timedelta(microseconds=1))
    report = january(analytics)
    assert short(report["by_currency"]["usd"]) == (5000, 0, 5000, 2, 0)
    assert list(report["by_day"]) == ["2025-01-01", "2025-01-31"]


def test_payments_and_tracked_events_are_added_and_told_apart(
    analytics: AnalyticsService, till: Till, clock: TestClock
) -> None:
    till.takes(1999, clock(), tax_minor=319)
    till.takes(4450, clock(), kind="pack", item="pack:50")
    till.takes(4999, clock(), item="pro:month")
    analytics.track_payment_event("payment_success", SALE)
    analytics.track_payment_event("payment_success", {"amount": 1, "currency": "usd"})
    analytics.track_payment_event("refund_asked", SALE)
    analytics.track_payment_event("payment_success", {"tier": "pro"})
    report = january(analytics)
    assert report["by_currency"]["usd"]["gross_minor"] == 1999 + 4450 + 4999 + 4999 + 100
    assert report["by_currency"]["usd"]["tax_minor"] == 319
    tiers = {tier: part["usd"]["gross_minor"] for tier, part in report["by_tier"].items()}
    assert tiers == {"other": 100, "pack": 4450, "pro": 2 * 4999, "starter": 1999}
    sources = {name: part["usd"]["payments"] for name, part in report["by_source"].items()}
    assert sources == {"stripe": 3, "tracked": 2}


def test_refunds_come_off_and_failures_and_open_invoices_bring_nothing(
    analytics: AnalyticsService, till: Till, clock: TestClock
) -> None:
    till.gives_back(till.takes(2000, clock()), 2000)
    till.gives_back(till.takes(3000, clock()), 500)
    till.takes(4000, clock(), status="failed")
    till.takes(5000, clock(), status="open")
    till.takes(6000, clock(), status="void")
    usd = january(analytics)["by_currency"]["usd"]
    assert short(usd) == (5000, 2500, 2500, 2, 1)
    assert (usd["gross"], usd["refunded"], usd["net"]) == (50, 25, 25)


def test_currencies_are_never_added_together(
    analytics: AnalyticsService, till: Till, clock: TestClock
) -> None:
    till.takes(1999, clock())
    till.takes(500, clock(), currency="jpy")
    found = january(analytics)["by_currency"]
    assert {code: figures["gross"] for code, figures in found.items()} == {
        "jpy": Decimal(500),
        "usd": Decimal("19.99"),
    }


def test_a_payment_counts_on_its_day_in_utc_wherever_it_was_made(
    analytics: AnalyticsService, till: Till
) -> None:
    till.takes(1999, datetime.fromisoformat("2025-01-31T23:30:00-05:00"))
    assert january(analytics)["by_currency"] == {}


def test_an_empty_period_is_an_empty_report(analytics: AnalyticsService) -> None:
    assert january(analytics) == {
        "start_date": JANUARY[0],
        "end_date": JANUARY[1],
        "by_currency": {},
        "by_day": {},
        "by_tier": {},
        "by_source": {},
    }


def test_a_range_that_makes_no_sense_is_refused(analytics: AnalyticsService) -> None:
    for start, end in NO_RANGES:
        for ask in (analytics.get_revenue_analytics, analytics.generate_revenue_chart):
            with pytest.raises(errors.InvalidRequest) as refusal:
                ask(start_date=start, end_date=end)
            assert refusal.value.code == "analytics.dates"


def test_one_day_and_five_years_are_fine(analytics: AnalyticsService, till: Till) -> None:
    till.takes(1999, datetime(2025, 1, 15, tzinfo=UTC))
    for start, end in (
        (date(2025, 1, 15), date(2025, 1, 15)),
        (date(2020, 1, 16), date(2025, 1, 15)),
    ):
        report = analytics.get_revenue_analytics(start_date=start, end_date=end)
        assert report["by_currency"]["usd"]["gross_minor"] == 1999


def test_a_chart_has_a_bar_for_every_day_and_a_series_for_every_currency(
    analytics: AnalyticsService, till: Till, clock: TestClock
) -> None:
    till.gives_back(till.takes(1999, clock()), 999)
    till.takes(500, clock() + timedelta(days=1), currency="jpy")
    figure = analytics.generate_revenue_chart(start_date=JANUARY[0], end_date=JANUARY[1])
    dollars, yen = sorted(figure.data, key=lambda bars: bars.name, reverse=True)
    assert (dollars.name, yen.name) == ("USD", "JPY")
    days = [JANUARY[0] + timedelta(days=n) for n in range(31)]
    assert list(dollars.x) == list(yen.x) == days
    assert dict(zip(days, dollars.y, strict=True)) == {
        **dict.fromkeys(days, 0),
        date(2025, 1, 15): 10,
    }
    assert sum(yen.y) == 500
    assert "own" in figure.layout.yaxis.title.text


def test_a_chart_of_nothing_is_zeros(analytics: AnalyticsService) -> None:
    figure = analytics.generate_revenue_chart(start_date=JANUARY[0], end_date=JANUARY[1])
    assert [bars.name for bars in figure.data] == ["USD"]
    assert len(figure.data[0].y) == 31
    assert not any(figure.data[0].y)


def test_a_chart_says_in_words_what_it_shows_and_can_be_sent(
    analytics: AnalyticsService, till: Till, clock: TestClock
) -> None:
    till.takes(1999, clock())
    figure = analytics.generate_revenue_chart(
        start_date=JANUARY[0], end_date=JANUARY[1], template="plotly_dark"
    )
    assert figure.layout.title.text == "Revenue by day, after refunds"
    assert figure.layout.yaxis.title.text == "Revenue in USD"
    assert figure.layout.xaxis.title.text == "Day (UTC)"
    assert "19.99" in figure.to_json()


def test_an_unknown_chart_template_is_refused(analytics: AnalyticsService) -> None:
    with pytest.raises(errors.InvalidRequest) as refusal:
        analytics.generate_revenue_chart(
            start_date=JANUARY[0], end_date=JANUARY[1], template="no such"
        )
    assert refusal.value.code == "analytics.template"
