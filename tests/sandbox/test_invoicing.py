"""Invoices by hand: drafts and their lines, and every way one can end."""

from typing import Any

import pytest
import stripe

from tests.sandbox import plans
from tests.sandbox.plans import DAY, Subscriber, subscriber
from tests.sandbox.running import Shop


def _draft(who: Subscriber, *amounts: int, **extra: Any) -> Any:
    made = who.v1.invoices.create(params={"customer": who.customer, "currency": "usd", **extra})
    for amount in amounts:
        who.v1.invoice_items.create(
            params={"customer": who.customer, "invoice": made.id, "amount": amount}
        )
    return who.v1.invoices.retrieve(made.id)


def test_a_draft_sums_its_items_and_follows_their_changes(shop: Shop) -> None:
    who = subscriber(shop)
    draft = _draft(who, 1000, 250, -150)
    assert (draft.status, draft.total, len(draft.lines.data)) == ("draft", 1100, 3)
    listed = who.v1.invoice_items.list(params={"invoice": draft.id}).data
    oldest = listed[-1]
    who.v1.invoice_items.update(oldest.id, params={"amount": 2000})
    assert who.v1.invoices.retrieve(draft.id).total == 2100
    who.v1.invoice_items.delete(oldest.id)
    assert who.v1.invoices.retrieve(draft.id).total == 100


def test_an_item_waits_for_the_next_invoice_of_its_customer(shop: Shop) -> None:
    who = subscriber(shop)
    waiting = who.v1.invoice_items.create(
        params={"customer": who.customer, "amount": 700, "currency": "usd", "description": "Extra"}
    )
    assert _draft(who).total == 0
    taken = _draft(who, pending_invoice_items_behavior="include")
    assert (taken.total, taken.lines.data[0].description) == (700, "Extra")
    assert who.v1.invoice_items.retrieve(waiting.id).invoice == taken.id
    who.v1.invoices.delete(taken.id)
    assert who.v1.invoice_items.retrieve(waiting.id).invoice is None


