"""Every decline of the table: its class, its words, and whether asking again makes sense."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.retry_service import retry_service
from talkingphoto.billing import declines

# Copied by hand from the rules, not read from the code under test.
TABLE = {
    "A": """incorrect_number lost_card stolen_card pickup_card revocation_of_authorization
            revocation_of_all_authorizations authentication_required highest_risk_level
            transaction_not_allowed""",
    "B": """expired_card invalid_account invalid_number invalid_cvc incorrect_cvc
            invalid_expiry_month invalid_expiry_year new_account_information_available
            card_not_supported currency_not_supported""",
    "C": """stop_payment_order fraudulent merchant_blacklist restricted_card security_violation
            service_not_allowed not_permitted""",
    "D": """insufficient_funds partner_insufficient_funds card_velocity_exceeded
            withdrawal_count_limit_exceeded""",
    "E": "do_not_honor generic_decline no_action_taken call_issuer card_declined",
    "F": """processing_error issuer_not_available try_again_later reenter_transaction
            approve_with_id duplicate_transaction""",
    "G": "previously_declined_do_not_retry",
    "H": "invalid_pin pin_try_exceeded offline_pin_required",
}
CODES = [(code, name) for name, codes in TABLE.items() for code in codes.split()]
NEVER = "ABCH"
SECRET = """lost_card stolen_card pickup_card fraudulent merchant_blacklist restricted_card
            security_violation stop_payment_order revocation_of_authorization
            revocation_of_all_authorizations service_not_allowed not_permitted""".split()


@pytest.mark.parametrize(("code", "name"), CODES)
def test_every_code_of_the_table_has_its_class(code: str, name: str) -> None:
    advice = retry_service.explain(code)
    assert advice.decline_class == name
    assert advice.decided_by == "decline_code"
    assert advice.worth_retrying is (name not in NEVER)
    assert advice.customer_must_act is (name in NEVER)
    assert (advice.wait is None) is (name in NEVER)


@pytest.mark.parametrize("code", [*(code for code, _ in CODES), "something_new"])
def test_every_sentence_is_plain_and_says_that_nothing_was_charged(code: str) -> None:
    sentence = retry_service.explain(code).sentence
    assert "Nothing was charged" in sentence
    assert sentence.endswith(".")
    assert not any(wrong in sentence.lower() for wrong in ("!", "oops", "sorry", "_", "invalid"))
    assert not any(word in sentence.lower() for word in ("stolen", "lost", "fraud", "risk"))


@pytest.mark.parametrize("code", SECRET)
@pytest.mark.parametrize("advice_code", [None, "do_not_try_again", "try_again_later"])
def test_a_lost_stolen_or_suspected_card_reads_like_any_decline(
    code: str, advice_code: str | None
) -> None:
    plain = retry_service.explain("generic_decline").sentence
    assert plain == (
        "Your bank declined this card. Nothing was charged. Try another card, or call your bank."
    )
    assert retry_service.explain(code, advice_code=advice_code).sentence == plain


@pytest.mark.parametrize("code", ["", None, "something_new", "  "])
def test_an_unknown_code_is_class_e(code: str | None) -> None:
    advice = retry_service.explain(code)
    assert (advice.decline_class, advice.decided_by) == ("E", "default")
    assert advice.worth_retrying
    assert advice.sentence == declines.NEUTRAL


def test_the_customer_is_never_sent_to_the_bank_for_our_own_risk_check() -> None:
    for advice_code in (None, "try_again_later", "do_not_try_again", "confirm_card_data"):
        advice = retry_service.explain("highest_risk_level", advice_code=advice_code)
        assert "bank" not in advice.sentence


def test_a_payment_to_confirm_asks_for_that_and_not_for_another_card() -> None:
    sentence = retry_service.explain("authentication_required").sentence
    assert "confirm" in sentence
    assert "another card" not in sentence


def test_a_duplicate_is_looked_for_before_any_retry() -> None:
    assert retry_service.explain("duplicate_transaction").check_first
    assert not retry_service.explain("processing_error").check_first


@pytest.mark.parametrize(
    ("code", "advice_code", "network", "name", "source"),
    [
        ("insufficient_funds", None, None, "D", "decline_code"),
        ("insufficient_funds", "try_again_later", None, "D", "advice_code"),
        ("insufficient_funds", "do_not_try_again", None, "A", "advice_code"),
        ("expired_card", "do_not_try_again", None, "B", "advice_code"),
        ("generic_decline", "confirm_card_data", None, "B", "advice_code"),
        ("lost_card", "try_again_later", None, "E", "advice_code"),
        ("generic_decline", "try_again_later", "03", "A", "network_advice_code"),
        ("generic_decline", "try_again_later", "21", "C", "network_advice_code"),
        ("generic_decline", "do_not_try_again", "02", "E", "network_advice_code"),
        ("generic_decline", None, "01", "B", "network_advice_code"),
        ("processing_error", None, "1", "B", "network_advice_code"),
        ("generic_decline", "unheard_of", "99", "E", "decline_code"),
        ("insufficient_funds", " Do_Not_Try_Again ", "", "A", "advice_code"),
    ],
)
def test_the_network_is_trusted_over_the_advice_and_that_over_the_code(
    code: str, advice_code: str | None, network: str | None, name: str, source: str
) -> None:
    advice = retry_service.explain(code, advice_code=advice_code, network_advice_code=network)
    assert (advice.decline_class, advice.decided_by) == (name, source)


@pytest.mark.parametrize(
    ("network", "hours"),
    [
        *(("02", 72), ("24", 1), ("25", 24), ("26", 48)),
        *(("27", 96), ("28", 144), ("29", 192), ("30", 240)),
    ],
)
def test_the_network_says_how_long_to_wait(network: str, hours: int) -> None:
    advice = retry_service.explain("generic_decline", network_advice_code=network)
    assert advice.wait == timedelta(hours=hours)
    assert advice.worth_retrying


def test_a_sentence_never_promises_a_sooner_try_than_was_decided() -> None:
    soon = retry_service.explain("processing_error", network_advice_code="24").sentence
    late = retry_service.explain("processing_error", network_advice_code="30").sentence
    assert "in a few minutes" in soon
    assert late == declines.NEUTRAL
    never = retry_service.explain("insufficient_funds", advice_code="do_not_try_again").sentence
    assert never == declines.NEUTRAL
