"""The pages of the customer portal, form by form: what a customer does is what the API does."""

import re

import pytest
import requests

from tests.sandbox.plans import DAY
from tests.sandbox.portal import Portal, open_portal
from tests.sandbox.running import Process, Shop, eventually, open_shop

_SUM_DUE = re.compile(r'<dd class="total">([^<]+)</dd>')


@pytest.fixture(scope="module")
def portal(shop: Shop) -> Portal:
    return open_portal(shop)


def test_the_overview_shows_plan_card_details_and_invoices(portal: Portal) -> None:
    customer, _ = portal.subscribed()
    page = portal.open(customer).get().text
    for words in ("Starter", "$19.99 a month", "Renews on ", "Visa ending 4242", "ada@example.com"):
        assert words in page
    assert "Sandbox. This page stands in for Stripe; no real money moves." in page
    assert 'href="http://localhost:1/account">Back to Example Shop</a>' in page
    assert re.search(r"/i/in_\w+\">Invoice \w+-0001</a>", page)
    assert re.search(r"/i/in_\w+/pdf\"", page)
    assert "<script" not in page


def test_a_portal_that_is_over_or_never_was_says_so(own_sandbox: Process) -> None:
    shop = open_shop(own_sandbox)
    visitor = open_portal(shop).open(shop.customer())
    assert visitor.get().status_code == 200
    own_sandbox.advance(3601)
    for url in (visitor.url, f"{shop.sandbox.base}/p/session/bps_none"):
        answer = requests.get(url, timeout=5)
        assert answer.status_code == 404
        assert "This page is no longer open" in answer.text


def test_a_feature_that_is_off_has_no_page(shop: Shop, portal: Portal) -> None:
    without = portal.configured(
        payment_method_update={"enabled": False}, invoice_history={"enabled": False}
    )
    visitor = without.open(shop.customer())
    assert "Ways to pay" not in visitor.get().text
    assert visitor.get("/card").status_code == 404
    assert visitor.post("/card").status_code == 404
    assert "This is not offered here" in visitor.get("/invoices").text


