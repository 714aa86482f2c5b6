"""Money is whole minor units of one currency."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkingphoto.foundation import errors, money
from talkingphoto.foundation.money import Money

ROOT = Path(__file__).parents[2]
BILLING = sorted((ROOT / "talkingphoto/billing").glob("*.py"))
MONEY_MODULES = [ROOT / "talkingphoto/foundation/money.py", *BILLING]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("500", "jpy", 500),
        ("1.234", "kwd", 1234),
        ("19.99", "usd", 1999),
        ("0", "usd", 0),
        ("-3.50", "eur", -350),
    ],
)
def test_m1_an_amount_round_trips_exactly(text: str, currency: str, minor: int) -> None:
    amount = Money.from_decimal(text, currency)
    assert amount == Money(minor, currency)
    assert amount.decimal() == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "1.999",
        "abc",
        "",
        "NaN",
        "Infinity",
        "1e400",
        "0.505",
        "1_000",
        "٣",
        " 1",
        "10000000000",
        "1.00000000000000000001",
    ],
)
def test_m1_an_amount_that_is_not_whole_cents_is_refused(text: str) -> None:
    with pytest.raises(errors.InvalidRequest) as refusal:
        Money.from_decimal(text, "usd")
    assert refusal.value.code == "money.amount"


def test_m1_no_module_of_money_calculates_with_floats() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in MONEY_MODULES
        for node in ast.walk(_without_type_checks(ast.parse(path.read_text())))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert found == []


def test_m1_no_rule_of_billing_divides_into_fractions() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in BILLING
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
    ]
    assert found == []


def _without_type_checks(tree: ast.Module) -> ast.Module:
    """The module without `isinstance(…)`: asking for a float at the border is not using one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            node.args = []
    return tree


def test_currencies_do_not_mix() -> None:
    with pytest.raises(AssertionError):
        Money(1, "usd") + Money(1, "eur")
    with pytest.raises(AssertionError):
        assert Money(1, "usd") < Money(2, "eur")


@pytest.mark.parametrize(
    ("minor", "rate", "expected"),
    [(1999, 20, 400), (1990, Decimal("8.1"), 161), (50, 1, 1), (49, 1, 0), (-50, 1, -1)],
)
def test_a_percentage_rounds_half_away_from_zero(
    minor: int, rate: Decimal | int, expected: int
) -> None:
    assert Money(minor, "usd").percent(rate) == Money(expected, "usd")


@given(st.integers(-(10**9), 10**9), st.integers(1, 60))
def test_a_split_adds_up_and_is_even(minor: int, parts: int) -> None:
    shares = Money(minor, "usd").split(parts)
    assert len(shares) == parts
    assert sum(share.minor for share in shares) == minor
    assert max(share.minor for share in shares) - min(share.minor for share in shares) <= 1


def test_exponents_follow_the_provider() -> None:
    assert [money.exponent(code) for code in ("usd", "jpy", "kwd")] == [2, 0, 3]
