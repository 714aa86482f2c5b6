"""A customer whose payments are put on record as webhooks put them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from services.auth_service import AuthService
from talkingphoto.billing import payments, refunds
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime


class Till:
    """One customer whose payments are put on record as webhooks put them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._user = (
            AuthService(runtime)
            .register(
                email="payer@example.com",
                password="a sentence that nobody else uses",
                terms_accepted=True,
                ip="127.0.0.1",
                user_agent="test",
            )
            .user
        )

    def takes(self, minor: int, at: datetime, **chosen: Any) -> str:
        """A payment of that day; the id of its payment intent."""
        intent = f"pi_{uuid4().hex}"
        known = {"kind": "plan", "item": "starter:month", "currency": "usd", "tax_minor": 0}
        facts = {**known, "status": "paid", **chosen}
        currency = facts.pop("currency")
        payment = payments.Payment(
            id=f"in_{uuid4().hex}",
            user_id=self._user.id,
            description="Starter",
            amount=Money(minor, currency),
            created_at=at,
            paid_at=at if facts["status"] == "paid" else None,
            payment_intent_id=intent,
            **facts,
        )
        with self._runtime.transaction() as session:
            payments.record(session, payment, looked_at=at)
        return intent

    def gives_back(self, intent: str, minor: int) -> None:
        """So much of that payment was refunded in all."""
        at = self._runtime.wall_clock()
        with self._runtime.transaction() as session:
            payment = payments.of_intent(session, payment_intent_id=intent)
            assert payment is not None
            facts = refunds.RefundFacts(
                id=f"re_{intent}_{minor}",
                refund_id=None,
                payment_intent_id=intent,
                amount=Money(minor - payment.refunded_minor, payment.amount.currency),
                status="succeeded",
                created_at=at,
            )
            refunds.follow(session, facts=facts, looked_at=at, now=at)
