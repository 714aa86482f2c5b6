"""Money that goes back while something else happens to it: a sweep, an outage, a bank."""

from __future__ import annotations

import threading
import uuid

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.refund_service import RefundOrder
from talkingphoto.billing import disputes, refunds
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from tests.support.money_back import (
    FREE,
    a_colleague,
    balance,
    newest,
    payment_of,
    refunded_at_stripe,
)
from tests.support.running import wait_until
from tests.support.shop import Shop

PENDING_THEN_FAILS = "4000000000005126"


def test_m11_a_month_that_a_refund_stops_is_not_granted_by_a_sweep_that_saw_it_before(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:year")
    payment_id = payment_of(shop, ada)
    shop.clock.advance(days=32)
    whole = refunds.NewRefund(str(uuid.uuid4()), payment_id, "staff", "As agreed")
    late = threading.Thread(target=shop.payments.run_due_work)

    with shop.runtime.transaction() as session:
        refunds.ask(session, whole, now=shop.clock())
        late.start()
        wait_until(lambda: is_waited_for(session))
    late.join(20)

    assert balance(shop, ada).available == FREE


def test_m11_who_withdrew_has_no_plan_also_when_stripe_was_away_for_a_part_of_it(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    shop.buys(ada, "pro:month")
    payment_id, request_id = payment_of(shop, ada), str(uuid.uuid4())
    faults = f"{shop.sandbox.base}/_sandbox/faults"
    away = {"kind": "error", "method": "DELETE", "path": "/v1/subscriptions/*", "times": "9"}
    assert requests.post(faults, data=away, timeout=10).ok
    with pytest.raises(errors.Unavailable):
        shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=request_id)
    assert requests.delete(faults, timeout=10).ok
    shop.deliver(shop.new_events())

    shop.clock.advance(seconds=61)
    shop.refunds.sweep()

    shop.deliver(shop.new_events())
    assert shop.payments.account(ada.id).plan is None
    assert refunded_at_stripe(shop, payment_id) == [49_99]
    assert balance(shop, ada).available == FREE


def test_m11_a_refund_that_fails_after_the_bank_gave_the_money_back_brings_no_videos_back(
    shop: Shop,
) -> None:
    ada = shop.a_person()
    assert shop.pays(ada, "pack:10", card=PENDING_THEN_FAILS).status == 303
    shop.deliver(shop.new_events())
    payment_id = payment_of(shop, ada)
    shop.refunds.withdraw(user_id=ada.id, payment_id=payment_id, request_id=str(uuid.uuid4()))
    lost = disputes.DisputeFacts(
        id=f"du_{uuid.uuid4().hex}",
        payment_intent_id=newest(shop, "payment_intents").id,
        amount=Money(9_90, "usd"),
        reason="fraudulent",
        status="lost",
        due_by=None,
        created_at=shop.clock(),
    )
    with shop.runtime.transaction() as session:
        disputes.follow(session, facts=lost, looked_at=shop.runtime.wall_clock(), now=shop.clock())

    shop.sandbox.advance(advance_seconds=10)
    shop.deliver(shop.new_events())

    assert "failed" in [one.state for one in shop.refunds.history(ada.id)]
    assert balance(shop, ada).available == FREE


def test_support_does_not_refund_a_payment_of_its_own(shop: Shop) -> None:
    colleague = a_colleague(shop)
    shop.buys(colleague, "pack:10")
    order = RefundOrder(payment_of(shop, colleague), None, "I like money", str(uuid.uuid4()), True)

    with pytest.raises(errors.NotPermitted, match="colleague"):
        shop.refunds.refund(staff_id=colleague.id, order=order)

    assert balance(shop, colleague).available == FREE + 10


def is_waited_for(session: Session) -> bool:
    """Whether somebody waits for a row that this transaction holds."""
    waiting = text("""
        SELECT count(*) FROM pg_locks
        WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
    """)
    return bool(session.execute(waiting).scalar_one())
