"""Events are counted once and exactly, or refused and not stored at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from services.payment_analytics import AnalyticsService
from talkingphoto.foundation import errors, settings
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


@pytest.mark.parametrize("amount", [49.99, "49.99", Decimal("49.99")])
def test_an_amount_is_exact_however_it_is_given(analytics: AnalyticsService, amount: Any) -> None:
    analytics.track_payment_event("payment_success", {**SALE, "amount": amount})
    assert january(analytics)["by_currency"]["usd"]["gross_minor"] == 4999
    assert january(analytics)["by_currency"]["usd"]["gross"] == Decimal("49.99")


def test_a_hundred_small_floats_add_up_exactly(analytics: AnalyticsService) -> None:
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
