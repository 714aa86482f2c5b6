"""What was paid: events tracked by hand, revenue by day, and its chart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypedDict

import plotly.graph_objects as go
import plotly.io as pio
from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto import analytics
from talkingphoto import runtime as runtimes
from talkingphoto.accounts import card_data
from talkingphoto.billing import regions
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

MOST_PROPERTIES = 40
LONGEST_NAME = 64
LONGEST_TEXT = 500
LONGEST_KEY = 200
LONGEST_DAYS = 5 * 366
_LAST_YEAR = 9000
_LARGEST_NUMBER = 2**63 - 1
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_.:\-]{{0,{LONGEST_NAME - 1}}}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_OWN_FIELDS = frozenset({"amount", "currency", "tier", "customer_email", "key"})
# The catalog is priced in this currency, so an empty chart is in it too.
_HOME_CURRENCY = "usd"

# Refunds carry no day of their own here: they are taken off the day of their payment.
_REVENUE = text(
    """
    WITH facts AS (
        SELECT 'stripe' AS source, paid_at AS at, kind, item, currency,
               amount_minor AS gross, tax_minor AS tax, refunded_minor AS refunded, 0 AS failed
        FROM payments
        WHERE status IN ('paid', 'refunded', 'partly_refunded')
          AND paid_at >= :begin AND paid_at < :end
        UNION ALL
        SELECT 'stripe', created_at, kind, item, currency, 0, 0, 0, 1
        FROM payments
        WHERE status = 'failed' AND created_at >= :begin AND created_at < :end
        UNION ALL
        SELECT 'tracked', at, 'tracked', coalesce(tier, 'other'), currency, amount_minor, 0, 0, 0
        FROM tracked_events
        WHERE name = 'payment_success' AND amount_minor IS NOT NULL
          AND at >= :begin AND at < :end
    )
    SELECT source, (at AT TIME ZONE 'UTC')::date AS day,
           CASE kind WHEN 'pack' THEN 'pack' ELSE split_part(item, ':', 1) END AS tier,
           currency, sum(gross) AS gross, sum(tax) AS tax, sum(refunded) AS refunded,
           count(*) FILTER (WHERE failed = 0) AS payments, sum(failed) AS failed
    FROM facts
    GROUP BY source, day, tier, currency
    ORDER BY day, source, tier, currency
    """
)


class Figures(TypedDict):
    """Sums of one currency; `gross` is what customers paid, tax included, `net` after refunds."""

    gross_minor: int
    gross: Decimal
    tax_minor: int
    tax: Decimal
    refunded_minor: int
    refunded: Decimal
    net_minor: int
    net: Decimal
    payments: int
    failed: int


class RevenueReport(TypedDict):
    """Revenue between two days, both included; each part maps to figures by currency."""

    start_date: date
    end_date: date
    by_currency: dict[str, Figures]
    by_day: dict[str, dict[str, Figures]]
    by_tier: dict[str, dict[str, Figures]]
    by_source: dict[str, dict[str, Figures]]


@dataclass(frozen=True)
class _Fact:
    """The sums of one source, day, tier and currency."""

    source: str
    day: str
    tier: str
    currency: str
    gross: int
    tax: int
    refunded: int
    payments: int
    failed: int


class AnalyticsService:
    """Counts what it is told, and reports what was paid."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def track_payment_event(
        self, name: str, properties: Mapping[str, object], *, key: str | None = None
    ) -> str:
        """The event is stored, once for a `key` (or property of that name), and this is its id."""
        _check_shape(name, properties)
        if card_data.find({**properties, "(name)": name, "(key)": key}):
            raise errors.InvalidRequest(
                "analytics.card_data", "Card data may not be tracked. Remove it from the event."
            )
        email = properties.get("customer_email")
        currency = properties.get("currency")
        event = analytics.TrackedEvent(
            id=self.runtime.new_id(),
            name=name,
            at=self.runtime.clock(),
            key=_key(properties.get("key"), key),
            amount=_amount(properties),
            currency=None if currency is None else regions.currency(currency).code,
            tier=_tier(properties.get("tier")),
            customer_hash=None if email is None else self._customer_hash(email),
            properties={
                each: _plain(value) for each, value in properties.items() if each not in _OWN_FIELDS
            },
        )
        with self.runtime.transaction() as session:
            return analytics.record(session, event)

    def get_revenue_analytics(self, *, start_date: date, end_date: date) -> RevenueReport:
        """What was paid on those days (UTC), both included, by currency, day, tier and source.

        Our own payments count by themselves; events tracked as `payment_success` are added to
        them. Only days on which something happened are listed.
        """
        begin, end = _moments(start_date, end_date)
        with self.runtime.read_only() as session:
            facts = _facts(session, begin=begin, end=end)
        return {
            "start_date": start_date,
            "end_date": end_date,
            "by_currency": _by_currency(facts),
            "by_day": _parts(facts, lambda fact: fact.day),
            "by_tier": _parts(facts, lambda fact: fact.tier),
            "by_source": _parts(facts, lambda fact: fact.source),
        }

    def generate_revenue_chart(
        self, *, start_date: date, end_date: date, template: str = "plotly_white"
    ) -> go.Figure:
        """Revenue after refunds as a bar a day, one series a currency; a day without is zero."""
        if template not in pio.templates:
            raise errors.InvalidRequest("analytics.template", "There is no such chart template.")
        report = self.get_revenue_analytics(start_date=start_date, end_date=end_date)
        days = [start_date + timedelta(days=n) for n in range((end_date - start_date).days + 1)]
        shown = sorted(report["by_currency"]) or [_HOME_CURRENCY]
        figure = go.Figure(
            [
                go.Bar(x=days, y=_series(report, days, currency), name=currency.upper())
                for currency in shown
            ]
        )
        unit = shown[0].upper() if len(shown) == 1 else "each currency's own units"
        figure.update_layout(
            template=template,
            title="Revenue by day, after refunds",
            barmode="group",
            showlegend=len(shown) > 1,
        )
        figure.update_xaxes(title="Day (UTC)", type="date")
        figure.update_yaxes(title=f"Revenue in {unit}", rangemode="tozero")
        return figure

    def _customer_hash(self, email: object) -> bytes:
        if not isinstance(email, str) or len(email) > 254 or not _EMAIL.fullmatch(email.strip()):
            raise errors.InvalidRequest(
                "analytics.customer_email", "customer_email is an address such as name@example.com."
            )
        secret = self.runtime.settings.secret_key.get_secret_value()
        return analytics.customer_hash(email, secret=secret)


