"""What each test card does when it is charged: Stripe's codes, advice, risk and checks."""

import pytest

from stripe_sandbox import banks, cards, refusals
from stripe_sandbox.behaviours import BEHAVIOURS
from tests.sandbox.payer import Payer

# Card, the error's code, decline code, Stripe's advice, the network's code.
DECLINES = [
    ("chargeDeclined", "card_declined", "generic_decline", "try_again_later", "05"),
    (
        "chargeDeclinedInsufficientFunds",
        "card_declined",
        "insufficient_funds",
        "try_again_later",
        "51",
    ),
    ("chargeDeclinedLostCard", "card_declined", "lost_card", "do_not_try_again", "41"),
    ("chargeDeclinedStolenCard", "card_declined", "stolen_card", "do_not_try_again", "43"),
    ("chargeDeclinedExpiredCard", "expired_card", None, "confirm_card_data", "54"),
    ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None, "confirm_card_data", "N7"),
    ("chargeDeclinedProcessingError", "processing_error", None, "try_again_later", "96"),
    (
        "chargeDeclinedVelocityLimitExceeded",
        "card_declined",
        "card_velocity_exceeded",
        "try_again_later",
        "61",
    ),
    ("chargeCustomerFail", "card_declined", "generic_decline", "try_again_later", "05"),
    ("radarBlock", "card_declined", "fraudulent", "do_not_try_again", None),
    ("threeDSecureRequiredProcessingError", "card_declined", "generic_decline", None, "05"),
]


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "advice", "network"), DECLINES, ids=[d[0] for d in DECLINES]
)
def test_a_declining_card_says_why_in_stripes_codes_on_error_intent_and_charge(
    payer: Payer,
    card: str,
    code: str,
    decline_code: str | None,
    advice: str | None,
    network: str | None,
) -> None:
    error = payer.declined(card)
    kept = payer.v1.payment_intents.retrieve(
        error.payment_intent.id, params={"expand": ["latest_charge"]}
    )
    for said in (error, kept.last_payment_error):
        assert (said.code, getattr(said, "decline_code", None)) == (code, decline_code)
        assert getattr(said, "network_decline_code", None) == network
        assert advice is None or said.advice_code == advice
    charge = kept.latest_charge
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, code)
    assert charge.outcome.network_decline_code == network
    assert advice is None or charge.outcome.advice_code == advice
    assert payer.moves(charge.id) == []


def test_a_blocked_card_never_reaches_the_bank(payer: Payer) -> None:
    error = payer.declined("radarBlock")
    outcome = payer.v1.charges.retrieve(error.charge).outcome
    assert (outcome.type, outcome.reason, outcome.network_status) == (
        "blocked",
        "highest_risk_level",
        "not_sent_to_network",
    )
    assert outcome.risk_level == "highest"


def test_every_decline_code_has_a_card_of_the_sandboxs_own_that_can_be_saved(
    payer: Payer,
) -> None:
    customer = payer.v1.customers.create().id
    for name in ("do_not_honor", "stop_payment_order", "issuer_not_available"):
        card = payer.v1.payment_methods.attach(
            f"pm_card_sandbox_declines_{name}", params={"customer": customer}
        )
        error = payer.declined("", customer=customer, payment_method=card.id, off_session=True)
        assert error.decline_code == name
    assert len(refusals.OWN) >= 30


def test_mastercards_advice_to_merchants_comes_along(payer: Payer) -> None:
    for advice, words in (
        ("01", "confirm_card_data"),
        ("03", "do_not_try_again"),
        ("24", "try_again_later"),
    ):
        error = payer.declined(f"sandbox_declines_mac_{advice}")
        assert (error.network_advice_code, error.advice_code) == (advice, words)
        charge = payer.v1.charges.retrieve(error.charge)
        assert charge.outcome.network_advice_code == advice
        assert charge.payment_method_details.card.brand == "mastercard"


@pytest.mark.parametrize(
    ("card", "failing"),
    [
        ("cvcCheckFail", {"cvc_check"}),
        ("avsZipFail", {"address_postal_code_check"}),
        ("avsLine1Fail", {"address_line1_check"}),
        ("avsFail", {"address_postal_code_check", "address_line1_check"}),
    ],
)
def test_a_check_may_fail_while_the_card_pays(payer: Payer, card: str, failing: set[str]) -> None:
    charge = payer.pay(card).latest_charge
    checks = charge.payment_method_details.card.checks.to_dict()
    assert {name for name, result in checks.items() if result == "fail"} == failing


def test_an_elevated_risk_is_said_and_paid(payer: Payer) -> None:
    outcome = payer.pay("riskLevelElevated").latest_charge.outcome
    assert (outcome.risk_level, outcome.reason, outcome.type) == (
        "elevated",
        "elevated_risk_level",
        "manual_review",
    )
    assert payer.pay().latest_charge.outcome.risk_level == "normal"


@pytest.mark.parametrize(
    ("card", "off_session", "status"),
    [
        ("authenticationRequiredOnSetup", False, "requires_action"),
        ("authenticationRequired", False, "requires_action"),
        ("threeDSecure2Required", False, "requires_action"),
        ("authenticationRequiredSetupForOffSession", False, "requires_action"),
        ("authenticationRequiredSetupForOffSession", True, "succeeded"),
        ("threeDSecureOptional", False, "succeeded"),
        ("threeDSecureOptionalProcessingError", False, "succeeded"),
        ("amex_threeDSecureNotSupported", False, "succeeded"),
    ],
)
def test_a_bank_asks_for_its_owner_when_the_card_says_so(
    payer: Payer, card: str, off_session: bool, status: str
) -> None:
    tried = payer.pay(card, off_session=off_session) if off_session else payer.pay(card)
    assert tried.status == status


@pytest.mark.parametrize(
    "card", ["authenticationRequiredOnSetup", "authenticationRequired", "threeDSecure2Required"]
)
def test_nobody_there_to_be_asked_is_a_decline(payer: Payer, card: str) -> None:
    error = payer.declined(card, off_session=True)
    assert error.code == "authentication_required"


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("threeDSecureRequiredChargeDeclined", "generic_decline"),
    ],
)
def test_a_card_may_be_declined_after_its_owner_confirmed(
    payer: Payer, card: str, decline_code: str
) -> None:
    asked = payer.pay(card)
    assert asked.status == "requires_action"
    assert "Nothing was charged" in payer.answer(asked, "approve").text
    now = payer.v1.payment_intents.retrieve(asked.id)
    assert now.last_payment_error.decline_code == decline_code


def test_every_card_and_account_has_a_number_a_name_and_a_behaviour_of_its_own() -> None:
    assert len({card.number for card in cards.CARDS}) == len(cards.CARDS)
    assert len({card.token for card in cards.CARDS}) == len(cards.CARDS)
    for card in cards.CARDS:
        assert card.behaviour in BEHAVIOURS, card
        assert cards.by_token(f"pm_card_{card.token}") == card
        assert cards.by_token(f"tok_{card.token}") == card
        assert cards.looks_whole(card.number)
    for iban in ("AT611904300234573201", "IT60X0542811101000000123456"):
        account = banks.by_number(iban)
        assert account is not None and account.behaviour in BEHAVIOURS
    assert cards.by_token("pm_card_nothing") is None
    assert not cards.looks_whole("4242424242424241")
