"""Buying: what is on offer, checkout, the way back from it, and the account in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import mails
from talkingphoto.billing import (
    catalog,
    changes,
    customers,
    ledger,
    payments,
    plan_credits,
    saved_cards,
    subscriptions,
    wallet,
)
from talkingphoto.billing.extras import Extras
from talkingphoto.events import checkout as checkout_events
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors, ids
from talkingphoto.integrations.stripe_checkout import CheckoutOrder
from talkingphoto.workflows import (
    account_view,
    change_view,
    codes,
    offers,
    paying_customer,
    trying,
)

log = structlog.get_logger()
STATEMENT_ROWS = 50
PAYMENT_ROWS = 24
MOST_BATCHES = 1000
PlanOffer = offers.PlanOffer
Pricing = offers.Pricing
PlanView = account_view.PlanView
CreditsView = account_view.CreditsView
InvoiceRow = account_view.InvoiceRow
AccountView = account_view.AccountView
_ONE_PLAN = ("billing.already_subscribed", "You have a plan already. Nothing was charged again.")


@dataclass(frozen=True)
class Confirmation:
    """How a checkout ended, told to the person who came back from it."""

    state: payments.CheckoutState
    item: str
    title: str
    is_plan: bool
    credits_added: int
    balance: int


class PaymentService:
    """The verbs of buying."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime
        self._tries = codes.counter(runtime)

    def pricing(self, user_id: str | None) -> Pricing:
        """The price list, with the customer's own plan marked."""
        plan = None
        if user_id is not None:
            with self.runtime.read_only() as session:
                plan = subscriptions.of_customer(session, user_id=user_id)
        return Pricing(
            plans=offers.plan_offers(),
            packs=catalog.PACKS,
            current_item=plan.item.key if plan else None,
            renews_at=plan.renews_at if plan else None,
        )

    def start_checkout(
        self, *, user_id: str, item: str, request_id: str, code: str = "", trial: bool = False
    ) -> str:
        """The address of the hosted page for that intent; the same request gives the same page.

        InvalidRequest for an unknown item, code or trial; Conflict for a second plan or trial, or
        a page that is used up. Other open pages for a plan are closed: one plan is enough."""
        sold = catalog.item(item)
        if not ids.is_uuid(request_id):
            raise errors.InvalidRequest(
                "billing.request_id", "This form is out of date. Reload the page and try again."
            )
        wanted = self._wanted(user_id=user_id, sold=sold, code=code, trial=trial)
        intent, rivals = self._store_intent(
            user_id=user_id, request_id=request_id, sold=sold, wanted=wanted
        )
        self._close(rivals, user_id=user_id)
        if intent.url is not None:
            return intent.url
        customer_id = paying_customer.ensure(self.runtime, user_id=user_id)
        made = self.runtime.gateway.create_checkout(
            CheckoutOrder(
                idempotency_key=intent.idempotency_key,
                user_id=user_id,
                request_id=intent.request_id,
                customer_id=customer_id,
                item=sold,
                price_id=intent.price_id,
                success_url=self.runtime.settings.success_url,
                cancel_url=self.runtime.settings.cancel_url(item=sold.key),
                extras=intent.extras,
                card_required=self.runtime.settings.trial_card == "required",
            )
        )
        assert made.url is not None, "a hosted session has an address"
        with self.runtime.transaction() as session:
            payments.attach_session(session, checkout=intent, session_id=made.id, url=made.url)
            rivals = payments.rival_sessions(session, checkout=intent)
        self._close(rivals, user_id=user_id)  # those that were opened while this one was
        return made.url

    def confirm_return(self, *, user_id: str, session_id: str) -> Confirmation:
        """What became of a checkout of this customer; a paid one is fulfilled by this call, if
        no webhook did it yet. NotFound for an id that is not theirs."""
        with self.runtime.read_only() as session:
            intent = payments.checkout_of_session(session, user_id=user_id, session_id=session_id)
        if intent is None:
            raise errors.NotFound("billing.checkout_unknown", "This is not a checkout of yours.")
        if intent.state not in {"paid", "failed", "expired"}:
            intent = self._look_again(user_id=user_id, session_id=session_id)
        sold, now = catalog.item(intent.item), self.runtime.clock()
        with self.runtime.read_only() as session:
            balance = ledger.balance(session, user_id=user_id, now=now)
        return Confirmation(
            state=intent.state,
            item=sold.key,
            title=sold.title,
            is_plan=sold.is_plan,
            credits_added=trying.credits(intent, sold) if intent.state == "paid" else 0,
            balance=balance.available,
        )

    def account(self, user_id: str) -> AccountView:
        """Plan, credits, statement and payments of one moment."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            plan = subscriptions.of_customer(session, user_id=user_id)
            change = changes.open_of(session, user_id=user_id)
            return AccountView(
                plan=account_view.plan_view(
                    plan, card=saved_cards.of_customer(session, user_id=user_id), now=now
                ),
                credits=account_view.credits_view(
                    ledger.balance(session, user_id=user_id, now=now),
                    wallet.coming(session, plan, user_id=user_id),
                ),
                statement=ledger.statement(session, user_id=user_id, limit=STATEMENT_ROWS),
                invoices=tuple(
                    account_view.invoice_row(payment)
                    for payment in payments.recent(session, user_id=user_id, limit=PAYMENT_ROWS)
                ),
                pending=payments.has_pending(session, user_id=user_id),
                change=change_view.pending(change),
                change_pay_url=change_view.pay_url(change),
            )

    def run_due_work(self) -> int:
        """All months of paid years that have begun are granted, and all that ran out is ended."""
        now, batches = self.runtime.clock(), self.runtime.database.in_batches
        # First what was earned: a month that began and ran out since the last sweep was both.
        granted = batches(lambda s: plan_credits.grant_due_drips(s, now=now), most=MOST_BATCHES)
        return granted + batches(lambda s: ledger.expire(s, now=now), most=MOST_BATCHES)

    def check_ledger(self) -> None:
        """Each broken invariant of the ledger is an alert, of which the founder hears too."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            found = ledger.check(session)
        for one in found:
            log.error("alert.ledger", rule=one.rule, id=one.id, user_id=one.user_id)
        if found:
            with self.runtime.transaction() as session:
                mails.needs_a_hand(
                    session,
                    what="The ledger does not add up",
                    about=found[0].id,
                    now=now,
                )

    def sync_catalog(self) -> Iterator[str]:
        """Every item has a Stripe price and new checkouts use it; a line for each."""
        for sold in catalog.ITEMS.values():
            looked_at = self.runtime.wall_clock()
            price = self.runtime.gateway.ensure_price(
                sold, chosen_price_id=self.runtime.settings.price_id(sold.key)
            )
            with self.runtime.transaction() as session:
                catalog.record_price(
                    session,
                    item_key=sold.key,
                    price_id=price.price_id,
                    product_id=price.product_id,
                    looked_at=looked_at,
                    amount=sold.price,
                )
            yield f"{sold.key}: {sold.price.decimal()} {sold.price.currency}, {price.price_id}"

    def _wanted(self, *, user_id: str, sold: catalog.Item, code: str, trial: bool) -> Extras:
        wanted = Extras()
        if trial:
            wanted = trying.on_trial(self.runtime, wanted, user_id=user_id, sold=sold)
        if code:
            codes.count(self._tries, user_id)
            wanted = codes.with_code(self.runtime, wanted, code, user_id=user_id, sold=sold)
        return wanted

    def _store_intent(
        self, *, user_id: str, request_id: str, sold: catalog.Item, wanted: Extras
    ) -> tuple[payments.Checkout, tuple[str, ...]]:
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            customers.ensure(session, user_id=user_id, now=now)
            if sold.is_plan and subscriptions.of_customer(session, user_id=user_id):
                raise errors.Conflict(*_ONE_PLAN)
            intent = payments.open_checkout(
                session,
                user_id=user_id,
                request_id=request_id,
                item_key=sold.key,
                now=now,
                wanted=wanted,
            )
            return intent, payments.rival_sessions(session, checkout=intent)

    def _close(self, rivals: tuple[str, ...], *, user_id: str) -> None:
        """Nothing can be paid on those pages; Conflict when one of them was paid first."""
        for session_id in rivals:
            self.runtime.gateway.expire_checkout(session_id)
            found = self._look_again(user_id=user_id, session_id=session_id)
            if found.state not in {"expired", "failed"}:
                raise errors.Conflict(*_ONE_PLAN)

    def _look_again(self, *, user_id: str, session_id: str) -> payments.Checkout:
        write = checkout_events.write_of(look_at(self.runtime), session_id)
        with self.runtime.transaction() as session:
            if write is not None:
                write(session)
            found = payments.checkout_of_session(session, user_id=user_id, session_id=session_id)
        assert found is not None, "an intent is never deleted"
        return found


payment_service = PaymentService(runtimes.current())