def _check_shape(name: object, properties: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.InvalidRequest(
            "analytics.event_name",
            f"An event's name is at most {LONGEST_NAME} letters and digits, as payment_success.",
        )
    if not isinstance(properties, Mapping) or len(properties) > MOST_PROPERTIES:
        raise errors.InvalidRequest(
            "analytics.properties", f"Properties are a mapping of at most {MOST_PROPERTIES} names."
        )
    for each, value in properties.items():
        if not isinstance(each, str) or not _is_storable(each, longest=LONGEST_NAME):
            raise errors.InvalidRequest(
                "analytics.property_name",
                f"A property's name is a text of at most {LONGEST_NAME} characters.",
            )
        _check_value(value)


def _check_value(value: object) -> None:
    kinds = (str, int, float, Decimal, date)
    good = value is None or isinstance(value, kinds)
    if isinstance(value, str):
        good = value == "" or _is_storable(value, longest=LONGEST_TEXT)
    if isinstance(value, int):
        good = abs(value) <= _LARGEST_NUMBER
    if isinstance(value, Decimal):
        good = len(value.as_tuple().digits) <= LONGEST_NAME
    if not good:
        raise errors.InvalidRequest(
            "analytics.property_value",
            f"A property is a number, a date, or a text of at most {LONGEST_TEXT} characters.",
        )


def _is_storable(value: str, *, longest: int) -> bool:
    """True for text that PostgreSQL takes and a person can have meant."""
    surrogates = any("\ud800" <= c <= "\udfff" for c in value)
    return 0 < len(value) <= longest and "\0" not in value and not surrogates


def _key(given: object, argument: str | None) -> str | None:
    if given is not None and argument is not None and given != argument:
        raise errors.InvalidRequest("analytics.key", "Two different keys were given. Give one.")
    key = argument if given is None else given
    if key is None:
        return None
    if not isinstance(key, str) or not _is_storable(key, longest=LONGEST_KEY):
        raise errors.InvalidRequest(
            "analytics.key", f"A key is a text of at most {LONGEST_KEY} characters."
        )
    return _without_address(key)


def _amount(properties: Mapping[str, object]) -> Money | None:
    value = properties.get("amount")
    if value is None:
        return None
    amount = regions.amount(value, properties.get("currency"))
    if amount.minor < 0:
        raise errors.InvalidRequest("money.negative", "An amount is not below zero.")
    return amount


def _tier(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value.strip()):
        raise errors.InvalidRequest("analytics.tier", "A tier is a plan's name, as in pro.")
    return value.strip().lower()


def _plain(value: object) -> analytics.PropertyValue:
    if isinstance(value, str):
        return _without_address(value)
    if value is None or isinstance(value, int):
        return value
    # A date, or a number whose digits must survive: JSON's reader would make it a float.
    return value.isoformat() if isinstance(value, date) else str(value)


def _without_address(value: str) -> str:
    if _EMAIL.search(value):
        raise errors.InvalidRequest(
            "analytics.email", "Give an address as customer_email, which keeps only its hash."
        )
    return value


def _moments(start_date: object, end_date: object) -> tuple[datetime, datetime]:
    """Midnight before the first day and after the last, UTC."""
    for given in (start_date, end_date):
        # A datetime is a date to Python, and its time would be dropped without a word.
        if not isinstance(given, date) or isinstance(given, datetime):
            raise errors.InvalidRequest("analytics.dates", "Give start and end as dates.")
    assert isinstance(start_date, date) and isinstance(end_date, date)
    if end_date < start_date:
        raise errors.InvalidRequest("analytics.dates", "The end is before the start.")
    if (end_date - start_date).days >= LONGEST_DAYS or end_date.year > _LAST_YEAR:
        raise errors.InvalidRequest("analytics.dates", "Ask for five years at most.")
    begin = datetime.combine(start_date, time.min, tzinfo=UTC)
    return begin, datetime.combine(end_date, time.min, tzinfo=UTC) + timedelta(days=1)


def _facts(session: Session, *, begin: datetime, end: datetime) -> list[_Fact]:
    rows = session.execute(_REVENUE, {"begin": begin, "end": end})
    return [
        _Fact(source, day.isoformat(), tier, currency, *(int(figure) for figure in figures))
        for source, day, tier, currency, *figures in rows
    ]


def _by_currency(facts: list[_Fact]) -> dict[str, Figures]:
    sums: dict[str, list[_Fact]] = defaultdict(list)
    for fact in facts:
        sums[fact.currency].append(fact)
    return {currency: _figures(currency, sums[currency]) for currency in sorted(sums)}


def _parts(facts: list[_Fact], part: Callable[[_Fact], str]) -> dict[str, dict[str, Figures]]:
    split: dict[str, list[_Fact]] = defaultdict(list)
    for fact in facts:
        split[part(fact)].append(fact)
    return {name: _by_currency(split[name]) for name in sorted(split)}


def _figures(currency: str, facts: list[_Fact]) -> Figures:
    def units(minor: int) -> Decimal:
        return Money(minor, currency).decimal()

    gross, tax = sum(fact.gross for fact in facts), sum(fact.tax for fact in facts)
    refunded = sum(fact.refunded for fact in facts)
    return {
        "gross_minor": gross,
        "gross": units(gross),
        "tax_minor": tax,
        "tax": units(tax),
        "refunded_minor": refunded,
        "refunded": units(refunded),
        "net_minor": gross - refunded,
        "net": units(gross - refunded),
        "payments": sum(fact.payments for fact in facts),
        "failed": sum(fact.failed for fact in facts),
    }


def _series(report: RevenueReport, days: list[date], currency: str) -> list[Decimal]:
    by_day = report["by_day"]
    found = (by_day.get(day.isoformat(), {}).get(currency) for day in days)
    return [figures["net"] if figures else Decimal(0) for figures in found]


analytics_service = AnalyticsService(runtimes.current())
