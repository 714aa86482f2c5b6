"""SetupIntents: a card or account made ready for later, with or without the bank's question."""

import requests
import stripe

from tests.sandbox.payer import ONLINE, Payer


def test_a_confirmed_setup_attaches_the_card_to_the_customer(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    made = v1.setup_intents.create(params={"customer": customer, "usage": "off_session"})
    assert (made.status, made.usage, made.latest_attempt) == (
        "requires_payment_method",
        "off_session",
        None,
    )
    done = v1.setup_intents.confirm(made.id, params={"payment_method": "pm_card_visa"})
    assert (done.status, done.last_setup_error) == ("succeeded", None)
    saved = v1.payment_methods.list(params={"customer": customer}).data
    assert [method.id for method in saved] == [done.payment_method]
    assert payer.events(made.id, done.payment_method) == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    listed = v1.setup_intents.list(params={"payment_method": done.payment_method}).data
    assert [found.id for found in listed] == [made.id]


def test_a_refused_card_is_not_saved_and_says_why(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    made = v1.setup_intents.create(params={"customer": customer})
    error = payer.refused(
        v1.setup_intents.confirm, made.id, params={"payment_method": "pm_card_chargeDeclined"}
    )
    assert isinstance(error, stripe.CardError)
    assert error.error is not None and error.error.setup_intent is not None
    assert (error.code, error.error.setup_intent.id) == ("card_declined", made.id)
    now = v1.setup_intents.retrieve(made.id)
    assert (now.status, now.payment_method) == ("requires_payment_method", None)
    assert now.last_setup_error.decline_code == "generic_decline"
    assert v1.payment_methods.list(params={"customer": customer}).data == []
    assert "setup_intent.setup_failed" in payer.events(made.id)
    # It can be tried again with another card.
    again = v1.setup_intents.confirm(made.id, params={"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_a_card_that_only_fails_when_charged_is_saved(payer: Payer) -> None:
    customer = payer.v1.customers.create().id
    done = payer.v1.setup_intents.create(
        params={
            "customer": customer,
            "payment_method": "pm_card_chargeCustomerFail",
            "confirm": True,
        }
    )
    assert done.status == "succeeded"


def test_a_bank_that_asks_is_answered_on_its_page_and_asked_no_more(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    asked = v1.setup_intents.create(
        params={
            "customer": customer,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": "http://localhost:1/back?a=b",
        }
    )
    assert asked.status == "requires_action"
    page = requests.get(asked.next_action.redirect_to_url.url, timeout=10)
    assert "Confirm card</button>" in page.text
    assert "<script" not in page.text
    back = payer.answer(asked, "approve").headers["Location"]
    assert back.startswith(f"http://localhost:1/back?a=b&setup_intent={asked.id}")
    assert back.endswith("redirect_status=succeeded")
    done = v1.setup_intents.retrieve(asked.id)
    assert (done.status, done.next_action) == ("succeeded", None)
    paid = payer.pay(customer=customer, payment_method=done.payment_method, off_session=True)
    assert paid.status == "succeeded"


def test_a_card_saved_without_asking_is_asked_about_later(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    card = v1.payment_methods.attach(
        "pm_card_authenticationRequiredOnSetup", params={"customer": customer}
    )
    error = payer.declined("", customer=customer, payment_method=card.id, off_session=True)
    assert (error.code, error.decline_code) == (
        "authentication_required",
        "authentication_required",
    )


def test_failing_the_banks_question_saves_nothing(payer: Payer) -> None:
    v1 = payer.v1
    asked = v1.setup_intents.create(
        params={"payment_method": "pm_card_authenticationRequired", "confirm": True}
    )
    assert "The card was not saved" in payer.answer(asked, "fail").text
    now = v1.setup_intents.retrieve(asked.id)
    assert now.status == "requires_payment_method"
    assert now.last_setup_error.code == "setup_intent_authentication_failure"


def test_an_account_is_set_up_with_a_mandate_that_can_be_looked_at(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    params = {
        "customer": customer,
        "payment_method": "pm_sepaDebit_success",
        "confirm": True,
    }
    error = payer.refused(v1.setup_intents.create, params=params)
    assert "only with the payer's mandate" in str(error)
    done = v1.setup_intents.create(params={**params, "mandate_data": ONLINE})
    mandate = v1.mandates.retrieve(done.mandate)
    assert (mandate.status, mandate.type) == ("active", "multi_use")
    assert mandate.customer_acceptance.online.ip_address == "127.0.0.1"
    page = requests.get(mandate.payment_method_details.sepa_debit.url, timeout=10)
    assert page.ok and "may debit" in page.text
    # The mandate stands for later debits.
    paid = v1.payment_intents.create(
        params={
            "amount": 900,
            "currency": "eur",
            "customer": customer,
            "payment_method": done.payment_method,
            "off_session": True,
            "confirm": True,
        }
    )
    assert paid.status == "processing"


def test_a_setup_is_changed_canceled_and_then_of_no_use(payer: Payer) -> None:
    v1 = payer.v1
    made = v1.setup_intents.create(params={"description": "first"})
    changed = v1.setup_intents.update(
        made.id, params={"description": "second", "payment_method": "pm_card_visa"}
    )
    assert (changed.description, changed.status) == ("second", "requires_confirmation")
    gone = v1.setup_intents.cancel(made.id, params={"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    error = payer.refused(v1.setup_intents.confirm, made.id)
    assert error.code == "setup_intent_unexpected_state"
    old = {"payment_method_types": ["card"]}
    assert payer.refused(v1.setup_intents.create, params=old).code == "parameter_unknown"
