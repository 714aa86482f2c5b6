"""Card data is found wherever it hides, and nothing else is taken for it."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkingphoto.accounts import card_data, card_numbers
from talkingphoto.foundation import errors

VISA = "4242424242424242"
WIDE = {ord(str(digit)): 0xFF10 + digit for digit in range(10)}
BRANDS = (
    "4242424242424242",
    "4000056655665556",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3056930009020004",
    "3566002020360505",
    "6200000000000005",
    "6205500000000000004",
)


def kinds(given: object) -> list[str]:
    return [finding.kind for finding in card_data.find(given)]


def fields(given: object) -> list[str]:
    return [finding.field for finding in card_data.find(given)]


@pytest.mark.parametrize("number", BRANDS)
def test_a_number_of_any_brand_is_found(number: str) -> None:
    assert kinds({"note": f"charge {number} today"}) == ["number"]


@pytest.mark.parametrize("number", BRANDS)
def test_a_number_with_a_wrong_check_digit_is_not_a_card(number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert kinds({"note": f"charge {wrong} today"}) == []


@pytest.mark.parametrize(
    "written",
    [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "4242 \u2013 4242 \u2013 4242 \u2014 4242",
        "4242\u00a04242\u200b\u00a042424242",
        "42424242 42424242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "3782 822463 10005".translate(WIDE),
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "PAN4242424242424242",
        "pan_4242424242424242",
        "4242 4242 4242 4242 123",
        "+4242424242424242",
        '{"card_number":"4242424242424242"}',
    ],
)
def test_a_number_is_found_however_it_is_spaced_or_written(written: str) -> None:
    assert kinds({"note": f"my card: {written}, thanks"}) == ["number"]


@pytest.mark.parametrize(
    "value",
    [int(VISA), float(VISA), Decimal(VISA), VISA.encode(), VISA.encode("utf-16"), (1, [VISA])],
)
def test_a_number_is_found_in_any_type(value: object) -> None:
    assert kinds({"note": value}) == ["number"]


def test_a_number_is_found_in_a_key_and_at_any_depth() -> None:
    assert fields({VISA: "x", int(VISA): "y"}) == ["(field)"]
    assert fields({"a": [{"b": ({"c": VISA},)}]}) == ["a[0].b[0].c"]
    deep: object = VISA
    for _ in range(card_data.DEEPEST):
        deep = [deep]
    assert kinds(deep) == ["number"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (";4242424242424242=25121011000012345?", "track"),
        ("%B4242424242424242^DOE/JOHN^25121011000?", "track"),
        ("cvv: 123", "security_code"),
        ('{"cvc":"1234"}', "security_code"),
        ("the security code is 737", "security_code"),
    ],
)
def test_track_data_and_security_codes_are_found_in_text(text: str, kind: str) -> None:
    assert kinds({"body": text}) == [kind]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "number") for name in ("card_number", "cardNumber", "CARD-NUMBER", "user.pan")),
        *((name, "number") for name in ("ccNumber", "cc_no", "customerCardNumber", "creditCard")),
        *((name, "security_code") for name in ("cvc", "CVV2", "billing-cvv", "cardSecurityCode")),
        *((name, "track") for name in ("track2", "track_1_data", "magStripe")),
        *((name, "pin") for name in ("pin", "PIN", "pin_block", "card_pin")),
    ],
)
def test_a_field_is_known_by_its_name_in_a_list_and_in_a_mapping(name: str, kind: str) -> None:
    assert kinds(["amount", name]) == [kind]
    assert kinds({"amount": 1, name: "x"}) == [kind]
    assert kinds(name) == [kind]


def test_what_stands_in_a_card_is_judged_as_its_field() -> None:
    assert fields({"card": {"number": "x", "cid": "y"}}) == ["card.number", "card.cid"]
    assert kinds({"card": {"last4": "4242", "brand": "visa", "exp_month": 12}}) == []


def test_an_expiry_counts_only_beside_a_number() -> None:
    assert kinds(["exp_month", "expiry", "cardholder_name"]) == []
    assert kinds(["card_number", "expiry"]) == ["number", "beside"]
    assert fields({"n": VISA, "cardholderName": "A B", "x": {"exp": 1}}) == ["n", "cardholderName"]


@pytest.mark.parametrize(
    "harmless",
    [
        ["amount", "currency", "customer_email"],
        ["card_last4", "card_brand", "cvc_check", "card_fingerprint", "has_cvc"],
        ["company", "japan", "expand", "pinned", "tracking", "security", "gift_card_number"],
        {"card_number": "**** **** **** 4242"},
        {"milliseconds": 1_732_300_000_129, "minutes": "20261122205523"},
        {"at": 1_732_300_000_123, "at_ns": 1_732_300_000_123_456_789},
        {"at": "20261122205528123456", "iso": "2026-11-22T20:55:28.123456"},
        {"payment": "pi_3NQ4c2LkdIwHu7ix0zQZ8x12", "session": "cs_test_a1B2c3D4e5F6g7H8"},
        {"phone": "+4915112345679", "other": "+49 151 1234 5679 12"},
        {"id": "4a3b1234-4567-4123-8123-123456789012"},
        {"days": "2025-09-30 2025-10-31 2025-11-30 2025-12-31"},
        {"amounts": "4999.00 1234.56 5000.10 4242.42 5151.51 4000.02"},
        {"order": "4242424242424243", "x": None, "y": True, "z": 4242.5, "d": datetime.now(UTC)},
    ],
)
def test_ids_times_phones_and_order_numbers_are_not_card_data(harmless: object) -> None:
    assert card_data.find(harmless) == ()


def test_digests_and_ids_by_the_thousand_are_not_card_data() -> None:
    for number in range(5_000):
        digest = hashlib.sha256(str(number).encode())
        one = uuid.UUID(bytes=digest.digest()[:16], version=4)
        assert card_data.find({"digest": digest.hexdigest(), "id": str(one)}) == ()


def test_what_was_found_is_never_repeated() -> None:
    given: list[object] = [{VISA: VISA}, {"cvv 123": "123"}, ["cvv=123", VISA], {"pan": VISA}]
    for each in given:
        told = repr(card_data.find(each))
        assert VISA not in told
        assert "123" not in told


def test_a_name_with_more_digits_than_a_name_needs_is_not_shown() -> None:
    assert fields({"pan_1234": 1, "pan_12345": 1}) == ["pan_1234", "(field)"]


def test_a_circle_ends_the_search() -> None:
    ring: dict[str, object] = {"note": VISA}
    ring["again"] = [ring]
    assert fields(ring) == ["note"]


def test_a_list_met_twice_is_searched_twice() -> None:
    shared = [VISA]
    assert fields({"a": shared, "b": shared}) == ["a[0]", "b[0]"]


def test_too_deep_too_many_too_long_and_unknown_are_refused() -> None:
    deep: object = "x"
    for _ in range(card_data.DEEPEST + 1):
        deep = [deep]
    doubled: list[object] = ["x"]
    for _ in range(30):
        doubled = [doubled, doubled]
    cases = {
        "security.too_deep": [deep],
        "security.too_large": [
            doubled,
            "x" * (card_data.MOST_CHARACTERS + 1),
            ["x"] * (card_data.MOST_VALUES + 1),
            10**5000,
        ],
        "security.unreadable": [object(), {"a": lambda: VISA}],
    }
    for code, all_given in cases.items():
        for each in all_given:
            with pytest.raises(errors.InvalidRequest) as refusal:
                card_data.find(each)
            assert refusal.value.code == code


@given(st.text(alphabet="0123456789", min_size=12, max_size=18))
def test_luhn_agrees_with_its_definition_for_every_check_digit(body: str) -> None:
    passing = [d for d in "0123456789" if card_numbers.passes_luhn(body + d)]
    doubled = [int(d) * 2 if n % 2 == 0 else int(d) for n, d in enumerate(reversed(body))]
    total = sum(d - 9 if d > 9 else d for d in doubled)
    assert passing == [str(-total % 10)]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    )
)
def test_anything_made_of_plain_values_can_be_searched(given_value: object) -> None:
    assert all(finding.field for finding in card_data.find(given_value))
