"""Credit notes: what they take off an open invoice, what they give back of a paid one."""

from typing import Any

import pytest
import requests
import stripe
from hypothesis import given
from hypothesis import strategies as st

from stripe_sandbox.maths.crediting import back
from tests.sandbox.running import Shop


def _billed(shop: Shop, *items: dict[str, Any], paid: bool, **params: Any) -> Any:
    """A finalized invoice of these items, to be sent, or paid at once with a card."""
    v1 = shop.client.v1
    customer = shop.customer()
    how = {"currency": "usd", "collection_method": "send_invoice"}
    wanted: Any = {"customer": customer, **how, **params}
    draft = v1.invoices.create(params=wanted)
    for item in items:
        line: Any = {"invoice": draft.id, **item}
        v1.invoice_items.create(params=line)
    final = v1.invoices.finalize_invoice(draft.id)
    if paid:
        v1.payment_methods.attach("pm_card_visa", params={"customer": customer})
        return v1.invoices.pay(final.id, params={"payment_method": "pm_card_visa"})
    return final


def _credit(shop: Shop, invoice: Any, **params: Any) -> Any:
    wanted: Any = {"invoice": invoice.id, **params}
    return shop.client.v1.credit_notes.create(params=wanted)


def _line(invoice: Any, at: int = 0, **params: Any) -> dict[str, Any]:
    return {
        "type": "invoice_line_item",
        "invoice_line_item": invoice.lines.data[at].id,
        **params,
    }


def _again(shop: Shop, invoice: Any) -> Any:
    return shop.client.v1.invoices.retrieve(invoice.id)


def _taxed(shop: Shop, percentage: float, *, inclusive: bool = False) -> str:
    return shop.client.v1.tax_rates.create(
        params={"display_name": "Tax", "percentage": percentage, "inclusive": inclusive}
    ).id


def test_a_note_on_an_open_invoice_lowers_what_it_asks_for(shop: Shop) -> None:
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    note = _credit(shop, invoice, amount=1200, reason="order_change", memo="Sorry")
    assert (note.type, note.status, note.amount) == ("pre_payment", "issued", 1200)
    assert (note.pre_payment_amount, note.post_payment_amount) == (1200, 0)
    assert note.number == f"{invoice.number}-CN-01"
    after = _again(shop, invoice)
    assert (after.total, after.amount_due, after.amount_remaining) == (5000, 3800, 3800)
    assert after.pre_payment_credit_notes_amount == 1200
    assert _credit(shop, invoice, amount=100).number == f"{invoice.number}-CN-02"
    assert shop.events_about(note.id, invoice.id)[-2:] == ["credit_note.created", "invoice.updated"]


def test_the_customer_pays_what_the_note_left_and_no_more(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    _credit(shop, invoice, amount=1200)
    v1.payment_methods.attach("pm_card_visa", params={"customer": invoice.customer})
    paid = v1.invoices.pay(
        invoice.id, params={"payment_method": "pm_card_visa", "expand": ["payments"]}
    )
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 3800, 0)
    charges = v1.charges.list(params={"customer": str(invoice.customer)}).data
    assert [charge.amount for charge in charges] == [3800]


