"""What the sandbox holds at the end, reckoned without the product's own rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from talkingphoto.billing import catalog
from talkingphoto.foundation import clock
from tests.simulation.entitled import Line, Paid
from tests.simulation.store import Json, Store

_CHANGE = "subscription_update"
_WHOLE_PERIODS = {"subscription_create", "subscription_cycle"}
_DISPUTED = {"won": "won", "warning_closed": "won", "prevented": "won", "lost": "lost"}
_REFUNDED = {"canceled": "failed"}
# Months are granted by the clock, and events arrive, at the latest so long afterwards.
_SWEPT_WITHIN = timedelta(days=10)
_ITEM_OF_LOOKUP = {item.lookup_key: item for item in catalog.ITEMS.values()}


@dataclass(frozen=True)
class Bought:
    """Something that was paid: what, for how much, and how much of that was given back."""

    id: str
    user_id: str
    item: catalog.Item | None
    amount_minor: int
    refunded_minor: int
    # When its money was first given back, or asked back by the payer's bank.
    back_at: datetime | None
    whole_period: bool
    began_at: datetime
    # Of an invoice: the subscription, and whether it bills a change in the middle of a period.
    subscription: str = ""
    is_change: bool = False


class Truth:
    """One reading of the sandbox's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def owners(self) -> dict[str, str]:
        """The user behind each Stripe customer."""
        return {
            body["id"]: body["metadata"]["user_id"]
            for body in self._store.objects("customer")
            if "user_id" in body["metadata"]
        }

    @cached_property
    def items(self) -> dict[str, catalog.Item]:
        """What each Stripe price sells."""
        return {
            body["id"]: _ITEM_OF_LOOKUP[body["lookup_key"]]
            for body in self._store.objects("price")
            if body["lookup_key"] in _ITEM_OF_LOOKUP
        }

    def subscriptions(self) -> dict[str, tuple[object, ...]]:
        """Each subscription: whose, to what, in which state and period, and whether it ends."""
        found: dict[str, tuple[object, ...]] = {}
        for body in self._store.objects("subscription"):
            item = body["items"]["data"][0]
            found[body["id"]] = (
                self.owners.get(body["customer"]),
                self.items[item["price"]["id"]].key,
                body["status"],
                moment(item["current_period_start"]),
                moment(item["current_period_end"]),
                body["cancel_at_period_end"],
            )
        return found

    def bought(self) -> dict[str, Bought]:
        """Every invoice and every pack that was paid, by its id."""
        return {one.id: one for one in (*self._invoices(), *self._packs())}

    def changed(self) -> dict[str, list[Paid]]:
        """The paid invoices of each subscription whose plan was changed within a period."""
        found: dict[str, list[Paid]] = defaultdict(list)
        for body in self._store.objects("invoice"):
            if body["status"] == "paid" and body["customer"] in self.owners:
                found[_subscription_of(body)].append(self._paid(body))
        return {key: bills for key, bills in found.items() if any(one.is_change for one in bills)}

    def _paid(self, body: Json) -> Paid:
        lines = (
            line
            for line in body["lines"]["data"]
            # A trial costs nothing, and is no month.
            if _price_of(line) in self.items and (line["amount"] or _is_proration(line))
        )
        return Paid(
            created_at=moment(body["created"]),
            paid_at=moment(body["status_transitions"]["paid_at"]),
            is_change=body["billing_reason"] == _CHANGE,
            whole_period=body["billing_reason"] in _WHOLE_PERIODS,
            lines=tuple(
                Line(
                    item=self.items[_price_of(line)],
                    amount_minor=line["amount"],
                    is_proration=_is_proration(line),
                    start=moment(line["period"]["start"]),
                    end=moment(line["period"]["end"]),
                )
                for line in lines
            ),
        )

    def trials(self) -> dict[str, tuple[str | None, bool]]:
        """Each subscription that began as a trial: whose, and whether a month was paid since."""
        paid = {one.subscription for one in self._invoices() if one.whole_period}
        return {
            body["id"]: (self.owners.get(body["customer"]), body["id"] in paid)
            for body in self._store.objects("subscription")
            if body["trial_start"]
        }

    def topped_up(self) -> dict[tuple[str, str], int]:
        """What was charged by itself, for each customer and calendar month."""
        found: Counter[tuple[str, str]] = Counter()
        for body in self._store.objects("invoice"):
            if body["status"] == "paid" and _is_top_up(body):
                month = moment(body["created"]).strftime("%Y-%m")
                found[body["metadata"]["user_id"], month] += body["total"]
        return dict(found)

    def unpaid_invoices(self) -> dict[str, str]:
        """The state of each invoice that was never paid."""
        return {
            body["id"]: body["status"]
            for body in self._store.objects("invoice")
            if body["status"] != "paid"
        }

    def sessions(self) -> dict[str, str]:
        """Where each checkout stands."""
        return {body["id"]: body["status"] for body in self._store.objects("checkout.session")}

    def disputes(self) -> dict[str, tuple[str, int]]:
        """Each dispute that we are told of: how it stands, and about how much."""
        return {
            body["id"]: (_DISPUTED.get(body["status"], "open"), body["amount"])
            for body in self._store.objects("dispute")
        }

    def refunds(self) -> dict[str, tuple[str, int]]:
        """Each refund of a payment: how it stands, and how much it gives back."""
        return {
            body["id"]: (_REFUNDED.get(body["status"]) or str(body["status"]), body["amount"])
            for body in self._store.objects("refund")
        }

    def _invoices(self) -> list[Bought]:
        intents = {
            body["invoice"]: body["payment"].get("payment_intent")
            for body in self._store.objects("invoice_payment")
            if body["status"] == "paid"
        }
        return [
            self._invoice(body, intents.get(body["id"]))
            for body in self._store.objects("invoice")
            if body["status"] == "paid" and body["customer"] in self.owners
        ]

    def _invoice(self, body: Json, intent: str | None) -> Bought:
        lines = [
            (self.items[price], line)
            for line in body["lines"]["data"]
            if (price := _price_of(line)) in self.items and not _is_proration(line)
        ]
        item, line = lines[0] if lines else (None, body["lines"]["data"][0])
        refunded = self._given_back.get(intent, 0)
        return Bought(
            id=body["id"],
            user_id=self.owners[body["customer"]],
            item=item,
            amount_minor=max(body["total"], 0),
            refunded_minor=refunded,
            back_at=self._back_at.get(intent),
            whole_period=line["amount"] > 0
            and (body["billing_reason"] in _WHOLE_PERIODS or _is_top_up(body)),
            began_at=moment(line["period"]["start"]),
            subscription=_subscription_of(body),
            is_change=body["billing_reason"] == _CHANGE,
        )

    def _packs(self) -> list[Bought]:
        made = []
        for body in self._store.objects("checkout.session"):
            if body["mode"] != "payment" or not _is_settled(body):
                continue
            refunded = self._given_back.get(body["payment_intent"], 0)
            made.append(
                Bought(
                    id=body["id"],
                    user_id=body["metadata"]["user_id"],
                    item=catalog.ITEMS[body["metadata"]["item"]],
                    amount_minor=body["amount_total"],
                    refunded_minor=refunded,
                    back_at=self._back_at.get(body["payment_intent"]),
                    whole_period=True,
                    began_at=moment(body["created"]),
                )
            )
        return made

    @cached_property
    def _back_at(self) -> dict[str | None, datetime]:
        """When the money of each payment intent was first given or asked back."""
        found: dict[str | None, datetime] = {}
        for body in (*self._store.objects("refund"), *self._store.objects("dispute")):
            intent, at = body["payment_intent"], moment(body["created"])
            found[intent] = min(found.get(intent, at), at)
        return found

    @cached_property
    def _given_back(self) -> dict[str | None, int]:
        """How much of each payment intent was given back."""
        return {
            body["payment_intent"]: body["amount_refunded"]
            for body in self._store.objects("charge")
            if body["paid"]
        }


