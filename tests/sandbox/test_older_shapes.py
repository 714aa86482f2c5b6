"""Events for an endpoint of an older API version: what had gone is there, what is new is not."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import stripe

from stripe_sandbox import Json, older_shapes
from stripe_sandbox.older_shapes import Around
from tests.sandbox.plans import DAY
from tests.sandbox.running import Receiver, Shop, eventually

_VERSION: Literal["2024-06-20"] = "2024-06-20"


@dataclass
class Old:
    """A receiver that was set up long ago."""

    shop: Shop
    receiver: Receiver

    def told(self, kind: str, **about: str) -> dict[str, Any]:
        """The event of this type whose object has these fields; it has arrived, or will."""

        def found() -> list[dict[str, Any]]:
            return [
                event
                for event in self.receiver.events()
                if event["type"] == kind
                and about.items() <= {k: str(v) for k, v in event["data"]["object"].items()}.items()
            ]

        eventually(lambda: bool(found()))
        return found()[-1]


@pytest.fixture(scope="module")
def old(shop: Shop) -> Iterator[Old]:
    receiver = Receiver()
    receiver.open()
    made = shop.client.v1.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["*"], "api_version": _VERSION}
    )
    assert made.api_version == _VERSION
    yield Old(shop, receiver)
    shop.client.v1.webhook_endpoints.delete(made.id)
    receiver.close()


def _subscribed(shop: Shop, customer: str) -> str:
    session = shop.checkout(customer=customer)
    shop.pay(session)
    return str(shop.reread(session).subscription)


@pytest.mark.parametrize("kind", ["invoice.paid", "invoice.payment_succeeded"])
def test_an_older_invoice_names_its_subscription_its_payment_and_its_tax(
    old: Old, kind: str
) -> None:
    subscription = _subscribed(old.shop, old.shop.customer())
    event = old.told(kind, subscription=subscription)
    body = event["data"]["object"]
    assert event["api_version"] == _VERSION
    intent = old.shop.client.v1.payment_intents.retrieve(body["payment_intent"])
    assert body["charge"] == intent.latest_charge
    assert (body["paid"], body["tax"], body["total_tax_amounts"]) == (True, None, [])
    assert (body["discount"], body["quote"]) == (None, None)
    assert body["subscription_details"] == {"metadata": {}}
    new = {"parent", "payments", "total_taxes", "amount_overpaid", "confirmation_secret"}
    assert not new & set(body)
    line = body["lines"]["data"][0]
    assert body["lines"]["total_count"] == 1
    assert (line["type"], line["proration"]) == ("subscription", False)
    assert (line["price"]["id"], line["plan"]["id"]) == (old.shop.plan, old.shop.plan)
    assert line["plan"]["interval"] == "month"
    assert line["subscription"] == subscription
    assert line["subscription_item"].startswith("si_")
    assert (line["amount_excluding_tax"], line["unit_amount_excluding_tax"]) == (1999, "1999")
    assert not {"parent", "pricing", "taxes", "subtotal"} & set(line)


def test_an_older_failed_renewal_says_unpaid_and_moves_the_subscriptions_own_period(
    old: Old,
) -> None:
    v1 = old.shop.client.v1
    clock = v1.test_helpers.test_clocks.create(params={"frozen_time": 1_700_000_000}).id
    customer = v1.customers.create(params={"test_clock": clock, "email": "c@example.com"}).id
    subscription = _subscribed(old.shop, customer)
    failing = v1.payment_methods.attach("pm_card_chargeCustomerFail", params={"customer": customer})
    v1.subscriptions.update(subscription, params={"default_payment_method": failing.id})
    v1.test_helpers.test_clocks.advance(clock, params={"frozen_time": 1_700_000_000 + 32 * DAY})
    body = old.told("invoice.payment_failed", subscription=subscription)["data"]["object"]
    assert (body["paid"], body["status"]) == (False, "open")
    assert body["charge"].startswith("ch_")
    assert body["payment_intent"].startswith("pi_")
    created = old.told("customer.subscription.created", id=subscription)["data"]["object"]
    assert (created["discount"], created["quantity"]) == (None, 1)
    assert created["plan"]["id"] == old.shop.plan
    assert not {"billing_mode", "billing_schedules"} & set(created)
    assert not {"current_period_end", "billed_until"} & set(created["items"]["data"][0])

    def moved() -> list[dict[str, Any]]:
        return [
            event["data"]
            for event in old.receiver.events()
            if event["type"] == "customer.subscription.updated"
            and event["data"]["object"]["id"] == subscription
            and "current_period_end" in event["data"]["previous_attributes"]
        ]

    eventually(lambda: bool(moved()))
    change = moved()[0]
    before = change["previous_attributes"]
    assert before["current_period_end"] == created["current_period_end"]
    assert change["object"]["current_period_start"] == created["current_period_end"]
    assert "items" not in before


def test_an_older_charge_and_payment_intent_name_the_invoice(old: Old) -> None:
    subscription = _subscribed(old.shop, old.shop.customer())
    paid = old.told("invoice.paid", subscription=subscription)["data"]["object"]
    charge = old.told("charge.succeeded", id=paid["charge"])["data"]["object"]
    intent = old.told("payment_intent.succeeded", id=paid["payment_intent"])["data"]["object"]
    assert charge["invoice"] == intent["invoice"] == paid["id"]
    old.shop.client.v1.refunds.create(params={"charge": paid["charge"]})
    refunded = old.told("charge.refunded", id=paid["charge"])["data"]
    assert refunded["object"]["invoice"] == paid["id"]
    assert refunded["previous_attributes"]["refunded"] is False
    lone = old.shop.client.v1.payment_intents.create(
        params={
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "return_url": "http://localhost:1/r",
        }
    )
    assert old.told("payment_intent.succeeded", id=lone.id)["data"]["object"]["invoice"] is None


def test_an_older_session_is_hosted_and_has_its_shipping_on_top(old: Old) -> None:
    session = old.shop.checkout_pack()
    old.shop.pay(session)
    body = old.told("checkout.session.completed", id=session.id)["data"]["object"]
    assert (body["ui_mode"], body["shipping_details"]) == ("hosted", None)
    assert not {"collected_information", "adaptive_pricing", "discounts"} & set(body)
    assert "individual_name" not in body["customer_details"]
    assert body["payment_intent"].startswith("pi_")


def test_an_older_endpoint_is_not_sent_types_its_version_did_not_have(
    old: Old, receiver: Receiver
) -> None:
    subscription = _subscribed(old.shop, old.shop.customer())
    old.told("invoice.paid", subscription=subscription)
    old.told("checkout.session.completed", subscription=subscription)

    def types(of: Receiver) -> set[str]:
        return {event["type"] for event in of.events()}

    eventually(lambda: "invoice_payment.paid" in types(receiver))
    assert "invoice_payment.paid" not in types(old.receiver)
    # Others hear of the same events as they are today.
    assert {event["api_version"] for event in receiver.events()} == {"2026-10-28.endive"}


def test_a_version_that_is_not_served_is_refused_by_name(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.webhook_endpoints.create(
            params={
                "url": "http://localhost:1/h",
                "enabled_events": ["*"],
                "api_version": "2019-12-03",
            }
        )
    assert refused.value.param == "api_version"
    assert _VERSION in str(refused.value)


def _taxed_invoice() -> Json:
    """An invoice over 2,000 with 20 % included in it and 100 on top."""
    taxes = [
        _tax(400, behavior="inclusive", rate="txr_in"),
        _tax(100, behavior="exclusive", rate="txr_on"),
    ]
    line = {
        "id": "il_1",
        "amount": 2400,
        "quantity": 2,
        "taxes": taxes,
        "parent": {
            "type": "invoice_item_details",
            "invoice_item_details": {"invoice_item": "ii_1", "proration": True},
            "subscription_item_details": None,
        },
        "pricing": {"price_details": {"price": "price_1"}, "type": "price_details"},
    }
    return {
        "id": "in_1",
        "object": "invoice",
        "automatic_tax": {"enabled": False, "disabled_reason": None, "provider": None},
        "discounts": ["di_1"],
        "lines": {"object": "list", "data": [line]},
        "parent": None,
        "rendering": None,
        "status": "open",
        "total_pretax_credit_amounts": [],
        "total_taxes": taxes,
    }


def _tax(amount: int, *, behavior: str, rate: str) -> Json:
    return {
        "amount": amount,
        "tax_behavior": behavior,
        "tax_rate_details": {"tax_rate": rate},
        "taxability_reason": "standard_rated",
        "taxable_amount": 2000,
    }


def _kept(object_id: str) -> Json | None:
    return {
        "di_1": {"id": "di_1", "source": {"type": "coupon", "coupon": "SPRING"}, "start": 1},
        "SPRING": {"id": "SPRING", "object": "coupon", "percent_off": 10},
        "txr_in": {"id": "txr_in", "percentage": 20},
        "txr_on": {"id": "txr_on", "percentage": 5},
    }.get(object_id)


def _event(body: Json, previous: Json | None = None) -> Json:
    data = {"object": body, **({"previous_attributes": previous} if previous else {})}
    return {"id": "evt_1", "type": "invoice.updated", "api_version": "new", "data": data}


def test_taxes_and_discounts_stand_where_they_stood() -> None:
    event = _event(_taxed_invoice())
    before = copy.deepcopy(event)
    body = older_shapes.converted(event, _VERSION, Around(_kept))["data"]["object"]
    assert event == before
    assert body["tax"] == 500
    assert [(tax["inclusive"], tax["tax_rate"]) for tax in body["total_tax_amounts"]] == [
        (True, "txr_in"),
        (False, "txr_on"),
    ]
    assert body["discount"] == {"id": "di_1", "start": 1, "coupon": _kept("SPRING")}
    line = body["lines"]["data"][0]
    assert (line["type"], line["invoice_item"], line["proration"]) == ("invoiceitem", "ii_1", True)
    # 2,400 with 400 of tax in it, for two.
    assert (line["amount_excluding_tax"], line["unit_amount_excluding_tax"]) == (2000, "1000")
    assert [rate["percentage"] for rate in line["tax_rates"]] == [20, 5]
    assert (line["price"], line["plan"], line["subscription"]) == (None, None, None)


@pytest.mark.parametrize(
    ("version", "there", "gone"),
    [
        ("2023-10-16", "rendering_options", "rendering"),
        ("2023-10-16", "tax", "total_pretax_credit_amounts"),
        ("2024-06-20", "rendering", "rendering_options"),
        ("2025-02-24.acacia", "total_pretax_credit_amounts", "total_taxes"),
    ],
)
def test_each_version_has_its_own_fields(version: str, there: str, gone: str) -> None:
    event = older_shapes.converted(_event(_taxed_invoice()), version, Around(_kept))
    assert event["api_version"] == version
    assert there in event["data"]["object"]
    assert gone not in event["data"]["object"]


def test_what_changed_is_said_in_the_older_shape_too() -> None:
    paid = {**_taxed_invoice(), "status": "paid"}
    event = older_shapes.converted(_event(paid, {"status": "open"}), _VERSION, Around(_kept))
    assert event["data"]["previous_attributes"] == {"status": "open", "paid": False}


def test_a_kind_that_did_not_change_is_left_as_it_is() -> None:
    customer = {"id": "cus_1", "object": "customer", "name": "Ada"}
    event = older_shapes.converted(_event(customer), _VERSION, Around(_kept))
    assert event["data"]["object"] == customer
    assert event["api_version"] == _VERSION