def test_the_payment_that_waits_already_asks_for_less_too(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    _credit(shop, invoice, amount=1200)
    (waiting,) = v1.invoice_payments.list(params={"invoice": invoice.id}).data
    assert waiting.amount_requested == 3800
    intent = v1.payment_intents.confirm(
        str(waiting.payment.payment_intent), params={"payment_method": "pm_card_visa"}
    )
    assert intent.amount_received == 3800


def test_an_invoice_credited_in_full_is_paid_and_asks_nobody(shop: Shop) -> None:
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    note = _credit(shop, invoice, lines=[_line(invoice)])
    assert note.amount == 5000
    after = shop.client.v1.invoices.retrieve(invoice.id, params={"expand": ["payments"]})
    assert (after.status, after.amount_remaining, after.amount_paid) == ("paid", 0, 0)
    assert after.payments is not None
    assert {payment.status for payment in after.payments.data} <= {"canceled"}
    assert shop.events_about(invoice.id)[-3:] == [
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    with pytest.raises(stripe.InvalidRequestError, match="left to credit"):
        _credit(shop, invoice, amount=1, credit_amount=1)


def test_a_note_on_a_paid_invoice_gives_back_as_it_is_told(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=True)
    note = _credit(
        shop, invoice, amount=1000, refund_amount=600, credit_amount=300, out_of_band_amount=100
    )
    assert (note.type, note.post_payment_amount, note.out_of_band_amount) == (
        "post_payment",
        1000,
        100,
    )
    (link,) = note.refunds
    refund = v1.refunds.retrieve(str(link.refund))
    assert (link.amount_refunded, refund.amount, refund.status) == (600, 600, "succeeded")
    customer = v1.customers.retrieve(str(invoice.customer))
    assert customer.balance == -300
    moved = v1.customers.balance_transactions.retrieve(
        customer.id, str(note.customer_balance_transaction)
    )
    assert (moved.type, moved.amount, moved.credit_note) == ("credit_note", -300, note.id)
    after = _again(shop, invoice)
    assert (after.status, after.amount_paid, after.amount_due) == ("paid", 5000, 5000)
    assert after.post_payment_credit_notes_amount == 1000


def test_the_ways_back_must_add_up_and_not_exceed_the_invoice(shop: Shop) -> None:
    invoice = _billed(shop, {"amount": 5000}, paid=True)
    for wrong in ({}, {"refund_amount": 999}, {"refund_amount": 600, "credit_amount": 401}):
        with pytest.raises(stripe.InvalidRequestError, match="must equal"):
            _credit(shop, invoice, amount=1000, **wrong)
    with pytest.raises(stripe.InvalidRequestError, match="left to credit"):
        _credit(shop, invoice, amount=5001, refund_amount=5001)
    _credit(shop, invoice, amount=4000, credit_amount=4000)
    with pytest.raises(stripe.InvalidRequestError, match="left to credit"):
        _credit(shop, invoice, amount=1001, refund_amount=1001)
    _credit(shop, invoice, amount=1000, refund_amount=1000)
    assert _again(shop, invoice).post_payment_credit_notes_amount == 5000


def test_a_refused_note_has_refunded_nothing(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=True)
    (charge,) = v1.charges.list(params={"customer": str(invoice.customer)}).data
    v1.refunds.create(params={"charge": charge.id, "amount": 4500})
    with pytest.raises(stripe.InvalidRequestError, match="can still be refunded"):
        _credit(shop, invoice, amount=1000, refund_amount=1000)
    assert v1.charges.retrieve(charge.id).amount_refunded == 4500
    assert v1.credit_notes.list(params={"invoice": invoice.id}).data == []


def test_a_refund_made_before_can_be_linked(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=True)
    (charge,) = v1.charges.list(params={"customer": str(invoice.customer)}).data
    refund = v1.refunds.create(params={"charge": charge.id, "amount": 700})
    note = _credit(shop, invoice, amount=700, refunds=[{"refund": refund.id}])
    assert [(link.refund, link.amount_refunded) for link in note.refunds] == [(refund.id, 700)]
    assert v1.charges.retrieve(charge.id).amount_refunded == 700


def test_a_line_goes_back_with_its_share_of_discount_and_tax(shop: Shop) -> None:
    # 3 x 1000 with 10 % off: 300, 2700 left; 7.25 % of 2700 is 195.75, so 196: 2896 in all.
    coupon = shop.client.v1.coupons.create(params={"percent_off": 10}).id
    invoice = _billed(
        shop,
        {"quantity": 3, "unit_amount_decimal": "1000", "tax_rates": [_taxed(shop, 7.25)]},
        paid=True,
        discounts=[{"coupon": coupon}],
    )
    assert invoice.total == 2896
    # One of three: 1000, 100 off, and 196 / 3 = 65.3 of the tax: 65. In all 965.
    first = _credit(shop, invoice, lines=[_line(invoice, quantity=1)], refund_amount=965)
    assert (first.subtotal, first.discount_amount, first.total) == (1000, 100, 965)
    assert [(tax.amount, tax.taxable_amount) for tax in first.total_taxes] == [(65, 900)]
    (line,) = first.lines.data
    assert (line.amount, line.quantity, line.unit_amount) == (1000, 1, 1000)
    # Two of three by sum: 2000, 200 off, and the rest of the tax: 196 - 65 = 131. In all 1931.
    second = _credit(shop, invoice, lines=[_line(invoice, amount=2000)], refund_amount=1931)
    assert (second.discount_amount, second.total_taxes[0].amount) == (200, 131)
    assert first.total + second.total == invoice.total
    with pytest.raises(stripe.InvalidRequestError, match="what is left of the invoice line"):
        _credit(shop, invoice, lines=[_line(invoice, amount=1)], refund_amount=1)


def test_tax_within_the_price_is_part_of_what_goes_back(shop: Shop) -> None:
    # 10000 hold 23 %: 1870. Half of the line: 5000, and 935 of it is tax.
    invoice = _billed(
        shop,
        {"amount": 10000, "tax_rates": [_taxed(shop, 23, inclusive=True)]},
        paid=True,
    )
    note = _credit(shop, invoice, lines=[_line(invoice, amount=5000)], credit_amount=5000)
    assert (note.total, note.subtotal_excluding_tax, note.total_excluding_tax) == (5000, 4065, 4065)
    assert note.total_taxes[0].amount == 935


def test_a_line_of_its_own_can_be_credited_with_tax(shop: Shop) -> None:
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    rate = _taxed(shop, 20)
    own = {"type": "custom_line_item", "description": "Delay", "quantity": 2, "unit_amount": 150}
    note = _credit(shop, invoice, lines=[{**own, "tax_rates": [rate]}])
    # 2 x 150 = 300 and 20 % of it on top: 60.
    assert (note.subtotal, note.total) == (300, 360)
    assert [found.id for found in note.lines.data[0].tax_rates] == [rate]
    for wrong, param in (
        ({**own, "amount": 5}, "lines[0][amount]"),
        ({**_line(invoice), "unit_amount": 5}, "lines[0][unit_amount]"),
        ({**_line(invoice), "quantity": 2}, "lines[0][quantity]"),
        ({"type": "custom_line_item"}, "lines[0][unit_amount]"),
        ({"type": "invoice_line_item"}, "lines[0][invoice_line_item]"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            _credit(shop, invoice, lines=[wrong])
        assert refused.value.param == param


def test_a_note_larger_than_what_is_open_is_of_both_kinds(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = shop.customer()
    v1.customers.balance_transactions.create(customer, params={"amount": -400, "currency": "usd"})
    draft = v1.invoices.create(
        params={"customer": customer, "currency": "usd", "collection_method": "send_invoice"}
    )
    v1.invoice_items.create(params={"invoice": draft.id, "amount": 1000, "customer": customer})
    invoice = v1.invoices.finalize_invoice(draft.id)
    assert (invoice.amount_due, invoice.starting_balance) == (600, -400)
    note = _credit(shop, invoice, amount=800, credit_amount=200)
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 600, 200)
    assert v1.customers.retrieve(customer).balance == -200
    assert _again(shop, invoice).status == "paid"


def test_a_void_note_counts_no_more(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    note = _credit(shop, invoice, lines=[_line(invoice, amount=1200)])
    void = v1.credit_notes.void_credit_note(note.id)
    assert void.status == "void" and void.voided_at is not None
    after = _again(shop, invoice)
    assert (after.amount_remaining, after.pre_payment_credit_notes_amount) == (5000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="only void"):
        v1.credit_notes.void_credit_note(note.id)
    # What it had taken of the line can be taken again.
    assert _credit(shop, invoice, lines=[_line(invoice, amount=5000)]).total == 5000
    paid = _billed(shop, {"amount": 5000}, paid=True)
    given = _credit(shop, paid, amount=100, credit_amount=100)
    with pytest.raises(stripe.InvalidRequestError, match="only void"):
        v1.credit_notes.void_credit_note(given.id)


def test_a_preview_tells_the_sums_and_does_nothing(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=True)
    lines: Any = [_line(invoice, amount=700)]
    params: Any = {"invoice": invoice.id, "lines": lines, "refund_amount": 700}
    seen = v1.credit_notes.preview(params=params)
    assert (seen.total, seen.post_payment_amount) == (700, 700)
    page = v1.credit_notes.preview_lines.list(params=params)
    assert [line.amount for line in page.data] == [700]
    assert v1.credit_notes.list(params={"invoice": invoice.id}).data == []
    assert _again(shop, invoice).post_payment_credit_notes_amount == 0


def test_a_note_s_memo_can_change_and_its_lines_are_listed(shop: Shop) -> None:
    v1 = shop.client.v1
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    note = _credit(shop, invoice, amount=100, metadata={"k": "v"})
    changed = v1.credit_notes.update(note.id, params={"memo": "Why", "metadata": {"k": ""}})
    assert changed.memo == "Why"
    assert changed.to_dict()["metadata"] == {}
    assert shop.events_about(note.id)[-1] == "credit_note.updated"
    listed = v1.credit_notes.list(params={"customer": str(invoice.customer)}).data
    assert [found.id for found in listed] == [note.id]
    assert [line.amount for line in v1.credit_notes.line_items.list(note.id).data] == [100]
    document = requests.get(note.pdf, timeout=5)
    assert document.headers["Content-Type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-1.4")
    assert note.number.encode() in document.content


def test_only_a_finalized_invoice_can_be_credited(shop: Shop) -> None:
    v1 = shop.client.v1
    draft = v1.invoices.create(params={"customer": shop.customer(), "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _credit(shop, draft, amount=1)
    assert refused.value.param == "invoice"
    invoice = _billed(shop, {"amount": 5000}, paid=False)
    for wrong in ({}, {"amount": 5, "lines": [_line(invoice)]}):
        with pytest.raises(stripe.InvalidRequestError, match="exactly one of amount and lines"):
            _credit(shop, invoice, **wrong)


@given(
    st.integers(-(10**7), 10**7),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
)
def test_a_line_credited_bit_by_bit_gives_back_its_whole_tax_and_never_more(
    whole: int, parts: list[int]
) -> None:
    of, until, given_back = sum(parts), 0, 0
    for part in parts:
        until += part
        given_back += back(whole, of=of, until=until, given=given_back)
        assert abs(given_back) <= abs(whole)
    assert given_back == whole
