"""Customers: what is kept of them, where they are taxed, and their balance."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Shop


def _customer(shop: Shop, **params: Any) -> Any:
    wanted: Any = params
    return shop.client.v1.customers.create(params=wanted)


def test_a_customer_keeps_what_is_told_of_them(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = _customer(
        shop,
        address={"country": "DE", "city": "Berlin"},
        email="ada@example.com",
        invoice_prefix="ADA1",
        preferred_locales=["de", "en"],
        shipping={"name": "Ada", "address": {"line1": "Weg 1"}},
        invoice_settings={
            "custom_fields": [{"name": "Order", "value": "17"}],
            "footer": "Thanks",
            "rendering_options": {"amount_tax_display": "exclude_tax"},
        },
    )
    whole = customer.to_dict()
    assert whole["address"]["country"] == "DE" and whole["address"]["line1"] is None
    assert whole["shipping"]["address"]["line1"] == "Weg 1"
    assert whole["invoice_prefix"] == "ADA1"
    settings = whole["invoice_settings"]
    assert settings["custom_fields"] == [{"name": "Order", "value": "17"}]
    assert settings["rendering_options"]["amount_tax_display"] == "exclude_tax"
    assert (whole["discount"], whole["tax_exempt"], whole["balance"]) == (None, "none", 0)
    assert "business_name" not in whole
    named = v1.customers.update(customer.id, params={"business_name": "Ada Ltd"})
    assert named.business_name == "Ada Ltd"
    assert "business_name" not in v1.customers.update(customer.id, params={"business_name": ""})
    changed = v1.customers.update(
        customer.id, params={"address": "", "invoice_settings": {"custom_fields": ""}}
    ).to_dict()
    assert changed["address"] is None
    assert changed["invoice_settings"]["custom_fields"] is None
    assert changed["invoice_settings"]["footer"] == "Thanks"
    assert shop.events_about(customer.id) == ["customer.created", *["customer.updated"] * 3]


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"invoice_prefix": "lower"}, "invoice_prefix"),
        ({"invoice_prefix": "TOO-LONG-FOR-IT"}, "invoice_prefix"),
        ({"shipping[name]": "Ada"}, "shipping[address]"),
        ({"tax_exempt": "maybe"}, "tax_exempt"),
        ({"tax[ip_address]": "300.1.1.1"}, "tax[ip_address]"),
        ({"balance": "ten"}, "balance"),
        ({"coupon": "SPRING"}, "coupon"),
        ({"invoice_settings[custom_fields][0][name]": "x"}, None),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    shop: Shop, form: dict[str, str], param: str | None
) -> None:
    answer = shop.sandbox.post("/v1/customers", form)
    assert answer.status_code == 400
    if param:
        assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("address", "status", "location"),
    [
        ({"country": "DE"}, "supported", ("DE", None)),
        ({"country": "US", "postal_code": "94103"}, "supported", ("US", "CA")),
        ({"country": "US", "state": "NY"}, "supported", ("US", "NY")),
        ({"country": "CA", "postal_code": "H2X 1Y4"}, "supported", ("CA", "QC")),
        ({"country": "BR"}, "not_collecting", ("BR", None)),
        ({"country": "US"}, "unrecognized_location", None),
        ({"country": "US", "postal_code": "1"}, "unrecognized_location", None),
        ({"country": "Germany"}, "unrecognized_location", None),
        ({"city": "Berlin"}, "unrecognized_location", None),
    ],
)
def test_the_place_of_a_customer_is_known_or_not(
    shop: Shop, address: dict[str, str], status: str, location: tuple[str, str | None] | None
) -> None:
    customer = _customer(shop, address=address)
    assert "tax" not in customer
    whole = shop.client.v1.customers.retrieve(customer.id, params={"expand": ["tax"]})
    assert whole.tax is not None and whole.tax.automatic_tax == status
    found = whole.tax.location
    assert (found and (found.country, found.state)) == location
    immediately: Any = {"address": address, "tax": {"validate_location": "immediately"}}
    if location is None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            _customer(shop, **immediately)
        assert refused.value.code == "customer_tax_location_invalid"
    else:
        assert _customer(shop, **immediately).id


def test_things_are_taxed_where_they_are_shipped(shop: Shop) -> None:
    customer = _customer(
        shop,
        address={"country": "DE"},
        shipping={"name": "Ada", "address": {"country": "FR"}},
        tax={"ip_address": "2001:db8::1"},
        expand=["tax"],
    )
    assert customer.tax.location.country == "FR"
    assert customer.tax.location.source == "shipping_destination"
    assert customer.tax.ip_address == "2001:db8::1"


def test_customers_on_a_clock_are_listed_by_their_clock_alone(shop: Shop) -> None:
    v1 = shop.client.v1
    clock = v1.test_helpers.test_clocks.create(params={"frozen_time": 1_700_000_000}).id
    email = "clock@example.com"
    on_it = _customer(shop, email=email, test_clock=clock).id
    off_it = _customer(shop, email=email).id
    by_clock = v1.customers.list(params={"test_clock": clock}).data
    assert [customer.id for customer in by_clock] == [on_it]
    by_email = v1.customers.list(params={"email": email}).data
    assert [customer.id for customer in by_email] == [off_it]


def test_the_balance_is_the_sum_of_its_entries(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = shop.customer()
    entries = v1.customers.balance_transactions
    first = entries.create(
        customer, params={"amount": -500, "currency": "usd", "description": "Sorry"}
    )
    assert (first.type, first.amount, first.ending_balance) == ("adjustment", -500, -500)
    second = entries.create(customer, params={"amount": 200, "currency": "usd"})
    assert second.ending_balance == -300
    assert v1.customers.retrieve(customer).balance == -300
    changed = entries.update(customer, first.id, params={"metadata": {"k": "v"}})
    assert changed.to_dict()["metadata"] == {"k": "v"}
    assert changed.amount == -500
    listed = entries.list(customer).data
    assert [entry.id for entry in listed] == [second.id, first.id]
    assert entries.retrieve(customer, first.id).description == "Sorry"
    with pytest.raises(stripe.InvalidRequestError, match="kept in usd"):
        entries.create(customer, params={"amount": 1, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        entries.retrieve(shop.customer(), first.id)
    assert shop.events_about(customer).count("customer.updated") == 2


def test_a_balance_set_on_the_customer_is_an_entry_too(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = _customer(shop, balance=-1000)
    assert (customer.balance, customer.currency) == (-1000, "usd")
    v1.customers.update(customer.id, params={"balance": -250})
    entries = v1.customers.balance_transactions.list(customer.id).data
    assert [(entry.type, entry.amount, entry.ending_balance) for entry in entries] == [
        ("adjustment", 750, -250),
        ("initial", -1000, -1000),
    ]


def test_a_credit_pays_the_next_invoice_and_what_is_left_stays(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = _customer(shop, balance=-1500).id
    due = []
    for _ in range(2):
        draft = v1.invoices.create(params={"customer": customer, "currency": "usd"})
        v1.invoice_items.create(params={"invoice": draft.id, "amount": 1000, "customer": customer})
        due.append(v1.invoices.finalize_invoice(draft.id))
    assert [(invoice.status, invoice.amount_due) for invoice in due] == [("paid", 0), ("open", 500)]
    assert v1.customers.retrieve(customer).balance == 0
    of_first = v1.customers.balance_transactions.list(customer, params={"invoice": due[0].id}).data
    assert [(entry.type, entry.amount) for entry in of_first] == [("applied_to_invoice", 1000)]


def test_a_product_can_come_with_its_price(shop: Shop) -> None:
    v1 = shop.client.v1
    product = v1.products.create(
        params={
            "name": "Plan",
            "default_price_data": {
                "currency": "usd",
                "unit_amount": 1999,
                "recurring": {"interval": "month"},
                "tax_behavior": "exclusive",
                "currency_options": {"eur": {"unit_amount": 1899}},
            },
            "expand": ["default_price"],
        }
    )
    price = product.default_price
    assert isinstance(price, stripe.Price)
    assert (price.product, price.unit_amount, price.tax_behavior) == (product.id, 1999, "exclusive")
    whole = v1.prices.retrieve(price.id, params={"expand": ["currency_options"]})
    assert whole.currency_options is not None
    assert whole.currency_options["eur"].unit_amount == 1899
    error = shop.sandbox.post(
        "/v1/products", {"name": "P", "default_price_data[unit_amount]": "5"}
    ).json()["error"]
    assert error["param"] == "default_price_data[currency]"
    assert v1.products.create(params={"name": "Bare"}).default_price is None
