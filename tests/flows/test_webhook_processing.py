"""What happens between the acknowledgement of an event and its completion."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from email import message_from_bytes, policy
from email.message import Message as EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from pydantic import SecretStr
from sqlalchemy import text

from services.mail_service import MailService
from services.payment_service import PaymentService
from services.webhook_service import WebhookService
from talkingphoto.billing import catalog, ledger
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.jobs import run_due_jobs
from tests.support.proxy import Proxy
from tests.support.running import wait_until
from tests.support.sandbox import Event, free_port, of_type, sign
from tests.support.shop import Person, Shop
from tests.support.webhooks import made_up_event, results, services_through
from worker.main import Pace

CARDS = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
}


def one(shop: Shop, query: str, **values: object) -> object:
    """The single value that the query finds."""
    with shop.runtime.read_only() as session:
        return session.execute(text(query), values).scalar_one()


def test_an_event_that_no_handler_knows_is_ignored(shop: Shop) -> None:
    event = made_up_event("customer.created", {"id": "cus_x", "object": "customer"})
    shop.deliver([event])
    assert results(shop, [event]) == {"ignored"}


def test_w17_a_poison_event_is_buried_while_others_flow(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    good = shop.new_events()
    sold = pays_for_what_we_do_not_sell(shop, ada, good[0]["data"]["object"]["customer"])
    # A charge says nothing of what was bought.
    poison = [event for event in sold if event["type"] != "charge.succeeded"]
    for event in [*poison, *good]:
        shop.webhooks.receive(*sign(event, shop.secret))
    run_due_jobs(shop)
    assert shop.balance(ada) == 13
    found = "SELECT result || ' ' || error FROM stripe_events WHERE id = :id"
    for event in poison:
        assert one(shop, found, id=event["id"]) == "dead InvalidRequest"
    waiting = "SELECT count(*) FROM stripe_events WHERE processed_at IS NULL"
    assert one(shop, waiting) == 0


@pytest.mark.parametrize(("card", "code"), CARDS.items())
def test_a_declined_card_grants_nothing_and_leaves_the_page_open(
    shop: Shop, card: str, code: str
) -> None:
    ada = shop.a_person()
    request_id = str(uuid.uuid4())
    url = shop.opens(ada, "pack:10", request_id=request_id)
    refused = shop.sandbox.pay(url, card=card)
    assert refused.status != 303
    shop.deliver(shop.new_events())
    assert shop.balance(ada) == 3
    assert shop.payments.account(ada.id).invoices == ()
    reasons = "SELECT array_agg(failure_code) FROM failed_attempts WHERE user_id = :id"
    assert one(shop, reasons, id=ada.id) == [code]
    assert shop.opens(ada, "pack:10", request_id=request_id) == url
    assert shop.sandbox.pay(url).status == 303
    shop.deliver(shop.new_events())
    assert shop.balance(ada) == 13


def test_a_refund_shows_in_the_list_of_payments_and_repeats_change_nothing(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:50")
    client = shop.sandbox.client(shop.key)
    intent = client.v1.payment_intents.list({"limit": 1}).data[0]
    for amount, status in ((1000, "partly_refunded"), (3450, "refunded")):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})
        told = of_type(shop.new_events(), "charge.refunded")
        shop.deliver(told * 2)
        assert shop.payments.account(ada.id).invoices[0].status == status


def test_c3_a_worker_that_wakes_late_changes_nothing(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "starter:month")
    event = of_type(shop.new_events(), "invoice.paid")[0]
    shop.webhooks.receive(*sign(event, shop.secret))
    with Proxy(shop.sandbox.base, delay=2) as slow:
        late = services_through(shop, slow)
        thread = threading.Thread(target=late.process, args=(event["id"],))
        thread.start()
        time.sleep(0.5)
        shop.webhooks.process(event["id"])
        after_first = shop.payments.account(ada.id)
        thread.join(20)
    assert not thread.is_alive()
    assert shop.payments.account(ada.id) == after_first
    assert shop.balance(ada) == 33
    entries = "SELECT count(*) FROM ledger_transactions WHERE kind = 'grant' AND user_id = :id"
    assert one(shop, entries, id=ada.id) == 2


def test_m8_a_crash_between_stripes_answer_and_our_commit_makes_one_session(shop: Shop) -> None:
    ada = shop.a_person()
    request_id = str(uuid.uuid4())
    with Proxy(shop.sandbox.base, hold_after="/v1/checkout/sessions") as cut:
        script = (
            "from services.payment_service import payment_service as s;"
            f"s.start_checkout(user_id={ada.id!r}, item='pack:10', request_id={request_id!r})"
        )
        buyer = subprocess.Popen([sys.executable, "-c", script], env=environment(shop, cut.base))
        assert cut.held.wait(30)
        buyer.send_signal(signal.SIGKILL)
        buyer.wait(10)
        cut.released.set()
    with shop.runtime.read_only() as session:
        stored = session.execute(text("SELECT url FROM checkouts")).scalar_one()
    assert stored is None
    url = shop.opens(ada, "pack:10", request_id=request_id)
    client = shop.sandbox.client(shop.key)
    customer = client.v1.customers.list({"email": ada.email}).data
    assert len(customer) == 1
    sessions = client.v1.checkout.sessions.list({"customer": customer[0].id}).data
    assert [session.url for session in sessions] == [url]


def test_c3_the_job_of_a_killed_worker_is_done_by_another(shop: Shop) -> None:
    pace = Pace()
    assert pace.silent + pace.rescue_every + pace.poll < 45
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    for event in of_type(shop.new_events(), "checkout.session.completed"):
        shop.webhooks.receive(*sign(event, shop.secret))
    quick = "from worker.main import Pace, run; run(Pace(0.5, 0.5, 2.0, 0.5))"
    with Proxy(shop.sandbox.base, delay=60) as tarpit:
        first = subprocess.Popen([sys.executable, "-c", quick], env=environment(shop, tarpit.base))
        wait_until(lambda: one(shop, doing) == 1)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    second = subprocess.Popen(
        [sys.executable, "-c", quick], env=environment(shop, shop.sandbox.base)
    )
    try:
        wait_until(lambda: shop.balance(ada) == 13)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(20) == 0
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def test_o2_a_worker_that_is_told_to_stop_ends_the_job_in_hand(shop: Shop) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    for event in of_type(shop.new_events(), "checkout.session.completed"):
        shop.webhooks.receive(*sign(event, shop.secret))
    program = [sys.executable, "-c", "from worker.main import run; run()"]
    with Proxy(shop.sandbox.base, delay=3) as slow:
        worker = subprocess.Popen(program, env=environment(shop, slow.base))
        wait_until(lambda: one(shop, doing) == 1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert shop.balance(ada) == 13
    assert one(shop, doing) == 0
    assert one(shop, "SELECT count(*) FROM procrastinate_workers") == 0


doing = (
    "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'stripe.event'"
)


def test_the_receipt_of_a_purchase_reaches_the_mail_server_once(shop: Shop) -> None:
    ada = shop.a_person()
    inbox = MailInbox()
    port = free_port()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings = shop.runtime.settings.model_copy(
            update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}")}
        )
        mailing = Runtime(settings, clock=shop.clock)
        shop.letters = MailService(mailing)
        events = shop.buys(ada, "starter:month")
        shop.deliver(events)
        run_due_jobs(shop)
        run_due_jobs(shop)
    finally:
        server.stop()
    assert [mail["To"] for mail in inbox.mails] == [ada.email]
    (mail,) = inbox.mails
    assert mail["Subject"] == "You are on Starter, paid monthly"
    parts = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert parts == ["text/plain", "text/html"]


def test_without_a_mail_server_the_receipt_lies_in_the_outbox_folder(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    run_due_jobs(shop)
    folder = shop.runtime.settings.data / "outbox"
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in folder.glob("receipt-*.eml")
    ]
    assert [mail["Subject"] for mail in mails if mail["To"] == ada.email] == [
        "Your receipt for 10 videos: $9.90"
    ]


def test_stripe_that_cannot_be_reached_is_said_plainly_and_charges_nothing(shop: Shop) -> None:
    ada = shop.a_person()
    away = Runtime(
        shop.runtime.settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"}),
        clock=shop.clock,
    )
    with pytest.raises(errors.Unavailable) as refusal:
        PaymentService(away).start_checkout(
            user_id=ada.id, item="pack:10", request_id=str(uuid.uuid4())
        )
    assert refusal.value.code == "billing.unavailable"
    assert PaymentService(away).account(ada.id).credits.available == 3


class MailInbox(Message):
    """Keeps what the mail server was given."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    def handle_message(self, message: EmailMessage) -> None:
        self.mails.append(message)


