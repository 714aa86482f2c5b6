"""Tax rates by hand, and the automatic tax of the sandbox's own table, on real invoices."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Shop

_BERLIN = {"country": "DE", "postal_code": "10115", "city": "Berlin", "line1": "Weg 1"}


def _invoice(shop: Shop, customer: str, *items: dict[str, Any], **params: Any) -> Any:
    """A draft with one item after another, each a sum of its own."""
    v1 = shop.client.v1
    wanted: Any = {"customer": customer, "currency": "usd", **params}
    invoice = v1.invoices.create(params=wanted)
    for item in items:
        line: Any = {"customer": customer, "invoice": invoice.id, "currency": "usd", **item}
        if "currency" in params:
            line["currency"] = params["currency"]
        v1.invoice_items.create(params=line)
    return v1.invoices.retrieve(invoice.id)


def _rate(shop: Shop, percentage: float, *, inclusive: bool = False) -> str:
    return shop.client.v1.tax_rates.create(
        params={"display_name": "Tax", "percentage": percentage, "inclusive": inclusive}
    ).id


def _lives(shop: Shop, address: dict[str, str], **params: Any) -> str:
    wanted: Any = {"address": address, **params}
    return shop.client.v1.customers.create(params=wanted).id


def test_a_tax_rate_keeps_its_percentage_and_can_be_archived(shop: Shop) -> None:
    v1 = shop.client.v1
    rate = v1.tax_rates.create(
        params={
            "display_name": "VAT",
            "percentage": 7.25,
            "inclusive": False,
            "country": "DE",
            "tax_type": "vat",
            "jurisdiction": "DE",
        }
    )
    assert (rate.percentage, rate.inclusive, rate.active) == (7.25, False, True)
    v1.tax_rates.update(rate.id, params={"active": False, "description": "old"})
    again = v1.tax_rates.retrieve(rate.id)
    assert (again.active, again.description, again.percentage) == (False, "old", 7.25)
    archived = v1.tax_rates.list(params={"active": False, "limit": 100}).data
    assert rate.id in [found.id for found in archived]
    assert shop.events_about(rate.id) == ["tax_rate.created", "tax_rate.updated"]
    answer = shop.sandbox.post(f"/v1/tax_rates/{rate.id}", {"percentage": "8"})
    assert answer.json()["error"]["code"] == "parameter_unknown"


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"percentage": "101"}, "percentage"),
        ({"percentage": "-1"}, "percentage"),
        ({"percentage": "1.23456"}, "percentage"),
        ({"country": "Germany"}, "country"),
        ({"tax_type": "window_tax"}, "tax_type"),
    ],
)
def test_a_tax_rate_that_cannot_be_is_refused_by_name(
    shop: Shop, form: dict[str, str], param: str
) -> None:
    whole = {"display_name": "T", "percentage": "5", "inclusive": "false", **form}
    error = shop.sandbox.post("/v1/tax_rates", whole).json()["error"]
    assert error["param"] == param


def test_rates_on_top_and_within_come_out_on_an_invoice_as_worked_by_hand(shop: Shop) -> None:
    # 2000: 5 % is 100 and 9.975 % is 199.5, so 200. 1100 holds 10 %: 100, and 1000 is left.
    gst, qst, inside = _rate(shop, 5), _rate(shop, 9.975), _rate(shop, 10, inclusive=True)
    invoice = _invoice(
        shop,
        shop.customer(),
        {"amount": 2000, "tax_rates": [gst, qst]},
        {"amount": 1100, "tax_rates": [inside]},
    )
    first, second = (line.to_dict() for line in invoice.lines.data)
    assert [tax["amount"] for tax in first["taxes"]] == [100, 200]
    (tax,) = second["taxes"]
    assert (tax["amount"], tax["taxable_amount"], tax["tax_behavior"]) == (100, 1000, "inclusive")
    assert (invoice.subtotal, invoice.subtotal_excluding_tax) == (3100, 3000)
    assert (invoice.total, invoice.total_excluding_tax) == (3400, 3000)
    assert {tax.tax_rate_details.tax_rate: tax.amount for tax in invoice.total_taxes} == {
        gst: 100,
        qst: 200,
        inside: 100,
    }


def test_a_discount_comes_off_before_the_tax(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create(params={"percent_off": 50}).id
    invoice = _invoice(
        shop,
        shop.customer(),
        {"amount": 1999, "tax_rates": [_rate(shop, 20)]},
        discounts=[{"coupon": coupon}],
    )
    # Half of 1999 is 999.5, so 1000 off and 999 left; 20 % of 999 is 199.8, so 200.
    (line,) = invoice.lines.data
    assert line.discount_amounts[0].amount == 1000
    assert (line.taxes[0].amount, line.taxes[0].taxable_amount) == (200, 999)
    assert invoice.total == 1999 - 1000 + 200
    assert shop.client.v1.coupons.retrieve(coupon).times_redeemed == 1


def test_an_archived_rate_cannot_be_chosen(shop: Shop) -> None:
    rate = _rate(shop, 5)
    shop.client.v1.tax_rates.update(rate, params={"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="archived"):
        _invoice(shop, shop.customer(), {"amount": 100, "tax_rates": [rate]})


@pytest.mark.parametrize(
    ("address", "currency", "taxes"),
    [
        # Germany, 19 % within euros: 10000 x 19 / 119 = 1596.6.
        (_BERLIN, "eur", [("inclusive", 1597, "standard_rated")]),
        # The same price in dollars comes without tax: 1900 on top.
        (_BERLIN, "usd", [("exclusive", 1900, "standard_rated")]),
        # Ireland, 23 % within: Stripe's documented 1870.
        ({"country": "IE"}, "eur", [("inclusive", 1870, "standard_rated")]),
        # California by its ZIP code alone: 7.25 %. San Francisco by the first digits: 8.625 %.
        ({"country": "US", "postal_code": "90210"}, "usd", [("exclusive", 725, "standard_rated")]),
        ({"country": "US", "postal_code": "94103"}, "usd", [("exclusive", 863, "standard_rated")]),
        ({"country": "US", "state": "OR"}, "usd", [("exclusive", 0, "not_subject_to_tax")]),
        # Quebec: 5 % and 9.975 % on top; Ontario's postal code names its 13 %.
        (
            {"country": "CA", "state": "QC"},
            "cad",
            [("exclusive", 500, "standard_rated"), ("exclusive", 998, "standard_rated")],
        ),
        (
            {"country": "CA", "postal_code": "M5V 2T6"},
            "cad",
            [("exclusive", 1300, "standard_rated")],
        ),
        # The Canary Islands are Spain without its VAT; Brazil is not in the table.
        (
            {"country": "ES", "postal_code": "35001"},
            "eur",
            [("inclusive", 0, "not_subject_to_tax")],
        ),
        ({"country": "BR"}, "usd", [("exclusive", 0, "not_supported")]),
        # 10000 yen hold 10 %: 909.09.
        ({"country": "JP"}, "jpy", [("inclusive", 909, "standard_rated")]),
    ],
)
def test_the_automatic_tax_follows_the_table(
    shop: Shop, address: dict[str, str], currency: str, taxes: list[tuple[str, int, str]]
) -> None:
    invoice = _invoice(
        shop,
        _lives(shop, address),
        {"amount": 10000},
        currency=currency,
        automatic_tax={"enabled": True},
    )
    assert invoice.automatic_tax.status == "complete"
    found = [
        (tax.tax_behavior, tax.amount, tax.taxability_reason) for tax in invoice.lines.data[0].taxes
    ]
    assert found == taxes


def test_the_rate_the_automatic_tax_leaves_is_archived_named_and_used_again(shop: Shop) -> None:
    v1 = shop.client.v1
    made = []
    for _ in range(2):
        invoice = _invoice(
            shop,
            _lives(shop, {"country": "FR"}),
            {"amount": 1200},
            currency="eur",
            automatic_tax={"enabled": True},
        )
        made.append(invoice.lines.data[0].taxes[0].tax_rate_details.tax_rate)
    assert made[0] == made[1]
    rate = v1.tax_rates.retrieve(made[0])
    assert (rate.active, rate.country, rate.display_name) == (False, "FR", "VAT")
    assert (rate.percentage, rate.effective_percentage, rate.inclusive) == (20.0, 20.0, True)
    with pytest.raises(stripe.InvalidRequestError, match="archived"):
        v1.tax_rates.update(rate.id, params={"active": True})


def test_exempt_and_reverse_customers_pay_no_tax_and_the_reason_says_so(shop: Shop) -> None:
    for exempt, reason in (("exempt", "customer_exempt"), ("reverse", "reverse_charge")):
        invoice = _invoice(
            shop,
            _lives(shop, _BERLIN, tax_exempt=exempt),
            {"amount": 1000},
            automatic_tax={"enabled": True},
        )
        (tax,) = invoice.lines.data[0].taxes
        assert (tax.amount, tax.taxable_amount, tax.taxability_reason) == (0, 0, reason)
        assert invoice.total == 1000


def test_a_product_that_is_not_taxable_is_taxed_nowhere(shop: Shop) -> None:
    v1 = shop.client.v1
    product = v1.products.create(
        params={
            "name": "Gift card",
            "tax_code": "txcd_00000000",
            "default_price_data": {"currency": "usd", "unit_amount": 500},
        }
    )
    invoice = _invoice(
        shop,
        _lives(shop, _BERLIN),
        {"amount": 1000, "tax_code": "txcd_10000000"},
        automatic_tax={"enabled": True},
    )
    card: Any = {"invoice": invoice.id, "pricing": {"price": product.default_price}}
    v1.invoice_items.create(params=card)
    again: Any = v1.invoices.retrieve(invoice.id)
    found = {line.amount: line.taxes[0].taxability_reason for line in again.lines.data}
    assert found == {1000: "standard_rated", 500: "product_exempt"}
    assert again.total == 1500 + 190


def test_without_a_place_nothing_is_worked_out(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _invoice(shop, shop.customer(), automatic_tax={"enabled": True})
    assert refused.value.code == "customer_tax_location_invalid"


def test_the_settings_decide_what_an_unspecified_price_means(shop: Shop) -> None:
    settings = shop.client.v1.tax.settings
    before = settings.retrieve()
    assert before.defaults.tax_behavior == "inferred_by_currency"
    assert before.head_office is not None and before.head_office.address.country == "US"
    settings.update(params={"defaults": {"tax_behavior": "inclusive"}})
    try:
        invoice = _invoice(
            shop, _lives(shop, _BERLIN), {"amount": 1190}, automatic_tax={"enabled": True}
        )
        (tax,) = invoice.lines.data[0].taxes
        assert (tax.tax_behavior, tax.amount) == ("inclusive", 190)
    finally:
        settings.update(params={"defaults": {"tax_behavior": "inferred_by_currency"}})


def test_tax_codes_are_a_few_of_stripe_s(shop: Shop) -> None:
    codes = shop.client.v1.tax_codes
    first = codes.list(params={"limit": 3})
    assert len(first.data) == 3 and first.has_more
    names = [code.id for code in codes.list().auto_paging_iter()]
    assert len(names) == len(set(names)) >= 6
    assert codes.retrieve("txcd_00000000").name == "Nontaxable"
    with pytest.raises(stripe.InvalidRequestError, match="No such tax code"):
        codes.retrieve("txcd_nothing")