def lots_due(bought: Bought, *, now: datetime) -> tuple[Counter[int], Counter[int]]:
    """The lots that the purchase must have brought by now, by size, and the most it may have."""
    item = bought.item
    if item is None or not bought.whole_period:
        return Counter(), Counter()
    if item.interval != "year":
        return Counter({item.credits: 1}), Counter({item.credits: 1})
    due = [clock.add_months(bought.began_at, months=month) for month in range(12)]
    most = sum(at <= now for at in due)
    least = sum(at <= sure_until(bought.back_at, now=now) for at in due)
    return Counter({item.credits: least}), Counter({item.credits: most})


def sure_until(back_at: datetime | None, *, now: datetime) -> datetime:
    """Until when every month of a year has come: one of which money went back, or may yet, brings
    no more months, or fewer; and one that had just begun may not have come before that."""
    return now if back_at is None else back_at - _SWEPT_WITHIN


def moment(seconds: int) -> datetime:
    """The moment that Stripe means."""
    return datetime.fromtimestamp(seconds, UTC)


def _is_top_up(body: Json) -> bool:
    return "top_up_id" in (body["metadata"] or {})


def _is_settled(session: Json) -> bool:
    """Whether nothing is left to pay; of a page that was only closed that is said as well."""
    return bool(
        session["payment_status"] == "paid"
        or (session["payment_status"] == "no_payment_required" and session["status"] == "complete")
    )


def _price_of(line: Json) -> Any:
    details = (line.get("pricing") or {}).get("price_details") or {}
    return details.get("price")


def _subscription_of(body: Json) -> str:
    parent = body.get("parent") or {}
    return str((parent.get("subscription_details") or {}).get("subscription") or "")


def _is_proration(line: Json) -> bool:
    parent = line.get("parent") or {}
    names = ("subscription_item_details", "invoice_item_details")
    return any((parent.get(name) or {}).get("proration") for name in names)
