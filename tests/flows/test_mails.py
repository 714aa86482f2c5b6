"""Messages that are owed leave once each, whatever happens to the mail server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from email.message import Message as EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from services.mail_service import MailService
from talkingphoto.accounts import mails
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.jobs import run_due_jobs
from tests.support.sandbox import free_port
from tests.support.shop import Person, Shop


class MailServer(Message):
    """A mail server that keeps what it was given, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self._controller: Controller | None = None

    def handle_message(self, message: EmailMessage) -> None:
        self.mails.append(message)

    def start(self) -> None:
        """The server answers."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """The server is away."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def subjects(self) -> list[str]:
        """What arrived, by subject."""
        return sorted(str(mail["Subject"]) for mail in self.mails)


@pytest.fixture
def post(shop: Shop) -> Iterator[MailServer]:
    """The shop's letters go to this server, which is not there yet."""
    server = MailServer()
    with_smtp(shop, server, founder_email="")
    yield server
    server.stop()


def with_smtp(shop: Shop, server: MailServer, *, founder_email: str) -> None:
    chosen = shop.runtime.settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{server.port}"),
            "founder_email": founder_email,
        }
    )
    shop.letters = MailService(Runtime(chosen, clock=shop.clock))


def states(shop: Shop) -> dict[str, str]:
    """Every message of the shop and where it stands."""
    with shop.runtime.read_only() as session:
        return {mail.template: mail.state for mail in mails.page(session, before="")}


def appointed(shop: Shop, role: str) -> Person:
    """Somebody who works here."""
    person = shop.a_person()
    with shop.runtime.transaction() as session:
        session.execute(
            text("UPDATE users SET role = :role WHERE id = :id"), {"role": role, "id": person.id}
        )
    return person


def test_c10_a_mail_server_that_is_away_costs_nobody_anything(shop: Shop, post: MailServer) -> None:
    ada = shop.a_person()
    events = shop.buys(ada, "pack:10")
    assert shop.balance(ada) == 13
    key = mails.receipt_key(payment_of(shop, ada))
    with pytest.raises(errors.Unavailable):
        shop.letters.send(key)
    with shop.runtime.read_only() as session:
        mail = mails.owed(session, key=key)
    assert mail is not None and mail.tries == 1

    post.start()
    shop.letters.send(key)
    shop.letters.send(key)
    shop.deliver(events)
    run_due_jobs(shop)
    assert post.subjects() == ["Your receipt for 10 videos: $9.90"]
    assert states(shop)["receipt"] == "sent"


def test_c10_what_is_not_taken_for_long_is_given_up_with_an_alert_and_can_be_sent_again(
    shop: Shop, post: MailServer
) -> None:
    ada, staff = shop.a_person(), appointed(shop, "admin")
    shop.buys(ada, "pack:10")
    key = mails.receipt_key(payment_of(shop, ada))
    with capture_logs() as said:
        shop.letters.bury(key, error="Unavailable")
    assert [line["key"] for line in said if line["event"] == "alert.mail"] == [key]
    post.start()
    shop.letters.send(key)
    assert post.mails == []

    shop.letters.send_again(staff_id=staff.id, key=key, reason="the server is back")
    with pytest.raises(errors.Conflict):
        shop.letters.send_again(staff_id=staff.id, key=key, reason="once more")
    run_due_jobs(shop)
    assert post.subjects() == ["Your receipt for 10 videos: $9.90"]


def test_the_first_payment_of_a_plan_is_one_welcome_and_the_founder_hears_of_the_first_sale_only(
    shop: Shop, post: MailServer
) -> None:
    with_smtp(shop, post, founder_email="founder@example.com")
    post.start()
    ada, eve = shop.a_person(), shop.a_person()
    shop.buys(ada, "pro:month")
    shop.buys(eve, "pack:10")
    run_due_jobs(shop)
    assert post.subjects() == [
        "You are on Pro, paid monthly",
        "Your first sale: $49.99",
        "Your receipt for 10 videos: $9.90",
    ]
    (first,) = [mail for mail in post.mails if "first sale" in str(mail["Subject"])]
    assert first["To"] == "founder@example.com"


