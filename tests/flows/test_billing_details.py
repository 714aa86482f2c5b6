"""Who is billed: checked, kept, told to Stripe, and on the next invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from sqlalchemy import text

from services.invoice_service import BillingDetails
from talkingphoto.foundation import errors
from tests.support.saved import customer_of
from tests.support.shop import Person, Shop

ACME = BillingDetails(
    name="Ada Example",
    company="Acme GmbH",
    line1="Ring 1",
    line2="Top 4",
    city="Wien",
    postal_code="1010",
    country="at",
    tax_id="ATU 12345678",
    po_number="PO-77",
)


@pytest.fixture
def shop(storefront: Shop) -> Shop:
    storefront.clock.now = datetime.now(UTC)
    return storefront


def customer(shop: Shop, person: Person) -> Any:
    found = shop.sandbox.client(shop.key).v1.customers.retrieve(
        customer_of(shop, person), {"expand": ["tax_ids"]}
    )
    return found.to_dict()


def state(shop: Shop, person: Person) -> str:
    with shop.runtime.read_only() as session:
        return str(
            session.execute(
                text("SELECT state_of_sync FROM billing_details WHERE user_id = :id"),
                {"id": person.id},
            ).scalar_one()
        )


def test_the_next_invoice_is_made_out_to_what_was_saved(shop: Shop) -> None:
    ada = shop.a_person()
    shop.invoices.save_details(user_id=ada.id, details=ACME)
    kept = shop.invoices.details(ada.id)
    assert (kept.country, kept.tax_id) == ("AT", "ATU12345678")
    shop.buys(ada, "starter:month")
    (row,) = shop.invoices.page(user_id=ada.id).rows
    v1 = shop.sandbox.client(shop.key).v1
    invoice = v1.invoices.retrieve(row.id)
    assert invoice.customer_name == "Acme GmbH, Ada Example"
    assert invoice.customer_address is not None and invoice.customer_address.city == "Wien"
    assert [(one.type, one.value) for one in invoice.customer_tax_ids or []] == [
        ("eu_vat", "ATU12345678")
    ]
    assert [(one.name, one.value) for one in invoice.custom_fields or []] == [
        ("PO number", "PO-77")
    ]
    assert row.pdf_url is not None
    pdf = requests.get(row.pdf_url, timeout=10)
    assert pdf.content.startswith(b"%PDF")


def test_another_tax_id_takes_the_place_of_the_first_and_none_of_either(shop: Shop) -> None:
    ada = shop.a_person()
    shop.invoices.save_details(user_id=ada.id, details=ACME)
    shop.invoices.save_details(user_id=ada.id, details=ACME)
    moved = replace(ACME, country="DE", tax_id="DE123456789")
    shop.invoices.save_details(user_id=ada.id, details=moved)
    found = customer(shop, ada)
    assert [one["value"] for one in found["tax_ids"]["data"]] == ["DE123456789"]
    shop.invoices.save_details(user_id=ada.id, details=BillingDetails(name="Ada"))
    found = customer(shop, ada)
    assert (found["name"], found["address"], found["tax_ids"]["data"]) == ("Ada", None, [])
    assert found["invoice_settings"]["custom_fields"] is None


def test_a_tax_id_whose_form_we_do_not_know_is_shown_as_it_is(shop: Shop) -> None:
    ada = shop.a_person()
    details = BillingDetails(name="Ada", country="PE", tax_id="20-123 456789")
    shop.invoices.save_details(user_id=ada.id, details=details)
    fields = customer(shop, ada)["invoice_settings"]["custom_fields"]
    assert fields == [{"name": "Tax id", "value": "20-123 456789"}]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "x" * 121}, "details.text"),
        ({"postal_code": "x" * 31}, "details.text"),
        ({"name": "Ada\nLovelace"}, "details.text"),
        ({"company": "Acme\0"}, "details.text"),
        ({"city": "W\u202eien"}, "details.text"),
        ({"country": "XX"}, "details.country"),
        ({"country": ""}, "details.country"),
        ({"tax_id": "ATU1234567"}, "details.tax_id"),
        ({"tax_id": "DE123456789"}, "details.tax_id"),
        ({"tax_id": "=1+1"}, "details.tax_id"),
    ],
)
def test_what_cannot_be_billed_is_refused_by_its_field(
    shop: Shop, wrong: dict[str, str], code: str
) -> None:
    ada = shop.a_person()
    with pytest.raises(errors.InvalidRequest) as refusal:
        shop.invoices.save_details(user_id=ada.id, details=replace(ACME, **wrong))
    assert (refusal.value.code, shop.invoices.details(ada.id)) == (code, BillingDetails())


def test_what_stripe_did_not_hear_it_hears_later(shop: Shop) -> None:
    ada = shop.a_person()
    customer_of(shop, ada)
    faults = f"{shop.sandbox.base}/_sandbox/faults"
    rule = {"kind": "error", "method": "POST", "path": "/v1/customers/*", "times": "3"}
    assert requests.post(faults, data=rule, timeout=10).ok
    with pytest.raises(errors.Unavailable):
        shop.invoices.save_details(user_id=ada.id, details=ACME)
    assert requests.delete(faults, timeout=10).ok
    assert (state(shop, ada), customer(shop, ada)["name"]) == ("owed", None)
    assert shop.invoices.run_due_work() == 0
    shop.clock.advance(seconds=121)
    assert shop.invoices.run_due_work() == 1
    assert (state(shop, ada), customer(shop, ada)["name"]) == ("told", "Acme GmbH, Ada Example")
