"""The hosted invoice: paid on its page by every way there is, and printed as it is."""

import re
from typing import Any

import pytest
import requests

from tests.sandbox.portal import open_portal
from tests.sandbox.running import Process, Shop, eventually, open_shop

_CARD = {
    "email": "ada@example.com",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "Ada Lovelace",
}


def _bill(shop: Shop, customer: str, **extra: Any) -> Any:
    """A final invoice of $29.00 that waits for its payment."""
    v1 = shop.client.v1
    params: Any = {
        "customer": customer,
        "currency": "usd",
        "collection_method": "send_invoice",
        "days_until_due": 14,
        **extra,
    }
    draft = v1.invoices.create(params=params)
    for amount, words in ((1900, "A portrait that talks"), (1000, "A second voice")):
        v1.invoice_items.create(
            params={
                "customer": customer,
                "invoice": str(draft.id),
                "amount": amount,
                "currency": "usd",
                "description": words,
            }
        )
    return v1.invoices.finalize_invoice(str(draft.id))


def _page(invoice: Any) -> str:
    return requests.get(invoice.hosted_invoice_url, timeout=5).text


def _pay(invoice: Any, **fields: str) -> requests.Response:
    """The form of the page, sent as a browser would; the answer is not followed."""
    url = invoice.hosted_invoice_url
    return requests.post(url, fields, allow_redirects=False, timeout=10)


def _by_card(invoice: Any, number: str = "4242 4242 4242 4242") -> requests.Response:
    return _pay(invoice, number=number, **_CARD)


def _sums(page: str) -> dict[str, str]:
    """The sums below the lines, by their words."""
    return dict(re.findall(r"<tr[^>]*><th>([^<]+)</th><td class=\"right\">([^<]+)</td></tr>", page))


def _badge(page: str) -> str:
    found = re.search(r'class="badge[^"]*">([^<]+)<', page)
    assert found
    return found.group(1)


def test_an_invoice_is_paid_with_a_new_card_and_says_so(shop: Shop) -> None:
    invoice = _bill(shop, shop.customer())
    page = _page(invoice)
    assert (_badge(page), _sums(page)) == ("To be paid", {"Total": "$29.00", "Due": "$29.00"})
    assert "Pay $29.00</button>" in page
    assert _by_card(invoice).headers["Location"] == invoice.hosted_invoice_url
    page = _page(invoice)
    assert _badge(page) == "Paid"
    assert _sums(page) == {"Total": "$29.00", "Paid": "-$29.00", "Due": "$0.00"}
    assert "<form" not in page
    paid = shop.client.v1.invoices.retrieve(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 2900)
    assert "invoice.paid" in shop.events_about(invoice.id, invoice.customer)


def test_a_saved_card_pays_with_one_press(shop: Shop) -> None:
    customer = shop.client.v1.customers.create(
        params={"email": "ada@example.com", "payment_method": "pm_card_mastercard"}
    ).id
    invoice = _bill(shop, customer)
    (saved,) = re.findall(r'name="saved" value="(pm_\w+)" checked', _page(invoice))
    assert _pay(invoice, saved=saved, shown="1").status_code == 409
    assert _pay(invoice, saved=saved, shown="2900").status_code == 303
    assert "Mastercard ending 4444" in _page(invoice)


def test_a_declined_card_is_told_and_the_invoice_stays_open(shop: Shop) -> None:
    invoice = _bill(shop, shop.customer())
    answer = _by_card(invoice, "4000 0000 0000 9995")
    assert answer.status_code == 402
    assert "There is not enough money on this card." in answer.text
    assert shop.client.v1.invoices.retrieve(invoice.id).status == "open"
    assert "invoice.payment_failed" in shop.events_about(invoice.customer)
    assert _by_card(invoice).status_code == 303


def test_the_bank_is_asked_and_its_no_is_told(shop: Shop) -> None:
    invoice = _bill(shop, shop.customer())
    bank = _by_card(invoice, "4000 0000 0000 3220").headers["Location"]
    failed = requests.post(bank, {"answer": "fail"}, timeout=5)
    assert failed.url.startswith(invoice.hosted_invoice_url)
    assert "You did not confirm this payment with your bank." in failed.text
    bank = _by_card(invoice, "4000 0000 0000 3220").headers["Location"]
    assert _badge(requests.post(bank, {"answer": "approve"}, timeout=5).text) == "Paid"


@pytest.mark.parametrize(("method", "state"), [("bank_arrives", "paid"), ("bank_bounces", "open")])
def test_a_bank_debit_is_on_its_way_until_it_is_decided(
    shop: Shop, method: str, state: str
) -> None:
    invoice = _bill(shop, shop.customer())
    assert _pay(invoice, method=method, email="ada@example.com").status_code == 303
    page = _page(invoice)
    assert _badge(page) == "On its way"
    assert "<form" not in page
    eventually(lambda: _badge(_page(invoice)) != "On its way")
    assert shop.client.v1.invoices.retrieve(invoice.id).status == state


def test_void_and_given_up_invoices_say_what_they_are(shop: Shop) -> None:
    v1 = shop.client.v1
    void, given_up = (_bill(shop, shop.customer()) for _ in range(2))
    v1.invoices.void_invoice(void.id)
    v1.invoices.mark_uncollectible(given_up.id)
    page = _page(void)
    assert (_badge(page), "<form" in page) == ("Void", False)
    assert "Nothing is to be paid." in page
    assert _by_card(void).headers["Location"] == void.hosted_invoice_url
    assert v1.invoices.retrieve(void.id).status == "void"
    assert _badge(_page(given_up)) == "Not paid"
    _by_card(given_up)
    assert v1.invoices.retrieve(given_up.id).status == "paid"