def test_an_invoice_is_made_final_once_and_paid_once(shop: Shop) -> None:
    who = subscriber(shop)
    draft = _draft(who, 1000)
    final = who.v1.invoices.finalize_invoice(draft.id)
    assert (final.status, final.amount_due) == ("open", 1000)
    assert final.number
    paid = who.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1000, 0)
    for again in (who.v1.invoices.finalize_invoice, who.v1.invoices.pay):
        with pytest.raises(stripe.InvalidRequestError):
            again(draft.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.v1.invoice_items.create(
            params={"customer": who.customer, "invoice": draft.id, "amount": 1}
        )
    assert refused.value.code == "invoice_not_editable"


def test_a_card_that_is_refused_is_raised_and_the_invoice_stays_open(shop: Shop) -> None:
    who = subscriber(shop, card=plans.FAILS_LATER)
    draft = _draft(who, 1000)
    with pytest.raises(stripe.CardError) as refused:
        who.v1.invoices.pay(draft.id)
    assert refused.value.code == "card_declined"
    left = who.v1.invoices.retrieve(draft.id)
    assert (left.status, left.attempt_count) == ("open", 1)


def test_a_void_invoice_gives_its_balance_back_and_takes_no_payment(shop: Shop) -> None:
    who = subscriber(shop)
    who.v1.customers.balance_transactions.create(
        who.customer, params={"amount": -300, "currency": "usd"}
    )
    final = who.v1.invoices.finalize_invoice(_draft(who, 1000).id)
    assert (final.amount_due, final.starting_balance, final.ending_balance) == (700, -300, 0)
    assert who.v1.customers.retrieve(who.customer).balance == 0
    assert who.v1.invoices.void_invoice(final.id).status == "void"
    assert who.v1.customers.retrieve(who.customer).balance == -300
    with pytest.raises(stripe.InvalidRequestError) as refused:
        who.v1.invoices.pay(final.id)
    assert refused.value.code == "invoice_not_payable"


def test_an_uncollectible_invoice_can_still_be_paid(shop: Shop) -> None:
    who = subscriber(shop)
    final = who.v1.invoices.finalize_invoice(_draft(who, 1000).id)
    assert who.v1.invoices.mark_uncollectible(final.id).status == "uncollectible"
    assert who.v1.invoices.pay(final.id).status == "paid"


def test_what_is_less_than_can_be_charged_is_carried_to_the_balance(shop: Shop) -> None:
    who = subscriber(shop)
    final = who.v1.invoices.finalize_invoice(_draft(who, 49).id)
    assert (final.status, final.amount_due, final.ending_balance) == ("paid", 0, 49)
    next_one = who.v1.invoices.finalize_invoice(_draft(who, 1000).id)
    assert (next_one.amount_due, next_one.starting_balance) == (1049, 49)


def test_an_invoice_below_zero_is_paid_at_once_and_credited(shop: Shop) -> None:
    who = subscriber(shop)
    final = who.v1.invoices.finalize_invoice(_draft(who, -500).id)
    assert (final.status, final.total, final.amount_due) == ("paid", -500, 0)
    assert who.v1.customers.retrieve(who.customer).balance == -500


def test_an_invoice_that_is_sent_is_overdue_after_its_day(shop: Shop) -> None:
    who = subscriber(shop, card=None)
    draft = _draft(who, 1000, collection_method="send_invoice", days_until_due=5)
    sent = who.v1.invoices.send_invoice(draft.id)
    assert (sent.status, sent.due_date) == ("open", plans.NEW_YEAR + 5 * DAY)
    who.wait(days=6)
    assert {"invoice.sent", "invoice.overdue"} <= set(who.events(draft.id))
    paid = who.v1.invoices.pay(draft.id, params={"paid_out_of_band": True})
    assert (paid.status, paid.attempt_count) == ("paid", 0)


def test_discounts_come_off_before_tax_is_put_on(shop: Shop) -> None:
    who = subscriber(shop)
    rate = who.v1.tax_rates.create(
        params={"display_name": "VAT", "percentage": 19, "inclusive": False}
    )
    coupon = who.v1.coupons.create(params={"amount_off": 333, "currency": "usd"})
    draft = _draft(who, 1000, 2000, default_tax_rates=[rate.id])
    who.v1.invoices.update(draft.id, params={"discounts": [{"coupon": coupon.id}]})
    final = who.v1.invoices.retrieve(draft.id)
    # 333 over 1000 and 2000 is 111 and 222; 19 % of 889 is 168.91, of 1778 is 337.82.
    assert [line.discount_amounts[0].amount for line in final.lines.data] == [111, 222]
    assert [line.taxes[0].amount for line in final.lines.data] == [169, 338]
    assert (final.subtotal, final.total_excluding_tax, final.total) == (3000, 2667, 3174)


def test_the_lines_come_in_pages_and_nothing_is_upcoming_for_a_stranger(shop: Shop) -> None:
    who = subscriber(shop)
    draft = _draft(who, *range(100, 112))
    first = who.v1.invoices.line_items.list(draft.id, params={"limit": 10})
    assert (len(first.data), first.has_more) == (10, True)
    rest = who.v1.invoices.line_items.list(
        draft.id, params={"limit": 10, "starting_after": first.data[-1].id}
    )
    assert [line.amount for line in rest.data] == [110, 111]
    stranger = subscriber(shop)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stranger.v1.invoices.create_preview(params={"customer": stranger.customer})
    assert (refused.value.code, refused.value.http_status) == ("invoice_upcoming_none", 404)


def test_a_new_invoice_shows_what_the_customer_s_invoices_always_show(shop: Shop) -> None:
    who = subscriber(shop)
    usual: Any = {"custom_fields": [{"name": "PO number", "value": "77"}], "footer": "Thank you"}
    who.v1.customers.update(who.customer, params={"invoice_settings": usual})
    shown = _draft(who, 1000)
    assert [(one.name, one.value) for one in shown.custom_fields] == [("PO number", "77")]
    assert shown.footer == "Thank you"
    own = _draft(who, 1000, custom_fields=[{"name": "Order", "value": "1"}], footer="Bye")
    assert ([one.name for one in own.custom_fields], own.footer) == (["Order"], "Bye")
