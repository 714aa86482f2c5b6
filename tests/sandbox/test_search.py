"""Search: fields, metadata, comparisons, AND, OR, negation and pages."""

from typing import Any

import pytest

from stripe_sandbox.api import search
from stripe_sandbox.api.errors import StripeFault
from tests.sandbox.payer import Payer
from tests.sandbox.running import Shop

FIELDS = {"amount": search.NUMBER, "status": search.TEXT, "active": search.SWITCH}


@pytest.fixture(scope="module")
def customers(shop: Shop) -> dict[str, str]:
    """Three customers that only these tests know of."""
    create = shop.client.v1.customers.create
    rows: list[dict[str, Any]] = [
        {"name": "Ada Searchable", "email": "ada@search.example", "metadata": {"team": "blue"}},
        {"name": "Bob Searchable", "email": "bob@search.example", "metadata": {"team": "red"}},
        {"name": "Eve Searchable", "email": "eve@search.example", "phone": "123"},
    ]
    return {str(row["name"])[:3]: create(params=row).id for row in rows}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email:"ada@search.example"', {"Ada"}),
        ('email:"ADA@search.example"', {"Ada"}),
        ("email:'bob@search.example'", {"Bob"}),
        ('name~"searchable"', {"Ada", "Bob", "Eve"}),
        ('name~"searchable" AND metadata["team"]:"blue"', {"Ada"}),
        ("metadata['team']:'red' AND name~'searchable'", {"Bob"}),
        ('name~"searchable" AND -metadata["team"]:"blue"', {"Bob", "Eve"}),
        ('name~"searchable" AND metadata["team"]:null', {"Eve"}),
        ('name~"searchable" AND -metadata["team"]:null', {"Ada", "Bob"}),
        ('name~"searchable" AND phone:null', {"Ada", "Bob"}),
        ('email:"ada@search.example" OR email:"eve@search.example"', {"Ada", "Eve"}),
        ('name~"searchable" AND created>1000000000', {"Ada", "Bob", "Eve"}),
        ('name~"searchable" AND created<1000000000', set()),
    ],
)
def test_customers_are_found_by_what_is_asked(
    payer: Payer, customers: dict[str, str], query: str, found: set[str]
) -> None:
    page = payer.v1.customers.search(params={"query": query})
    assert {customer.id for customer in page.data} == {customers[name] for name in found}
    assert page.object == "search_result"


def test_pages_follow_each_other_without_a_gap(payer: Payer, customers: dict[str, str]) -> None:
    params: dict[str, Any] = {"query": 'name~"searchable"', "limit": 2}
    first = payer.v1.customers.search(params={**params, "expand": ["total_count"]})
    assert (len(first.data), first.has_more, first.total_count) == (2, True, 3)
    second = payer.v1.customers.search(params={**params, "page": first.next_page})
    assert (second.has_more, second.next_page) == (False, None)
    seen = [customer.id for customer in [*first.data, *second.data]]
    assert seen == list(customers.values())[::-1]
    assert len(list(first.auto_paging_iter())) == 3
    error = payer.refused(payer.v1.customers.search, params={**params, "page": "nonsense!"})
    assert "Invalid page" in str(error)


def test_a_deleted_customer_is_not_found(payer: Payer) -> None:
    gone = payer.v1.customers.create(params={"name": "Gone Forever"}).id
    payer.v1.customers.delete(gone)
    assert payer.v1.customers.search(params={"query": 'name:"gone forever"'}).data == []


def test_payments_charges_prices_and_products_are_found_too(payer: Payer) -> None:
    v1 = payer.v1
    paid = payer.pay(amount=4321, metadata={"order": "search-1"})
    intents = v1.payment_intents.search(
        params={"query": 'metadata["order"]:"search-1" AND status:"succeeded"'}
    )
    assert [found.id for found in intents.data] == [paid.id]
    charges = v1.charges.search(
        params={
            "query": "amount=4321 AND refunded:'false'".replace("=", ":"),
            "expand": ["data.balance_transaction"],
        }
    )
    assert [found.payment_intent for found in charges.data] == [paid.id]
    assert charges.data[0].balance_transaction.amount == 4321
    by_card = 'payment_method_details.card.last4:"4242" AND amount>=4321 AND amount<=4321'
    assert len(v1.charges.search(params={"query": by_card}).data) == 1
    price = v1.prices.create(
        params={
            "currency": "usd",
            "unit_amount": 100,
            "lookup_key": "search_key",
            "product_data": {"name": "Searchable product"},
        }
    )
    assert v1.prices.search(params={"query": "active:'true' AND lookup_key:'search_key'"}).data[
        0
    ].id == (price.id)
    products = v1.products.search(params={"query": "name:'searchable product' AND -active:'false'"})
    assert [product.id for product in products.data] == [price.product]


def test_subscriptions_and_invoices_are_found_too(payer: Payer, shop: Shop) -> None:
    session = shop.checkout(customer=shop.customer())
    shop.pay(session)
    subscription = shop.reread(session).subscription
    payer.v1.subscriptions.update(subscription, params={"metadata": {"found": "yes"}})
    found = payer.v1.subscriptions.search(
        params={"query": "status:'active' AND metadata['found']:'yes'"}
    )
    assert [plan.id for plan in found.data] == [subscription]
    invoice = found.data[0].latest_invoice
    number = payer.v1.invoices.retrieve(invoice).number
    bills = payer.v1.invoices.search(params={"query": f'number:"{number}" AND total>0'})
    assert [bill.id for bill in bills.data] == [invoice]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "no clause begins"),
        ("status", "no clause begins"),
        ("status:", "no clause begins"),
        ('status:"a" status:"b"', "AND or OR is missing"),
        ('status:"a" AND', "AND or OR is missing"),
        ('status:"a" AND status:"b" OR status:"c"', "cannot be used in one query"),
        ('shoe_size:"9"', "`shoe_size` cannot be searched"),
        ("status>3", "compares numbers only"),
        ('amount:"much"', "no comparison with a whole number"),
        ("amount~3", "no comparison with a whole number"),
        ('active:"maybe"', "neither true nor false"),
        ('status~"ab"', "three letters or more"),
        (" AND ".join(['status:"a"'] * 11), "more than 10 clauses"),
        ('status:"' + "a" * 2000 + '"', "longer than 2000"),
    ],
)
def test_a_query_that_cannot_be_read_says_where(query: str, why: str) -> None:
    with pytest.raises(StripeFault) as caught:
        search.parsed(query, FIELDS)
    assert why in caught.value.error["message"]
    assert caught.value.error["param"] == "query"


def test_what_was_asked_is_bound_and_never_part_of_the_statement() -> None:
    nasty = """x' OR 1=1 --"""
    where = search.parsed(f'status:"{nasty}" AND amount>=5 AND -metadata["k"]:"v"', FIELDS)
    assert nasty.lower() not in where.sql
    assert where.values == (nasty.lower(), 5, '$.metadata."k"', "v")
