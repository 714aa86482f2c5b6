"""Payment methods: cards and accounts saved, changed by their owner, replaced by their bank."""

import pytest
import stripe

from stripe_sandbox.banks import ROUTING_NUMBER
from tests.sandbox.payer import Payer

ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


def test_a_card_is_made_from_its_number(payer: Payer) -> None:
    method = payer.v1.payment_methods.create(
        params={
            "type": "card",
            "card": {
                "number": "4000000760000002",
                "exp_month": 8,
                "exp_year": 2035,
                "cvc": "123",
            },
            "billing_details": {**ADA, "address": {"postal_code": "10115", "country": "DE"}},
            "allow_redisplay": "always",
        }
    )
    assert (method.card.country, method.card.exp_month, method.card.last4) == ("BR", 8, "0002")
    assert method.billing_details.address.to_dict()["city"] is None
    paid = payer.pay(payment_method=method.id)
    checks = paid.latest_charge.payment_method_details.card.checks.to_dict()
    assert checks == {
        "address_line1_check": None,
        "address_postal_code_check": "pass",
        "cvc_check": "pass",
    }


def test_an_american_account_is_made_from_its_numbers(payer: Payer) -> None:
    account = {"account_number": "000123456789", "routing_number": ROUTING_NUMBER}
    create = payer.v1.payment_methods.create
    params = {"type": "us_bank_account", "us_bank_account": account, "billing_details": ADA}
    method = create(params=params)
    assert (method.us_bank_account.last4, method.us_bank_account.account_type) == (
        "6789",
        "checking",
    )
    error = payer.refused(
        create, params={**params, "us_bank_account": {**account, "account_number": "12345678"}}
    )
    assert "Never send a real account number" in str(error)
    del params["billing_details"]
    assert payer.refused(create, params=params).error.param == (  # type: ignore[union-attr]
        "billing_details[name]"
    )


def test_a_european_account_is_made_from_its_iban(payer: Payer) -> None:
    create = payer.v1.payment_methods.create
    params = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": "AT61 1904 3002 3457 3201"},
        "billing_details": ADA,
    }
    method = create(params=params)
    assert (method.sepa_debit.country, method.sepa_debit.last4) == ("AT", "3201")
    error = payer.refused(create, params={**params, "sepa_debit": {"iban": "000123456789"}})
    assert error.code == "invalid_bank_account_iban"


@pytest.mark.parametrize(
    ("name", "kind", "last4"),
    [
        ("pm_card_mastercard", "card", "4444"),
        ("pm_card_visa_chargeDeclined", "card", "0002"),
        ("pm_card_chargeDeclined", "card", "0002"),
        ("pm_usBankAccount_success", "us_bank_account", "6789"),
        ("pm_sepaDebit_success_de", "sepa_debit", "3000"),
    ],
)
def test_a_ready_made_name_is_a_new_method_each_time(
    payer: Payer, name: str, kind: str, last4: str
) -> None:
    one, other = (payer.v1.payment_methods.retrieve(name) for _ in range(2))
    assert one.id != other.id
    assert (one.type, getattr(one, kind).last4) == (kind, last4)


def test_an_attached_card_is_changed_by_its_owner(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    loose = v1.payment_methods.retrieve("pm_card_visa")
    error = payer.refused(v1.payment_methods.update, loose.id, params={"metadata": {"a": "b"}})
    assert "save this PaymentMethod to a customer" in str(error)
    v1.payment_methods.attach(loose.id, params={"customer": customer})
    changed = v1.payment_methods.update(
        loose.id,
        params={"card": {"exp_year": 2041}, "billing_details": {"name": "Ada"}},
    )
    assert (changed.card.exp_year, changed.card.last4) == (2041, "4242")
    assert changed.billing_details.name == "Ada"
    found = v1.customers.payment_methods.retrieve(customer, loose.id)
    assert found.id == loose.id
    assert payer.events(loose.id) == ["payment_method.attached", "payment_method.updated"]
    error = payer.refused(
        v1.payment_methods.update,
        loose.id,
        params={"us_bank_account": {"account_holder_type": "company"}},
    )
    assert "can not pass `us_bank_account`" in str(error)


def test_a_bank_replaces_a_card_that_fails_and_it_pays_again(payer: Payer) -> None:
    v1 = payer.v1
    customer = v1.customers.create().id
    card = v1.payment_methods.attach("pm_card_chargeCustomerFail", params={"customer": customer})
    with pytest.raises(stripe.CardError):
        payer.pay(payment_method=card.id, customer=customer)
    answer = payer.desk(f"payment_methods/{card.id}/replace", card="pm_card_visa", exp_year="2042")
    assert answer.ok, answer.text
    now = v1.payment_methods.retrieve(card.id)
    assert (now.card.last4, now.card.exp_year, now.customer) == ("4242", 2042, customer)
    event = v1.events.list(
        params={"type": "payment_method.automatically_updated", "limit": 1}
    ).data[0]
    assert event.data.object.id == card.id
    assert event.data.previous_attributes.card.last4 == "0341"
    assert payer.pay(payment_method=card.id, customer=customer).status == "succeeded"


def test_the_desk_refuses_what_no_bank_does(payer: Payer) -> None:
    loose = payer.v1.payment_methods.retrieve("pm_card_visa")
    for path, words in (
        (f"payment_methods/{loose.id}/replace", "attached to a customer"),
        ("payment_methods/pm_nobody/replace", "No such payment method"),
        ("refunds/re_nobody/cancel", "No such refund"),
        ("charges/ch_nobody/complain", "No such charge"),
    ):
        answer = payer.desk(path)
        assert answer.status_code in (400, 404), path
        assert words in answer.json()["error"]["message"]