def test_without_an_address_of_the_founder_what_needs_a_hand_stays_in_the_list(shop: Shop) -> None:
    now = shop.runtime.clock()
    told = {"what": "A payment is nobody's", "about": "pi_1", "now": now}
    with shop.runtime.transaction() as session:
        assert mails.needs_a_hand(session, **told)  # type: ignore[arg-type]
        assert not mails.needs_a_hand(session, **told)  # type: ignore[arg-type]
    run_due_jobs(shop)
    assert states(shop)["needs_a_hand"] == "kept"


def test_support_sees_messages_with_masked_addresses_and_customers_see_none(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    key = mails.receipt_key(payment_of(shop, ada))
    support, admin = appointed(shop, "support"), appointed(shop, "admin")
    rows = {row.key: row for row in shop.letters.outbox(staff_id=support.id).rows}
    assert rows[key].to == "p***@example.com"
    assert rows[key].subject == "Your receipt for 10 videos: $9.90"
    whole = {row.key: row for row in shop.letters.outbox(staff_id=admin.id).rows}
    assert whole[key].to == ada.email
    assert "10 videos are on your account" in shop.letters.body(staff_id=support.id, key=key).text
    assert shop.letters.preview(staff_id=support.id, template="gift").subject
    for ask in (
        lambda: shop.letters.outbox(staff_id=ada.id),
        lambda: shop.letters.body(staff_id=ada.id, key=key),
        lambda: shop.letters.preview(staff_id=ada.id, template="gift"),
    ):
        with pytest.raises(errors.NotPermitted):
            ask()


def test_the_list_is_read_page_by_page(shop: Shop) -> None:
    staff, now = appointed(shop, "support"), shop.runtime.clock()
    with shop.runtime.transaction() as session:
        for number in range(mails.MOST_ROWS + 1):
            mails.owe(
                session,
                key=f"gift:{number}",
                user_id=staff.id,
                template="gift",
                facts={"credits": "1"},
                now=now,
            )
    first = shop.letters.outbox(staff_id=staff.id)
    second = shop.letters.outbox(staff_id=staff.id, before=first.next)
    keys = [row.key for row in (*first.rows, *second.rows)]
    assert len(keys) == len(set(keys)) == mails.MOST_ROWS + 2  # and the link at sign-up
    assert second.next == ""


def test_a_receipt_that_the_version_before_queued_is_sent(shop: Shop, post: MailServer) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    payment_id = payment_of(shop, ada)
    with shop.runtime.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.execute(text("DELETE FROM mails"))
        session.execute(
            text("INSERT INTO mails (key, user_id, created_at) VALUES (:key, :user, now())"),
            {"key": mails.receipt_key(payment_id), "user": ada.id},
        )
    post.start()
    shop.letters.send_old_receipt(payment_id)
    assert post.subjects() == ["Your receipt for 10 videos: $9.90"]


def payment_of(shop: Shop, person: Person) -> str:
    """The newest payment of that person."""
    return shop.payments.account(person.id).invoices[0].id


def test_a_year_that_renews_is_announced_thirty_days_before_and_once(shop: Shop) -> None:
    ada, ben = shop.a_person(), shop.a_person()
    shop.buys(ada, "pro:year")
    shop.buys(ben, "pro:month")
    shop.clock.advance(days=334)
    shop.letters.announce_renewals()
    assert "renewal_coming" not in states(shop)
    shop.clock.advance(days=2)
    shop.letters.announce_renewals()
    shop.letters.announce_renewals()
    staff = appointed(shop, "admin")
    (row,) = [
        row
        for row in shop.letters.outbox(staff_id=staff.id).rows
        if row.template == "renewal_coming"
    ]
    assert row.to == ada.email
    assert row.subject.endswith(" for $499.99")


def test_a_year_that_ends_is_not_announced(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pro:year")
    shop.plans.cancel(user_id=ada.id, request_id=str(uuid.uuid4()))
    shop.clock.advance(days=340)
    shop.letters.announce_renewals()
    assert "renewal_coming" not in states(shop)
