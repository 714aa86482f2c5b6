"""Tax ids: their forms, the verification that takes its time, and what a verified one changes."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Shop, eventually

_START = 1_700_000_000
_GERMAN_FIRM = {"country": "DE", "postal_code": "10115"}


def _on_a_clock(shop: Shop, **params: Any) -> tuple[str, str]:
    """A customer's id, and that of the clock whose time is theirs."""
    v1 = shop.client.v1
    clock = v1.test_helpers.test_clocks.create(params={"frozen_time": _START}).id
    wanted: Any = {"test_clock": clock, **params}
    return v1.customers.create(params=wanted).id, clock


def _wait(shop: Shop, clock: str, seconds: int) -> None:
    clocks = shop.client.v1.test_helpers.test_clocks
    now = clocks.retrieve(clock).frozen_time
    clocks.advance(clock, params={"frozen_time": now + seconds})
    eventually(lambda: clocks.retrieve(clock).status == "ready")


def _status(shop: Shop, customer: str, tax_id: str) -> str:
    found = shop.client.v1.customers.tax_ids.retrieve(customer, tax_id)
    assert found.verification is not None
    return str(found.verification.status)


@pytest.mark.parametrize(
    ("kind", "value", "outcome"),
    [
        # Stripe's documented values, with and without the letters of a country.
        ("eu_vat", "DE000000000", "verified"),
        ("eu_vat", "111111111", "unverified"),
        ("eu_vat", "DE222222222", "pending"),
        ("gb_vat", "GB000000000", "verified"),
        ("au_abn", "111111111", "unverified"),
        ("eu_vat", "FRAB123456789", "verified"),
    ],
)
def test_the_answer_of_the_authority_takes_some_seconds(
    shop: Shop, kind: Any, value: str, outcome: str
) -> None:
    customer, clock = _on_a_clock(shop)
    tax_id = shop.client.v1.customers.tax_ids.create(
        customer, params={"type": kind, "value": value}
    )
    assert _status(shop, customer, tax_id.id) == "pending"
    _wait(shop, clock, 2)
    assert _status(shop, customer, tax_id.id) == "pending"
    _wait(shop, clock, 1)
    assert _status(shop, customer, tax_id.id) == outcome
    told = ["customer.tax_id.created"]
    told += [] if outcome == "pending" else ["customer.tax_id.updated"]
    assert shop.events_about(tax_id.id) == told


def test_a_type_nobody_verifies_is_unavailable_at_once(shop: Shop) -> None:
    customer = shop.customer()
    tax_id = shop.client.v1.customers.tax_ids.create(
        customer, params={"type": "us_ein", "value": "12-3456789"}
    )
    assert (tax_id.country, _status(shop, customer, tax_id.id)) == ("US", "unavailable")


_GOOD = {
    "eu_vat": ["ATU12345678", "DE123456789", "NL123456789B12", "EL123456789", "ESA1234567Z"],
    "gb_vat": ["GB123456789", "123456789012"],
    "ch_vat": ["CHE-123.456.789 MWST", "CHE123456789TVA"],
    "us_ein": ["12-3456789"],
    "in_gst": ["12ABCDE3456FGZH"],
    "au_abn": ["12345678912", "51 824 753 556"],
    "ca_gst_hst": ["123456789RT0002"],
    "ca_qst": ["1234567890TQ1234"],
    "no_vat": ["123456789MVA"],
    "sg_gst": ["M12345678X"],
    "sg_uen": ["123456789F"],
    "jp_cn": ["1234567891234"],
    "jp_trn": ["T1234567891234"],
    "br_cnpj": ["01.234.456/5432-10"],
    "br_cpf": ["123.456.789-87"],
    # A type without a rule of its own takes what it is given.
    "ke_pin": ["P000111111A"],
}
_BAD = {
    "eu_vat": ["DE12345678", "XX123456789", "123456789", "GB123456789"],
    "gb_vat": ["GB12345678"],
    "ch_vat": ["CHE-123.456.789"],
    "us_ein": ["1-23456789"],
    "in_gst": ["12ABCDE3456FG"],
    "au_abn": ["1234567891"],
    "ca_gst_hst": ["123456789"],
    "no_vat": ["123456789"],
    "sg_uen": ["12F"],
    "jp_cn": ["123"],
    "br_cnpj": ["01.234.456"],
    # Stripe's values for testing are for the types it verifies.
    "us_ein ": ["000000000X"],
}


def test_values_are_held_against_the_form_of_their_type(shop: Shop) -> None:
    path = f"/v1/customers/{shop.customer()}/tax_ids"
    for kind, values in _GOOD.items():
        for value in values:
            answer = shop.sandbox.post(path, {"type": kind, "value": value})
            assert answer.ok, (kind, value, answer.text)
            shop.client.v1.tax_ids.delete(answer.json()["id"])
    for kind, values in _BAD.items():
        for value in values:
            answer = shop.sandbox.post(path, {"type": kind.strip(), "value": value})
            assert answer.status_code == 400, (kind, value)
            error = answer.json()["error"]
            assert (error["code"], error["param"]) == ("tax_id_invalid", "value")
            assert error["message"] == f"Invalid value for {kind.strip()}."


