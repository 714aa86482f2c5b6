"""Events are counted once and exactly; revenue is what was really paid, by day."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.auth_service import AuthService
from services.payment_analytics import AnalyticsService, Figures
from talkingphoto.billing import payments
from talkingphoto.foundation import errors, settings
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock
from tests.support.databases import TestServer

VISA = "4242424242424242"
JANUARY = (date(2025, 1, 1), date(2025, 1, 31))
SALE = {"amount": 49.99, "currency": "usd", "tier": "pro", "customer_email": "user@example.com"}


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2025, 1, 15, 12, tzinfo=UTC))


@pytest.fixture
def analytics(runtime: Runtime) -> AnalyticsService:
    return AnalyticsService(runtime)


@pytest.fixture(scope="module")
def shared(postgres: TestServer) -> Iterator[Runtime]:
    """One database for all that is refused: nothing may be stored in it."""
    with postgres.database() as url:
        made = Runtime(settings.load({**os.environ, "DATABASE_URL": url}))
        yield made
        made.database.dispose()


@pytest.fixture
def refusing(shared: Runtime) -> Iterator[AnalyticsService]:
    yield AnalyticsService(shared)
    assert rows(shared) == []


class Till:
    """One customer whose payments are put on record as webhooks put them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._user = (
            AuthService(runtime)
            .register(
                email="payer@example.com",
                password="a sentence that nobody else uses",
                terms_accepted=True,
                ip="127.0.0.1",
                user_agent="test",
            )
            .user
        )

    def takes(self, minor: int, at: datetime, **chosen: Any) -> str:
        """A payment of that day; the id of its payment intent."""
        intent = f"pi_{uuid4().hex}"
        known = {"kind": "plan", "item": "starter:month", "currency": "usd", "tax_minor": 0}
        facts = {**known, "status": "paid", **chosen}
        currency = facts.pop("currency")
        payment = payments.Payment(
            id=f"in_{uuid4().hex}",
            user_id=self._user.id,
            description="Starter",
            amount=Money(minor, currency),
            created_at=at,
            paid_at=at if facts["status"] == "paid" else None,
            payment_intent_id=intent,
            **facts,
        )
        with self._runtime.transaction() as session:
            payments.record(session, payment, looked_at=at)
        return intent

    def gives_back(self, intent: str, minor: int) -> None:
        """So much of that payment was refunded in all."""
        with self._runtime.transaction() as session:
            payments.record_refund(session, payment_intent_id=intent, refunded_minor=minor)


@pytest.fixture
def till(runtime: Runtime) -> Till:
    return Till(runtime)


def january(analytics: AnalyticsService) -> Any:
    return analytics.get_revenue_analytics(start_date=JANUARY[0], end_date=JANUARY[1])


def rows(runtime: Runtime) -> list[str]:
    with runtime.read_only() as session:
        found = session.execute(text("SELECT to_jsonb(t)::text FROM tracked_events t"))
        return list(found.scalars())


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(errors.InvalidRequest) as refusal:
        yield
    assert refusal.value.code == code
    assert VISA not in str(refusal.value)


def short(figures: Figures) -> tuple[int, int, int, int, int]:
    return (
        figures["gross_minor"],
        figures["refunded_minor"],
        figures["net_minor"],
        figures["payments"],
        figures["failed"],
    )


# Tracking


@pytest.mark.parametrize("amount", [49.99, "49.99", Decimal("49.99")])
def test_an_amount_is_exact_however_it_is_given(analytics: AnalyticsService, amount: Any) -> None:
    analytics.track_payment_event("payment_success", {**SALE, "amount": amount})
    assert january(analytics)["by_currency"]["usd"]["gross_minor"] == 4999
    assert january(analytics)["by_currency"]["usd"]["gross"] == Decimal("49.99")


def test_a_thousand_small_floats_add_up_exactly(analytics: AnalyticsService) -> None:
    for _ in range(100):
        analytics.track_payment_event("payment_success", {"amount": 0.1, "currency": "usd"})
    assert january(analytics)["by_currency"]["usd"]["gross_minor"] == 1000


def test_a_customer_is_kept_as_a_keyed_hash_only(
    analytics: AnalyticsService, runtime: Runtime
) -> None:
    analytics.track_payment_event("payment_success", SALE)
    analytics.track_payment_event("payment_failed", {"customer_email": " User@Example.com "})
    stored = rows(runtime)
    assert not any("user@example.com" in row.lower() for row in stored)
    with runtime.read_only() as session:
        hashes = session.execute(text("SELECT customer_hash FROM tracked_events")).scalars().all()
    assert len(hashes) == 2
    assert len(set(hashes)) == 1
    assert len(hashes[0]) == 32


def test_an_event_with_a_key_is_stored_once_also_by_many_at_once(
    analytics: AnalyticsService, runtime: Runtime
) -> None:
    def track(_: int) -> str:
        return analytics.track_payment_event("payment_success", SALE, key="order-7")

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(track, range(16)))
    ids.add(analytics.track_payment_event("payment_success", {**SALE, "key": "order-7"}))
    assert len(ids) == 1
    assert len(rows(runtime)) == 1


def test_without_a_key_each_call_is_an_event(analytics: AnalyticsService) -> None:
    ids = {analytics.track_payment_event("payment_success", SALE) for _ in range(3)}
    assert len(ids) == 3
    assert january(analytics)["by_currency"]["usd"]["payments"] == 3