def pays_for_what_we_do_not_sell(shop: Shop, person: Person, customer: str) -> list[Event]:
    """What the sandbox tells of a payment that only a person can put right."""
    client = shop.sandbox.client(shop.key)
    with shop.runtime.read_only() as session:
        price = catalog.current_price_id(session, item_key="pack:10")
    page = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "customer": customer,
            "line_items": [{"price": price, "quantity": 1}],
            "metadata": {
                "user_id": person.id,
                "request_id": str(uuid.uuid4()),
                "item": "pack:999",
            },
            "success_url": "http://localhost/success",
        }
    )
    assert shop.sandbox.pay(str(page.url)).status == 303
    return shop.new_events()


def environment(shop: Shop, api_base: str) -> dict[str, str]:
    """What a process needs to be the same product with another way to Stripe."""
    return {
        **os.environ,
        "DATABASE_URL": shop.runtime.database_url,
        "STRIPE_API_BASE": api_base,
    }


def test_a_year_that_was_paid_back_brings_no_more_months(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:year")
    client = shop.sandbox.client(shop.key)
    intent = client.v1.payment_intents.list({"limit": 1}).data[0]
    client.v1.refunds.create({"payment_intent": intent.id})
    shop.deliver(of_type(shop.new_events(), "charge.refunded"))
    shop.clock.advance(days=45)
    shop.payments.run_due_work()
    assert shop.balance(ada) == 3
    assert shop.payments.account(ada.id).invoices[0].status == "refunded"


def test_the_other_events_of_a_paid_invoice_are_done_without_asking_stripe_again(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.pays(ada, "starter:month")
    told = shop.new_events()
    first = of_type(told, "invoice.paid")
    others = of_type(told, "invoice.payment_succeeded", "payment_intent.succeeded")
    shop.deliver(first)
    deaf = without_stripe(shop)
    for event in others:
        shop.webhooks.receive(*sign(event, shop.secret))
        deaf.process(event["id"])
    assert results(shop, others) == {"done"}
    assert shop.balance(ada) == 33


def test_after_the_way_back_the_checkouts_own_event_asks_nothing(shop: Shop) -> None:
    ada = shop.a_person()
    session_id = str(shop.pays(ada, "pack:10").location).rpartition("=")[2]
    shop.payments.confirm_return(user_id=ada.id, session_id=session_id)
    completed = of_type(shop.new_events(), "checkout.session.completed")
    deaf = without_stripe(shop)
    for event in completed:
        shop.webhooks.receive(*sign(event, shop.secret))
        deaf.process(event["id"])
    assert results(shop, completed) == {"done"}
    assert shop.balance(ada) == 13


def without_stripe(shop: Shop) -> WebhookService:
    """The webhook service where nobody answers for Stripe."""
    nobody = {"stripe_api_base": f"http://127.0.0.1:{free_port()}"}
    return WebhookService(Runtime(shop.runtime.settings.model_copy(update=nobody)))