def test_a_customer_s_tax_ids_are_listed_expanded_and_taken_away(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = v1.customers.create(
        params={"tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}]}
    ).id
    second = v1.customers.tax_ids.create(customer, params={"type": "us_ein", "value": "12-3456789"})
    listed = v1.customers.tax_ids.list(customer).data
    assert [tax_id.value for tax_id in listed] == ["12-3456789", "DE123456789"]
    whole = v1.customers.retrieve(customer, params={"expand": ["tax_ids"]})
    assert whole.tax_ids is not None and len(whole.tax_ids.data) == 2
    assert "tax_ids" not in v1.customers.retrieve(customer)
    with pytest.raises(stripe.InvalidRequestError, match="already has"):
        v1.customers.tax_ids.create(customer, params={"type": "us_ein", "value": "12-3456789"})
    assert v1.customers.tax_ids.delete(customer, second.id).deleted is True
    assert len(v1.customers.tax_ids.list(customer).data) == 1
    assert shop.events_about(second.id)[-1] == "customer.tax_id.deleted"
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        v1.customers.tax_ids.retrieve(shop.customer(), listed[1].id)


def test_a_customer_with_a_wrong_tax_id_is_not_made(shop: Shop) -> None:
    form = {"tax_id_data[0][type]": "eu_vat", "tax_id_data[0][value]": "DE1", "email": "x@y.z"}
    error = shop.sandbox.post("/v1/customers", form).json()["error"]
    assert (error["code"], error["param"]) == ("tax_id_invalid", "tax_id_data[0][value]")
    assert shop.client.v1.customers.list(params={"email": "x@y.z"}).data == []


def test_the_merchant_has_tax_ids_of_its_own(shop: Shop) -> None:
    v1 = shop.client.v1
    own = v1.tax_ids.create(params={"type": "us_ein", "value": "98-7654321"})
    assert (own.customer, own.verification) == (None, None)
    assert own.owner is not None and own.owner.type == "self"
    customer = shop.customer()
    theirs = v1.tax_ids.create(
        params={
            "type": "us_ein",
            "value": "98-7654321",
            "owner": {"type": "customer", "customer": customer},
        }
    )
    assert [found.id for found in v1.tax_ids.list().data] == [own.id]
    of_customer = v1.tax_ids.list(params={"owner": {"type": "customer", "customer": customer}})
    assert [found.id for found in of_customer.data] == [theirs.id]
    assert v1.tax_ids.retrieve(theirs.id).id == theirs.id
    assert v1.tax_ids.delete(own.id).deleted is True
    assert v1.tax_ids.list().data == []


@pytest.mark.parametrize(
    ("value", "reason", "total"),
    [
        # Verified: the customer accounts for the tax. Not verified: 19 % on top like anybody.
        ("DE000000000", "reverse_charge", 1000),
        ("DE111111111", "standard_rated", 1190),
    ],
)
def test_a_business_in_europe_is_charged_in_reverse_once_its_tax_id_is_verified(
    shop: Shop, value: str, reason: str, total: int
) -> None:
    v1 = shop.client.v1
    customer, clock = _on_a_clock(shop, address=_GERMAN_FIRM)

    def billed() -> Any:
        draft = v1.invoices.create(
            params={"customer": customer, "currency": "usd", "automatic_tax": {"enabled": True}}
        )
        v1.invoice_items.create(
            params={"customer": customer, "invoice": draft.id, "amount": 1000, "currency": "usd"}
        )
        return v1.invoices.retrieve(draft.id)

    v1.customers.tax_ids.create(customer, params={"type": "eu_vat", "value": value})
    waiting = billed()
    assert (waiting.lines.data[0].taxes[0].taxability_reason, waiting.total) == (
        "standard_rated",
        1190,
    )
    _wait(shop, clock, 3)
    invoice = billed()
    assert (invoice.lines.data[0].taxes[0].taxability_reason, invoice.total) == (reason, total)


def test_at_home_a_tax_id_changes_nothing(shop: Shop) -> None:
    v1 = shop.client.v1
    address: Any = {"head_office": {"address": {"country": "DE"}}}
    v1.tax.settings.update(params=address)
    try:
        found = v1.tax.calculations.create(
            params={
                "currency": "eur",
                "line_items": [{"amount": 1000}],
                "customer_details": {
                    "address": {"country": "DE"},
                    "address_source": "billing",
                    "tax_ids": [{"type": "eu_vat", "value": "DE123456789"}],
                },
            }
        )
        assert found.tax_amount_exclusive == 190
    finally:
        v1.tax.settings.update(params={"head_office": {"address": {"country": "US"}}})