def test_the_page_and_the_pdf_show_every_sum(shop: Shop) -> None:
    v1 = shop.client.v1
    rate = v1.tax_rates.create(
        params={"display_name": "VAT", "percentage": 20, "inclusive": False, "country": "GB"}
    )
    coupon = v1.coupons.create(params={"percent_off": 10, "name": "Spring"})
    customer = v1.customers.create(
        params={
            "name": "Ada Lovelace",
            "balance": -100,
            "address": {"line1": "12 St James Square", "city": "London", "country": "GB"},
            "tax_id_data": [{"type": "gb_vat", "value": "GB123456789"}],
        }
    ).id
    invoice = _bill(
        shop,
        customer,
        discounts=[{"coupon": coupon.id}],
        default_tax_rates=[rate.id],
        footer="Thank you.",
        custom_fields=[{"name": "Order", "value": "77"}],
    )
    v1.credit_notes.create(params={"invoice": invoice.id, "amount": 500})
    # 29.00 - 2.90 = 26.10; 20 % of that 5.22; 31.32 - 1.00 - 5.00 = 25.32.
    sums = {
        "Subtotal": "$29.00",
        "Spring, 10 % off": "-$2.90",
        "VAT 20 %, GB": "$5.22",
        "Total": "$31.32",
        "Credit used": "-$1.00",
        f"Credit note {invoice.number}-CN-01": "-$5.00",
        "Due": "$25.32",
    }
    page = _page(invoice)
    assert _sums(page) == sums
    written = requests.get(invoice.invoice_pdf, timeout=5).content.decode("cp1252")
    for words in (*sums, *sums.values(), "12 St James Square", "Thank you.", "A second voice"):
        assert f"({words})" in written, words
    for words in ("12 St James Square", "Thank you.", "Order", "UK VAT number GB123456789"):
        assert words in page


def test_a_long_invoice_has_several_pages_that_open(shop: Shop) -> None:
    v1 = shop.client.v1
    customer = shop.customer()
    draft = v1.invoices.create(params={"customer": customer, "currency": "usd"})
    for number in range(60):
        v1.invoice_items.create(
            params={
                "customer": customer,
                "invoice": str(draft.id),
                "amount": 100,
                "currency": "usd",
                "description": f"Picture {number}, with words that need more than one line: "
                + "a man who says very much about very little " * 2,
            }
        )
    invoice = v1.invoices.finalize_invoice(str(draft.id))
    written = requests.get(str(invoice.invoice_pdf), timeout=5).content
    pages = written.count(b"/Type /Page ")
    assert pages >= 3
    assert f"(Page {pages} of {pages})".encode() in written
    table = int(written.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    for number, row in enumerate(written[table:].split(b"\n")[3:-1]):
        if row.endswith(b" 00000 n "):
            place = int(row[:10])
            assert written[place:].startswith(f"{number + 1} 0 obj".encode())


def test_a_paid_invoice_has_a_receipt_and_so_has_its_charge(shop: Shop) -> None:
    invoice = _bill(shop, shop.customer())
    receipt = f"{invoice.hosted_invoice_url}/receipt"
    assert requests.get(receipt, timeout=5).status_code == 404
    _by_card(invoice)
    printed = requests.get(receipt, timeout=5)
    assert printed.headers["Content-Type"] == "application/pdf"
    assert b"(Receipt)" in printed.content
    assert b"(Visa ending 4242)" in printed.content
    charge = shop.client.v1.charges.list(params={"customer": invoice.customer}).data[0]
    page = requests.get(str(charge.receipt_url), timeout=5)
    assert "Receipt from Example Shop" in page.text
    assert "A portrait that talks" in page.text
    assert f"Open invoice {invoice.number}" in page.text
    shop.client.v1.refunds.create(params={"charge": charge.id, "amount": 900})
    assert "<dt>Given back</dt><dd>$9.00</dd>" in requests.get(page.url, timeout=5).text
    unknown = requests.get(f"{shop.sandbox.base}/r/ch_none", timeout=5)
    assert (unknown.status_code, "There is no such receipt" in unknown.text) == (404, True)


def test_trying_cards_on_the_page_uses_up_no_planned_retries(own_sandbox: Process) -> None:
    shop = open_shop(own_sandbox)
    portal = open_portal(shop)
    customer, subscription = portal.subscribed()
    portal.open(customer).add_card("4000 0000 0000 0341", prefer="yes")
    own_sandbox.advance(31 * 24 * 3600 + 7200)
    v1 = shop.client.v1
    (invoice,) = v1.invoices.list(params={"customer": customer, "status": "open"}).data
    before = (invoice.attempt_count, invoice.next_payment_attempt)
    for _ in range(6):
        assert _by_card(invoice, "4000 0000 0000 0002").status_code == 402
    after = v1.invoices.retrieve(str(invoice.id))
    assert (after.attempt_count, after.next_payment_attempt) == before
    assert v1.subscriptions.retrieve(subscription).status == "past_due"
    assert _by_card(invoice).status_code == 303
    assert v1.subscriptions.retrieve(subscription).status == "active"
