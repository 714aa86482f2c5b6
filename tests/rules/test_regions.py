"""Currencies as Stripe counts them: the table at its edges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.international_payments import international_payment_service as money_abroad
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money

CODES = st.sampled_from([each.code for each in money_abroad.supported_currencies()])


def refusal(call: Any, *arguments: object) -> str:
    with pytest.raises(errors.InvalidRequest) as refused:
        call(*arguments)
    return refused.value.code


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "usd", 1999),
        (19.99, "USD", 1999),
        (0.29, "eur", 29),
        (Decimal("1.10"), "eur", 110),
        (5, "eur", 500),
        ("500", "jpy", 500),
        (500.0, "jpy", 500),
        ("1.234", "kwd", 1234),
        ("5.120", "kwd", 5120),
        ("5", "ugx", 500),
        ("5", "isk", 500),
        ("10.45", "huf", 1045),
        ("10.45", "twd", 1045),
        ("-1.50", "usd", -150),
        ("9999999999.99", "usd", 999_999_999_999),
    ],
)
def test_m1_an_amount_is_exact_in_minor_units_and_back(
    amount: Any, currency: str, minor: int
) -> None:
    assert money_abroad.to_minor(amount, currency) == minor
    assert money_abroad.from_minor(minor, currency) == Decimal(str(amount))


@given(st.integers(-999_999_999_999, 999_999_999_999), CODES)
def test_m1_every_amount_survives_the_way_there_and_back(minor: int, currency: str) -> None:
    if currency in {"isk", "ugx"}:
        minor = minor // 100 * 100
    units = money_abroad.from_minor(minor, currency)
    assert money_abroad.to_minor(units, currency) == minor
    assert money_abroad.to_minor(str(units) if "E" not in str(units) else units, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("19.999", "usd", "money.decimals"),
        (0.1 + 0.2, "usd", "money.decimals"),
        ("500.5", "jpy", "money.decimals"),
        ("1.2345", "kwd", "money.decimals"),
        ("100.50", "isk", "money.decimals"),
        ("0.01", "ugx", "money.decimals"),
        ("10000000000.00", "usd", "money.too_large"),
        (1e300, "usd", "money.too_large"),
        (Decimal("1E+999999"), "usd", "money.too_large"),
        (10**4000, "usd", "money.too_large"),
        (Decimal("1." + "0" * 30 + "1"), "usd", "money.amount"),
        (float("nan"), "usd", "money.amount"),
        (float("inf"), "usd", "money.amount"),
        (Decimal("sNaN"), "usd", "money.amount"),
        ("1e3", "usd", "money.amount"),
        ("1_000", "usd", "money.amount"),
        ("1,000.00", "usd", "money.amount"),
        ("٣", "usd", "money.amount"),
        ("", "usd", "money.amount"),
        (True, "usd", "money.amount"),
        (None, "usd", "money.amount"),
        ([1], "usd", "money.amount"),
        ("1", "xxx", "money.currency"),
        ("1", "", "money.currency"),
        ("1", None, "money.currency"),
        ("1", "us\0", "money.currency"),
    ],
)
def test_an_amount_the_currency_does_not_have_is_refused(
    amount: Any, currency: Any, code: str
) -> None:
    assert refusal(money_abroad.to_minor, amount, currency) == code


@pytest.mark.parametrize(
    ("least", "currency"),
    [
        *((50, code) for code in "usd aud brl cad chf cop eur idr ils inr nzd php zar".split()),
        *((2_00, code) for code in "aed myr pln ron".split()),
        *((50, code) for code in "jpy krw".split()),
        *((30, "gbp"), (15_00, "czk"), (2_50, "dkk"), (4_00, "hkd"), (175_00, "huf")),
        *((10_00, "mxn"), (3_00, "nok"), (3_00, "sek"), (10_00, "thb")),
    ],
)
def test_the_smallest_payment_passes_and_one_less_does_not(least: int, currency: str) -> None:
    assert money_abroad.minimum_charge(currency) == Money(least, currency)
    money_abroad.check_amount(Money(least, currency))
    assert refusal(money_abroad.check_amount, Money(least - 1, currency)) == "money.below_minimum"


@pytest.mark.parametrize("minor", [0, -1])
def test_nothing_and_less_is_no_payment_in_any_currency(minor: int) -> None:
    for each in money_abroad.supported_currencies():
        assert refusal(money_abroad.check_amount, Money(minor, each.code)) == "money.below_minimum"


def test_the_largest_payment_has_twelve_digits() -> None:
    money_abroad.check_amount(Money(999_999_999_999, "usd"))
    assert refusal(money_abroad.check_amount, Money(10**12, "usd")) == "money.too_large"


@pytest.mark.parametrize(
    ("good", "bad", "currency"),
    [(5120, 5124, "kwd"), (500, 550, "isk"), (500, 501, "ugx"), (1010, 1001, "bhd")],
)
def test_a_payment_keeps_to_the_currencys_step(good: int, bad: int, currency: str) -> None:
    money_abroad.check_amount(Money(good, currency))
    assert refusal(money_abroad.check_amount, Money(bad, currency)) == "money.step"


def test_special_cases_are_told_with_the_currency() -> None:
    rules = {each.code: each for each in money_abroad.supported_currencies()}
    assert (rules["huf"].step_minor, rules["huf"].payout_step_minor) == (1, 100)
    assert (rules["twd"].step_minor, rules["twd"].payout_step_minor) == (1, 100)
    assert (rules["ugx"].exponent, rules["ugx"].step_minor) == (2, 100)
    assert (rules["kwd"].exponent, rules["kwd"].step_minor) == (3, 10)
    assert [code for code, each in rules.items() if each.needs_account_support] == [
        *("bhd", "jod", "kwd", "omr", "tnd")
    ]
    zero = [code for code, each in rules.items() if each.exponent == 0]
    assert zero == "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (4999, "usd", "49.99 USD"),
        (500, "JPY", "500 JPY"),
        (1234, "kwd", "1.234 KWD"),
        (50000, "isk", "500 ISK"),
        (50050, "isk", "500.50 ISK"),
        (-5, "eur", "-0.05 EUR"),
        (123456789, "usd", "1234567.89 USD"),
        (0, "usd", "0.00 USD"),
    ],
)
def test_an_amount_is_shown_the_same_in_every_language(
    minor: int, currency: str, shown: str
) -> None:
    assert money_abroad.format_amount(minor, currency) == shown


@pytest.mark.parametrize("minor", [1.5, True, "100", None, 10**13])
def test_minor_units_are_whole_numbers(minor: Any) -> None:
    assert refusal(money_abroad.from_minor, minor, "usd") == "money.minor"
    assert refusal(money_abroad.format_amount, minor, "usd") == "money.minor"
