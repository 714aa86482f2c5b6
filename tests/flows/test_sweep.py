"""The sweep of every minute: what fails in it keeps nothing else from its turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from services.payment_service import PaymentService
from talkingphoto.billing import closings
from talkingphoto.billing.details import BillingDetails
from tests.support.saved import customer_of
from tests.support.shop import Shop
from worker.tasks import table


class _Torn(PaymentService):
    """A service with a fault of ours in it."""

    def run_due_work(self) -> int:
        """Never comes to an end."""
        raise ZeroDivisionError


def test_a_part_of_the_sweep_that_fails_is_an_alert_and_the_others_have_their_turn(
    shop: Shop,
) -> None:
    is_to_be_closed(shop)
    torn = replace(shop.services, payments=_Torn(shop.runtime))

    with capture_logs() as logs, pytest.raises(ZeroDivisionError):
        table(torn)["sweep.minute"].verb()

    assert [line["part"] for line in logs if line["event"] == "alert.sweep"] == ["payments"]
    assert still_to_be_closed(shop) == 0


def test_details_of_somebody_whom_stripe_does_not_know_any_more_hold_nothing_up(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pack:10")
    shop.invoices.save_details(user_id=ada.id, details=BillingDetails(name="Ada"))
    shop.sandbox.client(shop.key).v1.customers.delete(customer_of(shop, ada))
    with shop.runtime.transaction() as session:  # as if Stripe had not answered
        session.execute(text("UPDATE billing_details SET state_of_sync = 'owed'"))
    shop.clock.advance(seconds=180)
    is_to_be_closed(shop)

    table(shop.services)["sweep.minute"].verb()

    assert still_to_be_closed(shop) == 0


def is_to_be_closed(shop: Shop) -> None:
    """Somebody's account is over, and what runs for it is to end: one of the last parts."""
    bob = shop.a_person()
    with shop.runtime.transaction() as session:
        closings.owe(session, user_id=bob.id, now=shop.clock())


def still_to_be_closed(shop: Shop) -> int:
    """How many accounts wait for that."""
    with shop.runtime.read_only() as session:
        waiting = text("SELECT count(*) FROM account_closings WHERE done_at IS NULL")
        return int(session.execute(waiting).scalar_one())
