"""The customer portal in the API: configurations and sessions."""

from typing import Any

import pytest
import stripe

from tests.sandbox.portal import Portal, open_portal
from tests.sandbox.running import Process, Shop, open_shop
from tests.sandbox.test_shapes import _compare


@pytest.fixture(scope="module")
def portal(shop: Shop) -> Portal:
    return open_portal(shop)


def test_a_configuration_keeps_what_was_said_and_fills_in_the_rest(shop: Shop) -> None:
    configurations = shop.client.v1.billing_portal.configurations
    made = configurations.create(
        params={
            "business_profile": {"headline": "Photos that talk"},
            "default_return_url": "http://localhost:1/back",
            "features": {"subscription_cancel": {"enabled": True}},
            "metadata": {"for": "tests"},
        }
    )
    cancel = made.features.subscription_cancel
    assert (cancel.enabled, cancel.mode, cancel.proration_behavior) == (
        True,
        "at_period_end",
        "none",
    )
    assert (made.active, made.is_default, made.features.invoice_history.enabled) == (
        True,
        False,
        False,
    )
    _compare(made.to_dict(), stripe.billing_portal.Configuration)
    changed = configurations.update(
        made.id,
        params={
            "features": {"subscription_cancel": {"mode": "immediately"}},
            "metadata": {"foo": "bar"},
        },
    )
    assert changed.features.subscription_cancel.enabled
    assert changed.features.subscription_cancel.mode == "immediately"
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"for": "tests", "foo": "bar"}
    assert changed.business_profile.headline == "Photos that talk"
    assert configurations.retrieve(made.id).updated == changed.updated
    assert shop.events_about(made.id) == [
        "billing_portal.configuration.created",
        "billing_portal.configuration.updated",
    ]


def test_there_is_one_default_configuration_and_it_cannot_be_switched_off(
    own_sandbox: Process,
) -> None:
    client = own_sandbox.client()
    configurations = client.v1.billing_portal.configurations
    (default,) = configurations.list(params={"is_default": True}).data
    assert default.features.payment_method_update.enabled
    session = client.v1.billing_portal.sessions.create(
        params={"customer": open_shop(own_sandbox).customer()}
    )
    assert session.configuration == default.id
    with pytest.raises(stripe.InvalidRequestError, match="default configuration"):
        configurations.update(default.id, params={"active": False})
    assert len(configurations.list().data) == 1


@pytest.mark.parametrize(
    ("features", "param"),
    [
        ({"customer_update": {"enabled": True}}, "customer_update][allowed_updates"),
        (
            {"subscription_update": {"enabled": True, "products": []}},
            "subscription_update][default_allowed_updates",
        ),
        (
            {"subscription_update": {"enabled": True, "default_allowed_updates": ["price"]}},
            "subscription_update][products",
        ),
        (
            {"subscription_cancel": {"enabled": True, "proration_behavior": "always_invoice"}},
            "subscription_cancel][proration_behavior",
        ),
        (
            {"subscription_cancel": {"enabled": True, "proration_behavior": "create_prorations"}},
            "subscription_cancel][proration_behavior",
        ),
        ({"subscription_pause": {"enabled": True}}, "features[subscription_pause]"),
    ],
)
def test_a_feature_that_says_too_little_or_too_much_is_refused(
    shop: Shop, features: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.billing_portal.configurations.create(params={"features": features})  # type: ignore[typeddict-item]
    assert param in str(caught.value.param)


def test_a_price_of_another_product_is_not_offered(shop: Shop, portal: Portal) -> None:
    product = str(shop.client.v1.prices.retrieve(portal.starter).product)
    with pytest.raises(stripe.InvalidRequestError, match="no recurring price of the product"):
        portal.configured(
            subscription_update={"products": [{"product": product, "prices": [portal.pro]}]}
        )


def test_a_session_names_its_customer_and_where_it_goes_back_to(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    made = shop.client.v1.billing_portal.sessions.create(
        params={
            "customer": customer,
            "configuration": portal.configuration,
            "return_url": "http://localhost:1/account",
            "flow_data": {
                "type": "subscription_cancel",
                "subscription_cancel": {"subscription": subscription},
                "after_completion": {
                    "type": "redirect",
                    "redirect": {"return_url": "http://localhost:1/sorry"},
                },
            },
        }
    )
    _compare(made.to_dict(), stripe.billing_portal.Session)
    assert made.url.startswith(f"{shop.sandbox.base}/p/session/")
    assert made.flow is not None
    assert made.flow.subscription_cancel is not None
    assert made.flow.subscription_cancel.subscription == subscription
    assert shop.events_about(made.id) == ["billing_portal.session.created"]


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ({"type": "subscription_cancel"}, "flow_data\\[subscription_cancel\\]"),
        (
            {"type": "payment_method_update", "subscription_cancel": {"subscription": "sub_1"}},
            "only specify subscription_cancel",
        ),
        (
            {"type": "subscription_update", "subscription_update": {"subscription": "sub_1"}},
            "No such subscription",
        ),
        (
            {"type": "payment_method_update", "after_completion": {"type": "redirect"}},
            "redirect",
        ),
    ],
)
def test_a_flow_that_leads_nowhere_is_refused(
    shop: Shop, portal: Portal, flow: dict[str, Any], message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        portal.open(shop.customer(), flow_data=flow)


def test_a_flow_through_a_feature_that_is_off_is_refused(shop: Shop, portal: Portal) -> None:
    without = portal.configured(payment_method_update={"enabled": False})
    with pytest.raises(stripe.InvalidRequestError, match="switched off"):
        without.open(shop.customer(), flow_data={"type": "payment_method_update"})
