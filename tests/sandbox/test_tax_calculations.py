"""Tax calculations and the transactions made of them."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import Shop


def _calculated(shop: Shop, *amounts: int, country: str = "IE", **params: Any) -> Any:
    wanted: Any = {
        "currency": "eur",
        "line_items": [{"amount": amount} for amount in amounts],
        "customer_details": {"address": {"country": country}, "address_source": "billing"},
        **params,
    }
    return shop.client.v1.tax.calculations.create(params=wanted)


def test_the_documented_example_comes_out_to_the_cent(shop: Shop) -> None:
    # Stripe's documentation: 100 EUR in Ireland hold 18.70 of tax, on 81.30.
    line = {"amount": 10000, "reference": "L1", "tax_behavior": "inclusive"}
    found = _calculated(shop, line_items=[line])
    assert (found.amount_total, found.tax_amount_exclusive, found.tax_amount_inclusive) == (
        10000,
        0,
        1870,
    )
    (part,) = found.tax_breakdown
    assert (part.amount, part.inclusive, part.taxable_amount) == (1870, True, 8130)
    assert (part.taxability_reason, part.tax_rate_details.percentage_decimal) == (
        "standard_rated",
        "23.0",
    )
    assert found.line_items is None


def test_lines_are_taxed_by_themselves_and_shown_with_their_places(shop: Shop) -> None:
    v1 = shop.client.v1
    product = v1.products.create(params={"name": "G", "tax_code": "txcd_00000000"}).id
    lines = [
        {"amount": 1000, "reference": "a"},
        {"amount": 505, "reference": "b", "quantity": 2},
        {"amount": 900, "reference": "c", "product": product},
    ]
    found = _calculated(
        shop,
        line_items=lines,
        shipping_cost={"amount": 400},
        expand=["line_items.data.tax_breakdown"],
    )
    # 23 % of 1000 is 230, of 505 is 116.15, of 400 is 92; the gift card is not taxed.
    assert [line.amount_tax for line in found.line_items.data] == [230, 116, 0]
    assert [line.reference for line in found.line_items.data] == ["a", "b", "c"]
    assert (found.shipping_cost.amount_tax, found.tax_amount_exclusive) == (92, 438)
    assert found.amount_total == 1000 + 505 + 900 + 400 + 438
    first, _, free = found.line_items.data
    (part,) = first.tax_breakdown
    assert (part.jurisdiction.country, part.jurisdiction.level) == ("IE", "country")
    assert part.tax_rate_details.display_name == "VAT"
    assert free.tax_breakdown[0].taxability_reason == "product_exempt"
    page = v1.tax.calculations.line_items.list(found.id, params={"limit": 2})
    assert [line.reference for line in page.data] == ["a", "b"] and page.has_more


def test_a_customer_brings_their_address_exemption_and_tax_ids(shop: Shop) -> None:
    customer = shop.client.v1.customers.create(
        params={
            "address": {"country": "FR"},
            "tax_exempt": "exempt",
            "tax_id_data": [{"type": "eu_vat", "value": "FRAB123456789"}],
        }
    ).id
    wanted: Any = {"currency": "eur", "customer": customer, "line_items": [{"amount": 1000}]}
    found = shop.client.v1.tax.calculations.create(params=wanted)
    details = found.customer_details
    assert details.address is not None and details.address.country == "FR"
    assert (details.address_source, details.taxability_override) == ("billing", "customer_exempt")
    assert [held.value for held in details.tax_ids] == ["FRAB123456789"]
    assert found.tax_breakdown[0].taxability_reason == "customer_exempt"


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"tax_ids": [{"type": "eu_vat", "value": "DE123456789"}]}, "reverse_charge"),
        ({"taxability_override": "reverse_charge"}, "reverse_charge"),
        ({"taxability_override": "customer_exempt"}, "customer_exempt"),
        ({"tax_ids": [{"type": "us_ein", "value": "12-3456789"}]}, "standard_rated"),
    ],
)
def test_the_reason_for_no_tax_is_told(shop: Shop, details: dict[str, Any], reason: str) -> None:
    address = {"address": {"country": "IE"}, "address_source": "billing"}
    found = _calculated(shop, 1000, customer_details={**address, **details})
    assert found.tax_breakdown[0].taxability_reason == reason


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        (
            {"customer_details": {"address": {"country": "US"}, "address_source": "billing"}},
            "customer_tax_location_invalid",
            "customer_details[address]",
        ),
        ({"customer_details": {"address": {"country": "IE"}}}, "parameter_missing", None),
        (
            {
                "customer_details": {
                    "address": {"country": "IE"},
                    "address_source": "billing",
                    "tax_ids": [{"type": "eu_vat", "value": "DE1"}],
                }
            },
            "tax_id_invalid",
            "customer_details[tax_ids][0][value]",
        ),
        ({"line_items": []}, "parameter_missing", "line_items"),
    ],
)
def test_a_calculation_that_cannot_be_made_says_what_is_missing(
    shop: Shop, change: dict[str, Any], code: str, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _calculated(shop, 1000, **change)
    assert refused.value.code == code
    if param:
        assert refused.value.param == param


def _sold(shop: Shop, reference: str) -> Any:
    found = _calculated(shop, 1000, 2000, shipping_cost={"amount": 400})
    wanted: Any = {"calculation": found.id, "reference": reference, "expand": ["line_items"]}
    return shop.client.v1.tax.transactions.create_from_calculation(params=wanted)


def _reversed(shop: Shop, sale: Any, reference: str, **params: Any) -> Any:
    wanted: Any = {
        "original_transaction": sale.id,
        "reference": reference,
        "expand": ["line_items"],
        **params,
    }
    return shop.client.v1.tax.transactions.create_reversal(params=wanted)


def test_a_sale_is_on_record_once_with_the_taxes_of_its_calculation(shop: Shop) -> None:
    sale = _sold(shop, "order 1")
    assert (sale.type, sale.reference, sale.reversal) == ("transaction", "order 1", None)
    assert [line.amount_tax for line in sale.line_items.data] == [230, 460]
    with pytest.raises(stripe.InvalidRequestError, match="in use"):
        _sold(shop, "order 1")
    transactions = shop.client.v1.tax.transactions
    assert transactions.retrieve(sale.id).reference == "order 1"
    assert len(transactions.line_items.list(sale.id).data) == 2


def test_a_sale_is_taken_back_by_lines_and_then_what_is_left_of_it(shop: Shop) -> None:
    sale = _sold(shop, "order 2")
    line = {
        "original_line_item": sale.line_items.data[0].id,
        "amount": -1000,
        "amount_tax": -230,
        "reference": "L1-back",
    }
    back = _reversed(shop, sale, "back 1", mode="partial", line_items=[line])
    assert (back.type, back.reversal.original_transaction) == ("reversal", sale.id)
    with pytest.raises(stripe.InvalidRequestError, match="more than is left"):
        _reversed(shop, sale, "back 2", mode="partial", line_items=[line])
    rest = _reversed(shop, sale, "back 3", mode="full")
    assert [(line.amount, line.amount_tax) for line in rest.line_items.data] == [(-2000, -460)]
    assert (rest.shipping_cost.amount, rest.shipping_cost.amount_tax) == (-400, -92)
    with pytest.raises(stripe.InvalidRequestError, match="Nothing of this sale"):
        _reversed(shop, sale, "back 5", mode="full")
    with pytest.raises(stripe.InvalidRequestError, match="cannot be reversed"):
        _reversed(shop, rest, "back 4", mode="full")
