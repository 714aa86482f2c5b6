"""Short words for what the tests of payments do over and over."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests
import stripe

from tests.sandbox.running import Process

ONLINE = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "tests"},
    }
}


@dataclass
class Payer:
    """Somebody who pays at one sandbox, with whatever card the test names."""

    sandbox: Process

    @property
    def v1(self) -> Any:
        """The official SDK's resources, untyped: tests also send what the types forbid."""
        return self.sandbox.client().v1

    def pay(self, card: str = "visa", **extra: Any) -> Any:
        """A PaymentIntent tried at once with a ready-made card."""
        return self.v1.payment_intents.create(
            params={
                "amount": 2000,
                "currency": "usd",
                "payment_method": f"pm_card_{card}",
                "confirm": True,
                "expand": ["latest_charge"],
                **extra,
            }
        )

    def debit(self, account: str, **extra: Any) -> Any:
        """A PaymentIntent tried at once with a ready-made bank account, with a mandate."""
        currency = "eur" if account.startswith("sepa") else "usd"
        return self.v1.payment_intents.create(
            params={
                "amount": 2000,
                "currency": currency,
                "payment_method": f"pm_{account}",
                "confirm": True,
                "mandate_data": ONLINE,
                **extra,
            }
        )

    def refused(self, verb: Any, *args: Any, **kwargs: Any) -> stripe.StripeError:
        """The error the call ends with; a call that succeeds fails the test."""
        try:
            verb(*args, **kwargs)
        except stripe.StripeError as error:
            return error
        raise AssertionError("it was not refused")

    def declined(self, card: str, **extra: Any) -> Any:
        """The error of a card that is tried and refused."""
        error = self.refused(self.pay, card, **extra)
        assert isinstance(error, stripe.CardError), error
        assert error.http_status == 402
        return error.error

    def answer(self, intent: Any, how: str) -> requests.Response:
        """The bank's page is answered as a browser would."""
        url = intent.next_action.redirect_to_url.url
        return requests.post(url, {"answer": how}, allow_redirects=False, timeout=10)

    def desk(self, path: str, **fields: str) -> requests.Response:
        """A request to one of the sandbox's own addresses."""
        return requests.post(f"{self.sandbox.base}/_sandbox/{path}", data=fields, timeout=10)

    def events(self, *object_ids: str) -> list[str]:
        """The types of the events whose object is one of these or names one, oldest first."""
        return self.sandbox.events_about(*object_ids)

    def moves(self, source: str) -> list[tuple[str, int, int]]:
        """What the balance knows of one charge, refund or dispute: kind, amount, fee."""
        found = self.v1.balance_transactions.list(params={"source": source}).data
        return [(move.type, move.amount, move.fee) for move in reversed(found)]

    def balance(self) -> Counter[tuple[str, str]]:
        """What there is, by state and currency."""
        shown = self.v1.balance.retrieve()
        return Counter(
            {
                (state, part.currency): part.amount
                for state in ("available", "pending")
                for part in getattr(shown, state)
            }
        )