def test_a_new_card_pays_from_now_on(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(customer)
    before = visitor.methods()
    answer = visitor.add_card("5555 5555 5555 4444", prefer="yes")
    assert visitor.done(answer) == "Your card is saved."
    (new,) = set(visitor.methods()) - set(before)
    v1 = shop.client.v1
    settings = v1.customers.retrieve(customer).invoice_settings
    assert settings is not None
    assert settings.default_payment_method == new
    assert v1.subscriptions.retrieve(subscription).default_payment_method == new
    assert shop.events_about(customer, new)[-4:] == [
        "payment_method.attached",
        "setup_intent.succeeded",
        "customer.updated",
        "customer.subscription.updated",
    ]
    assert visitor.done(visitor.post(f"/card/{before[0]}/prefer")).startswith("Your plan is paid")
    assert v1.subscriptions.retrieve(subscription).default_payment_method == before[0]
    assert visitor.done(visitor.post(f"/card/{new}/remove")).startswith("It is removed.")
    assert v1.payment_methods.retrieve(new).customer is None


def test_the_last_card_of_a_running_plan_stays(portal: Portal) -> None:
    customer, _ = portal.subscribed()
    visitor = portal.open(customer)
    answer = visitor.post(f"/card/{visitor.methods()[0]}/remove")
    assert answer.status_code == 409
    assert "Add another card first" in answer.text
    assert len(visitor.methods()) == 1


def test_a_card_its_bank_refuses_is_not_saved(shop: Shop, portal: Portal) -> None:
    visitor = portal.open(shop.customer())
    answer = visitor.add_card("4000 0000 0000 0002")
    assert answer.status_code == 402
    assert "Your bank declined this card." in answer.text
    assert visitor.add_card("4242 4242 4242 4241").status_code == 422
    assert visitor.methods() == []


@pytest.mark.parametrize("approved", [True, False])
def test_the_bank_is_asked_before_a_card_is_saved(
    shop: Shop, portal: Portal, approved: bool
) -> None:
    visitor = portal.open(shop.customer())
    bank = visitor.add_card("4000 0000 0000 3220", prefer="yes").headers["Location"]
    back = requests.post(bank, {"answer": "approve" if approved else "fail"}, timeout=5)
    assert len(visitor.methods()) == int(approved)
    if approved:
        assert "Your card is saved." in back.text
    else:
        assert "You did not confirm this card with your bank." in back.text


def test_somebody_elses_card_and_plan_are_out_of_reach(shop: Shop, portal: Portal) -> None:
    owner, subscription = portal.subscribed()
    (card,) = portal.open(owner).methods()
    visitor = portal.open(shop.customer())
    visitor.post(f"/card/{card}/remove")
    visitor.post(f"/cancel/{subscription}")
    visitor.change(subscription, portal.pro)
    v1 = shop.client.v1
    assert v1.payment_methods.retrieve(card).customer == owner
    plan = v1.subscriptions.retrieve(subscription)
    assert (plan.cancel_at_period_end, plan["items"].data[0].price.id) == (False, portal.starter)


def test_a_plan_is_changed_for_the_sum_that_was_shown(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(customer)
    choices = visitor.get(f"/plan/{subscription}").text
    assert "$199.99 a year" in choices
    assert "$49.99 a month" in choices
    page = visitor.get(f"/plan/{subscription}/confirm", price=portal.pro, quantity="2")
    (due,) = _SUM_DUE.findall(page.text)
    assert "Change to 2 \u00d7 Pro" in page.text
    answer = visitor.change(subscription, portal.pro, quantity="2")
    assert visitor.done(answer) == "Your plan is changed."
    plan = shop.client.v1.subscriptions.retrieve(
        subscription, params={"expand": ["latest_invoice"]}
    )
    item, invoice = plan["items"].data[0], plan.latest_invoice
    assert (item.price.id, item.quantity) == (portal.pro, 2)
    assert f"${invoice.amount_paid / 100:.2f}" == due  # type: ignore[union-attr]
    assert "customer.subscription.updated" in shop.events_about(subscription)


def test_a_sum_that_is_not_the_one_shown_is_not_charged(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(customer)
    answer = visitor.post(
        f"/plan/{subscription}/confirm", price=portal.pro, quantity="1", shown="1"
    )
    assert answer.status_code == 409
    assert "Nothing was charged." in answer.text
    plan = shop.client.v1.subscriptions.retrieve(subscription)
    assert plan["items"].data[0].price.id == portal.starter


def test_a_card_that_declines_leaves_the_plan_as_it_was(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(customer)
    visitor.add_card("4000 0000 0000 0341", prefer="yes")
    answer = visitor.change(subscription, portal.pro)
    assert answer.status_code == 402
    assert "This card can be saved but not charged." in answer.text
    v1 = shop.client.v1
    plan = v1.subscriptions.retrieve(subscription, params={"expand": ["latest_invoice"]})
    assert plan["items"].data[0].price.id == portal.starter
    assert (plan.status, plan.pending_update) == ("active", None)
    assert v1.invoices.list(params={"customer": customer, "status": "open"}).data == []


@pytest.mark.parametrize("approved", [True, False])
def test_a_bank_that_asks_decides_whether_the_plan_is_changed(
    shop: Shop, portal: Portal, approved: bool
) -> None:
    customer, subscription = portal.subscribed("4000 0000 0000 3220")
    visitor = portal.open(customer)
    bank = visitor.change(subscription, portal.pro).headers["Location"]
    assert "/c/confirm/pi_" in bank
    back = requests.post(bank, {"answer": "approve" if approved else "fail"}, timeout=5)
    plan = shop.client.v1.subscriptions.retrieve(subscription)
    assert plan["items"].data[0].price.id == (portal.pro if approved else portal.starter)
    assert plan.pending_update is None
    words = "Your plan is changed." if approved else "You did not confirm this payment"
    assert words in back.text


def test_a_smaller_plan_waits_for_the_end_of_the_period_if_the_merchant_says_so(
    own_sandbox: Process,
) -> None:
    shop = open_shop(own_sandbox)
    condition = {"conditions": [{"type": "decreasing_item_amount"}]}
    portal = open_portal(shop).configured(subscription_update={"schedule_at_period_end": condition})
    customer, subscription = portal.subscribed()
    visitor = portal.open(customer)
    visitor.change(subscription, portal.pro)
    page = visitor.get(f"/plan/{subscription}/confirm", price=portal.starter)
    assert "Nothing is charged now. Your plan changes on " in page.text
    answer = visitor.change(subscription, portal.starter)
    assert visitor.done(answer) == "Your plan changes with its next period."
    assert re.search(r"Changes on .* to Starter, \$19\.99 a month\.", visitor.get().text)
    assert visitor.done(visitor.post(f"/plan/{subscription}/forget")) == "Your plan goes on."
    visitor.change(subscription, portal.starter)

    def price() -> str:
        plan = shop.client.v1.subscriptions.retrieve(subscription)
        return str(plan["items"].data[0].price.id)

    assert price() == portal.pro
    own_sandbox.advance(32 * DAY)
    assert price() == portal.starter


def test_a_plan_is_canceled_with_a_reason_and_kept_after_all(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(customer)
    page = visitor.get(f"/cancel/{subscription}").text
    assert "You keep it until then, and nothing more is charged." in page
    assert "It costs too much" in page
    assert "It is too difficult to use" not in page
    answer = visitor.post(f"/cancel/{subscription}", feedback="too_expensive", comment="Sorry.")
    assert visitor.done(answer) == "Your plan is canceled."
    plan = shop.client.v1.subscriptions.retrieve(subscription)
    details = plan.cancellation_details
    assert plan.cancel_at_period_end
    assert details is not None
    assert (details.feedback, details.comment, details.reason) == (
        "too_expensive",
        "Sorry.",
        "cancellation_requested",
    )
    assert re.search(r"Ends on \d+ \w+ \d+\. You keep it until then\.", visitor.get().text)
    assert visitor.done(visitor.post(f"/keep/{subscription}")) == "Your plan goes on."
    assert not shop.client.v1.subscriptions.retrieve(subscription).cancel_at_period_end


def test_a_plan_ends_at_once_where_the_merchant_wants_that(shop: Shop, portal: Portal) -> None:
    at_once = {"mode": "immediately", "proration_behavior": "create_prorations"}
    customer, subscription = portal.subscribed()
    visitor = portal.configured(subscription_cancel=at_once).open(customer)
    assert "comes back as a credit" in visitor.get(f"/cancel/{subscription}").text
    visitor.post(f"/cancel/{subscription}")
    assert shop.client.v1.subscriptions.retrieve(subscription).status == "canceled"
    waiting = shop.client.v1.invoice_items.list(params={"customer": customer}).data
    assert [item.amount < 0 for item in waiting] == [True]
    assert "You have no plan now." in visitor.get().text


def test_details_and_tax_ids_are_changed(shop: Shop, portal: Portal) -> None:
    customer = shop.customer()
    visitor = portal.open(customer)
    typed = {
        "name": "Ada King",
        "email": "ada@king.example",
        "phone": "+44 20 7946 0000",
        "line1": "12 St James Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "gb",
    }
    wrong = visitor.post("/details", **{**typed, "email": "nobody", "country": "Britain"})
    assert wrong.status_code == 422
    assert wrong.text.count('role="alert"') == 2
    assert visitor.done(visitor.post("/details", **typed)) == "Your details are saved."
    body = shop.client.v1.customers.retrieve(customer)
    assert (body.name, body.email) == ("Ada King", "ada@king.example")
    assert body.address is not None
    assert (body.address.country, body.address.line1) == ("GB", "12 St James Square")
    refused = visitor.post("/tax-ids", tax_id_type="gb_vat", tax_id="nonsense")
    assert "This is not how a tax ID of this kind is written." in refused.text
    visitor.post("/tax-ids", tax_id_type="gb_vat", tax_id="GB123456789")
    (tax_id,) = shop.client.v1.customers.tax_ids.list(customer).data
    eventually(lambda: "UK VAT number, verified" in visitor.get("/details").text)
    visitor.post(f"/tax-ids/{tax_id.id}/remove")
    assert shop.client.v1.customers.tax_ids.list(customer).data == []


def test_only_details_that_may_be_changed_are(shop: Shop, portal: Portal) -> None:
    narrow = portal.configured(customer_update={"allowed_updates": ["phone"]})
    customer = shop.customer()
    visitor = narrow.open(customer)
    assert 'name="email"' not in visitor.get("/details").text
    visitor.post("/details", email="other@example.com", phone="+1 415 555 0100")
    body = shop.client.v1.customers.retrieve(customer)
    assert (body.email, body.phone) == ("ada@example.com", "+1 415 555 0100")


def test_a_payment_that_failed_leads_to_its_invoice(own_sandbox: Process) -> None:
    shop = open_shop(own_sandbox)
    portal = open_portal(shop)
    customer, _ = portal.subscribed()
    portal.open(customer).add_card("4000 0000 0000 0341", prefer="yes")
    own_sandbox.advance(32 * DAY)
    page = portal.open(customer).get().text
    assert "The last payment did not go through." in page
    assert re.search(r'/i/in_\w+">Pay \$19\.99</a>', page)


def test_a_flow_goes_straight_to_its_page_and_on_to_where_it_was_told(
    shop: Shop, portal: Portal
) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(
        customer,
        flow_data={
            "type": "subscription_cancel",
            "subscription_cancel": {"subscription": subscription},
            "after_completion": {
                "type": "redirect",
                "redirect": {"return_url": "http://localhost:1/sorry"},
            },
        },
    )
    page = visitor.get()
    assert page.url == f"{visitor.url}/cancel/{subscription}"
    answer = visitor.post(f"/cancel/{subscription}")
    assert answer.headers["Location"] == "http://localhost:1/sorry"
    assert "Ends on " in visitor.get().text


def test_a_flow_may_end_with_the_merchants_own_words(shop: Shop, portal: Portal) -> None:
    customer, subscription = portal.subscribed()
    visitor = portal.open(
        customer,
        flow_data={
            "type": "subscription_update_confirm",
            "subscription_update_confirm": {
                "subscription": subscription,
                "items": [
                    {
                        "id": shop.client.v1.subscriptions.retrieve(subscription)["items"]
                        .data[0]
                        .id,
                        "price": portal.pro,
                    }
                ],
            },
            "after_completion": {
                "type": "hosted_confirmation",
                "hosted_confirmation": {"custom_message": "Welcome to Pro."},
            },
        },
    )
    assert "Change to Pro" in visitor.get().text
    answer = visitor.change(subscription, portal.pro)
    assert "Welcome to Pro." in requests.get(answer.headers["Location"], timeout=5).text


def test_whoever_knows_a_customers_address_is_let_in_at_the_login_page(shop: Shop) -> None:
    v1 = shop.client.v1
    configuration = v1.billing_portal.configurations.create(
        params={"features": {"invoice_history": {"enabled": True}}, "login_page": {"enabled": True}}
    )
    v1.customers.create(params={"email": "grace@example.com"})
    url = str(configuration.login_page.url)
    assert "Open your account" in requests.get(url, timeout=5).text
    unknown = requests.post(url, {"email": "nobody@example.com"}, timeout=5)
    assert "No customer has this e-mail address." in unknown.text
    assert "grace@example.com" in requests.post(url, {"email": "grace@example.com"}, timeout=5).text
