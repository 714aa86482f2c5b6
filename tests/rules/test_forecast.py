"""How long the credits last, and what a bigger plan would have cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from talkingphoto.billing import catalog, forecast
from talkingphoto.billing.forecast import Bought, Next, Pace, Usable
from talkingphoto.foundation.money import Money

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A_DAY = Pace(videos=28, seconds=28 * 86400)
PLANS = {plan.key: plan for plan in catalog.PLANS}


def usd(cents: int) -> Money:
    return Money(cents, "usd")


@pytest.mark.parametrize(
    ("videos", "days", "tenths"),
    [
        (1, 28, None),  # one video is no pace
        (2, 28, 1),
        (2, 2.99, None),  # three days at least
        (2, 3, 7),
        (28, 28, 10),
        (28, 400, 10),  # only the last four weeks count
        (700, 28, 250),
    ],
)
def test_a_pace_needs_two_videos_and_three_days(
    videos: int, days: float, tenths: int | None
) -> None:
    rate = forecast.pace(videos=videos, joined_at=NOW - timedelta(days=days), now=NOW)
    assert (rate.per_day_tenths if rate else None) == tenths


@pytest.mark.parametrize(
    ("lots", "days"),
    [
        ([], 0),
        ([Usable(3, None)], 3),
        ([Usable(3, None), Usable(4, None)], 7),
        ([Usable(5, NOW + 2 * DAY), Usable(4, None)], 6),  # three of the five end unused
        ([Usable(5, NOW + 9 * DAY), Usable(4, NOW + 7 * DAY)], 7),
        ([Usable(5, NOW + 9 * DAY), Usable(4, NOW + 3 * DAY)], 5),  # the second ends meanwhile
        ([Usable(365, None)], 365),
        ([Usable(366, None)], None),
        ([Usable(1_000_000, None)] * 3, None),
        ([Usable(1_000_000, NOW + 5 * DAY)], 5),
    ],
)
def test_lots_last_until_they_are_used_or_over(lots: list[Usable], days: int | None) -> None:
    end = forecast.runs_out_at(lots, A_DAY, now=NOW)
    assert end == (None if days is None else NOW + days * DAY)


@pytest.mark.parametrize(
    ("credits", "rate", "coming", "words"),
    [
        (20, Pace(10, 86400), None, "20 videos left. At this pace you run out on 26 November."),
        (1, None, None, "1 video left."),
        (1_200, None, Next(NOW + DAY, 30), "1,200 videos left."),
        (0, A_DAY, None, "You have no videos left."),
        (
            0,
            None,
            Next(NOW + 7 * DAY, 30),
            "You have no videos left. 30 videos more come on 1 December.",
        ),
        (
            3,
            A_DAY,
            Next(NOW + 7 * DAY, 30),
            "3 videos left. At this pace you run out on 27 November. More come on 1 December.",
        ),
        (
            7,
            A_DAY,
            Next(NOW + 7 * DAY, 30),
            "7 videos left. At this pace they last until more come on 1 December.",
        ),
        (
            40,
            A_DAY,
            None,
            "40 videos left. At this pace you run out on 3 January 2027.",
        ),
        (366, A_DAY, None, "366 videos left. At this pace they last for more than a year."),
    ],
)
def test_a_forecast_is_said_in_words(
    credits: int, rate: Pace | None, coming: Next | None, words: str
) -> None:
    lots = [Usable(credits, None)] if credits else []
    assert forecast.forecast(lots, rate=rate, coming=coming, now=NOW).words == words


@pytest.mark.parametrize(
    ("plan", "interval", "pack_credits", "cents", "words"),
    [
        # Starter and 50 videos more: 19.99 + 44.50 against 49.99.
        ("starter", "month", 50, 44_50, "Pro would have saved $14.50."),
        ("starter", "month", 10, 9_90, ""),  # 29.89: Pro is dearer
        ("starter", "month", 70, 30_01, "Pro would have saved $0.01."),
        ("starter", "month", 70, 30_00, ""),  # as dear as Pro
        ("starter", "month", 71, 70_00, ""),  # Pro does not cover them
        (None, "month", 10, 9_90, ""),
        (None, "month", 30, 29_70, "Starter would have saved $9.71."),
        ("enterprise", "month", 200, 158_00, ""),
        # A twelfth of the year: 16.67 + 44.50 against 41.67.
        ("starter", "year", 50, 44_50, "Pro would have saved $19.50."),
        ("starter", "month", 0, 0, ""),
    ],
)
def test_a_bigger_plan_is_named_when_it_would_have_been_cheaper(
    plan: str | None, interval: catalog.Interval, pack_credits: int, cents: int, words: str
) -> None:
    bought = Bought(PLANS[plan] if plan else None, interval, pack_credits, usd(cents))
    assert forecast.saving_words(bought) == words