@pytest.mark.parametrize(
    "other", [{"amount": 50}, {"tier": "starter"}, {"customer_email": "b@example.com"}, {"x": 1}]
)
def test_a_key_used_for_something_else_is_a_conflict(
    analytics: AnalyticsService, runtime: Runtime, other: dict[str, Any]
) -> None:
    analytics.track_payment_event("payment_success", SALE, key="order-7")
    with pytest.raises(errors.Conflict):
        analytics.track_payment_event("payment_success", {**SALE, **other}, key="order-7")
    assert len(rows(runtime)) == 1


def test_other_properties_are_kept_as_they_were(
    analytics: AnalyticsService, runtime: Runtime
) -> None:
    given = {
        "note": "héllo 😀",
        "n": 3,
        "ok": True,
        "none": None,
        "x": 0.1,
        "day": date(2025, 1, 2),
    }
    analytics.track_payment_event("page_view", given)
    with runtime.read_only() as session:
        kept = session.execute(text("SELECT properties FROM tracked_events")).scalar_one()
    assert kept == {**given, "x": "0.1", "day": "2025-01-02"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": 49.999}, "money.decimals"),
        ({"amount": "49,99"}, "money.amount"),
        ({"amount": float("nan")}, "money.amount"),
        ({"amount": True}, "money.amount"),
        ({"amount": -1}, "money.negative"),
        ({"amount": 1e300}, "money.too_large"),
        ({"amount": [1]}, "analytics.property_value"),
        ({"currency": "xxx"}, "money.currency"),
        ({"currency": None}, "money.currency"),
        ({"currency": 5}, "money.currency"),
        ({"tier": "p" * 65}, "analytics.tier"),
        ({"tier": 1}, "analytics.tier"),
        ({"customer_email": "nobody"}, "analytics.customer_email"),
        ({"customer_email": 7}, "analytics.customer_email"),
        ({"note": f"card {VISA}"}, "analytics.card_data"),
        ({VISA: "x"}, "analytics.card_data"),
        ({"cvc": "123"}, "analytics.card_data"),
        ({"key": f"order {VISA}"}, "analytics.card_data"),
        ({"key": ""}, "analytics.key"),
        ({"key": 7}, "analytics.key"),
        ({"key": "for a@example.com"}, "analytics.email"),
        ({"note": "write to a@example.com"}, "analytics.email"),
        ({"note": object()}, "analytics.property_value"),
        ({"note": b"bytes"}, "analytics.property_value"),
        ({"note": {"nested": 1}}, "analytics.property_value"),
        ({"note": "a\0b"}, "analytics.property_value"),
        ({"note": "\ud800"}, "analytics.property_value"),
        ({"note": "x" * 501}, "analytics.property_value"),
        ({"note": 2**63}, "analytics.property_value"),
        ({"n" * 65: 1}, "analytics.property_name"),
        ({"": 1}, "analytics.property_name"),
        ({7: 1}, "analytics.property_name"),
        ({f"p{n}": n for n in range(41)}, "analytics.properties"),
    ],
)
def test_an_event_with_a_wrong_property_is_refused_and_nothing_is_stored(
    refusing: AnalyticsService, changed: dict[Any, Any], code: str
) -> None:
    with refused(code):
        refusing.track_payment_event("payment_success", {**SALE, **changed})


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, None, 7, "a\0", "<b>", VISA])
def test_an_event_with_a_wrong_name_is_refused(refusing: AnalyticsService, name: Any) -> None:
    with refused("analytics.event_name"):
        refusing.track_payment_event(name, {})


@pytest.mark.parametrize("properties", [None, [], "amount", 7])
def test_properties_are_a_mapping(refusing: AnalyticsService, properties: Any) -> None:
    with refused("analytics.properties"):
        refusing.track_payment_event("payment_success", properties)


# Revenue


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


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2025, 1, 2), date(2025, 1, 1)),
        (date(2020, 1, 1), date(2025, 1, 6)),
        (date(1, 1, 1), date.max),
        (date.max, date.max),
        ("2025-01-01", date(2025, 1, 31)),
        (date(2025, 1, 1), None),
        (datetime(2025, 1, 1, tzinfo=UTC), date(2025, 1, 31)),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(
    refusing: AnalyticsService, start: Any, end: Any
) -> None:
    with refused("analytics.dates"):
        refusing.get_revenue_analytics(start_date=start, end_date=end)
    with refused("analytics.dates"):
        refusing.generate_revenue_chart(start_date=start, end_date=end)


def test_one_day_and_five_years_are_fine(analytics: AnalyticsService, till: Till) -> None:
    till.takes(1999, datetime(2025, 1, 15, tzinfo=UTC))
    for start, end in (
        (date(2025, 1, 15), date(2025, 1, 15)),
        (date(2020, 1, 16), date(2025, 1, 15)),
    ):
        report = analytics.get_revenue_analytics(start_date=start, end_date=end)
        assert report["by_currency"]["usd"]["gross_minor"] == 1999


# Chart


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
    with refused("analytics.template"):
        analytics.generate_revenue_chart(
            start_date=JANUARY[0], end_date=JANUARY[1], template="no such"
        )
