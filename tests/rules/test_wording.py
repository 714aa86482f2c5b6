"""Amounts, counts and dates read as the pages promise; every refusal has its own sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from talkingphoto.billing import countries as billed
from talkingphoto.foundation.money import Money
from ui import countries, messages, wording

CONTRACT_CODES = {
    "auth.mismatch",
    "auth.email_invalid",
    "auth.email_taken",
    "auth.password_short",
    "auth.password_long",
    "auth.password_common",
    "auth.terms",
    "auth.rate_limited",
    "billing.item_unknown",
    "billing.request_id",
    "billing.already_subscribed",
    "billing.unavailable",
    "change.stale",
    "code.expired",
    "code.first_time_only",
    "code.not_for_this",
    "code.unknown",
    "code.used_up",
}


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (199990, "usd", "$1,999.90"),
        (-500, "usd", "\N{MINUS SIGN}$5.00"),
        (500, "jpy", "¥500"),
        (1234, "kwd", "KWD 1.234"),
        (1, "eur", "€0.01"),
    ],
)
def test_an_amount_reads_with_the_decimals_of_its_currency(
    minor: int, currency: str, text: str
) -> None:
    assert wording.amount(Money(minor, currency)) == text


def test_the_price_of_one_is_rounded_to_the_nearest_cent() -> None:
    assert wording.each(Money(1999, "usd"), 30) == "$0.67"
    assert wording.each(Money(19999, "usd"), 360) == "$0.56"


def test_one_video_is_singular() -> None:
    assert [wording.videos(count) for count in (0, 1, 2, 1500)] == [
        "0 videos",
        "1 video",
        "2 videos",
        "1,500 videos",
    ]


def test_a_day_is_the_day_of_the_reader() -> None:
    late = datetime(2026, 12, 14, 23, 30, tzinfo=UTC)
    assert wording.day(late, UTC) == "14 Dec 2026"
    assert wording.day(late, ZoneInfo("Europe/Berlin")) == "15 Dec 2026"


def test_a_length_reads_as_a_player_shows_it_and_as_a_person_says_it() -> None:
    assert [wording.clock(seconds) for seconds in (0.2, 9.4, 59.6, 65)] == [
        "0:01",
        "0:09",
        "1:00",
        "1:05",
    ]
    assert [wording.about(seconds) for seconds in (0.3, 1.4, 89, 90, 200)] == [
        "about 1 second",
        "about 1 second",
        "about 89 seconds",
        "about 2 minutes",
        "about 3 minutes",
    ]
    assert [wording.days(count) for count in (1, 90)] == ["1 day", "90 days"]


def test_a_moment_is_one_of_the_reader_s_day() -> None:
    late = datetime(2026, 12, 14, 23, 30, tzinfo=UTC)
    assert wording.moment(late, ZoneInfo("Europe/Berlin")) == "15 Dec 2026, 00:30"


def test_every_code_of_the_forms_has_its_own_plain_sentence() -> None:
    assert messages.codes() >= CONTRACT_CODES
    assert len({messages.of(code).text for code in messages.codes()}) == len(messages.codes())


def test_no_sentence_shouts_blames_or_says_credit() -> None:
    for code in [*messages.codes(), "something.new"]:
        text = messages.of(code).text
        assert "!" not in text
        assert not any(word in text.lower() for word in ("oops", "credit", "invalid", "error"))


def test_every_country_that_can_be_billed_has_a_name() -> None:
    unnamed = [code for code in billed.CODES if countries.name(code) == code]
    assert unnamed == []
    assert countries.codes()[0] == ""
    assert len(countries.codes()) == len(billed.CODES) + 1
