"""What it means that an invoice was paid, was not, or never will be: for it and for its plan."""

from stripe_sandbox import Json, clock
from stripe_sandbox.flows import applying
from stripe_sandbox.objects import customer_balance, invoice_payments, invoices, subscriptions
from stripe_sandbox.unit import Unit

# No other try with the same card will end differently.
_HOPELESS = frozenset(
    (
        "incorrect_number",
        "lost_card",
        "stolen_card",
        "pickup_card",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "authentication_required",
        "highest_risk_level",
        "transaction_not_allowed",
    )
)


def tell(unit: Unit, invoice: Json, intent: Json) -> None:
    """The invoice knows how the try to pay it has ended."""
    if intent["status"] == "canceled":
        # What is canceled stays so: the next try is made with another PaymentIntent.
        invoice_payments.cancel(unit, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        return
    if intent["status"] == "succeeded":
        mark_paid(unit, invoice, counted=_counts(invoice, intent))
    elif intent["status"] == "requires_payment_method":
        mark_failed(unit, invoice, intent)
    elif intent["status"] == "requires_action":
        unit.emit("invoice.payment_action_required", invoice)
    elif intent["status"] == "processing":
        _begin_on_promise(unit, invoice)


def _counts(invoice: Json, intent: Json) -> bool:
    """As at Stripe, the first try counts, and after it only those made by themselves.

    Who tries three cards by hand does not lose their plan for it.
    """
    return not (invoice["attempted"] and intent.get("_by_hand"))


def mark_paid(unit: Unit, invoice: Json, *, outside: bool = False, counted: bool = True) -> Json:
    """The invoice is paid in full, by its payment or outside of Stripe, and its plan knows."""
    charged = counted and invoice["amount_due"] > 0 and not outside
    if outside:
        # Nobody shall pay a second time with what was prepared here.
        invoice_payments.cancel(unit, invoice)
    invoice.update(
        status="paid",
        attempted=True,
        attempt_count=invoice["attempt_count"] + (1 if charged else 0),
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        auto_advance=False,
        next_payment_attempt=None,
    )
    invoice["status_transitions"]["paid_at"] = unit.now
    unit.unschedule("retry", invoice["id"])
    unit.unschedule("overdue", invoice["id"])
    unit.save(invoice)
    invoice_payments.mark_paid(unit, invoice)
    unit.emit("invoice.paid", invoice)
    unit.emit("invoice.payment_succeeded", invoice)
    _set_delinquent(unit, invoice["customer"], delinquent=False)
    _tell_plan(unit, invoice)
    return invoice


def mark_failed(unit: Unit, invoice: Json, intent: Json) -> Json:
    """A try to pay the invoice has failed; it stays open and is tried again when that is due."""
    if not _counts(invoice, intent):
        unit.emit("invoice.payment_failed", invoice)
        return invoice
    tries = invoice["attempt_count"] + 1
    error = intent["last_payment_error"] or {}
    invoice.update(
        attempted=True,
        attempt_count=tries,
        next_payment_attempt=_next_try(unit, invoice, tries),
        _hopeless=error.get("decline_code") in _HOPELESS or error.get("code") in _HOPELESS,
        _tried_with=(error.get("payment_method") or {}).get("id"),
    )
    unit.save(invoice)
    if invoice["next_payment_attempt"]:
        unit.schedule("retry", invoice["id"], invoice["next_payment_attempt"])
    unit.emit("invoice.payment_failed", invoice)
    if error.get("code") == "authentication_required":
        unit.emit("invoice.payment_action_required", invoice)
    _set_delinquent(unit, invoice["customer"], delinquent=True)
    _after_failure(unit, invoice, tries)
    return invoice


def mark_void(unit: Unit, invoice: Json) -> Json:
    """The invoice counts for nothing; balance it had used is the customer's again."""
    invoice_payments.cancel(unit, invoice)
    _close(unit, invoice, "void", "voided_at")
    used = invoice["starting_balance"] - (invoice["ending_balance"] or 0)
    customer = unit.get("customer", invoice["customer"])
    if used and not customer.get("deleted"):
        customer_balance.move(
            unit,
            customer,
            used,
            "unapplied_from_invoice",
            currency=invoice["currency"],
            invoice=invoice["id"],
        )
    unit.emit("invoice.voided", invoice)
    _tell_plan(unit, invoice)
    return invoice


def mark_uncollectible(unit: Unit, invoice: Json) -> Json:
    """Nobody expects the invoice to be paid any more; it still can be."""
    _close(unit, invoice, "uncollectible", "marked_uncollectible_at")
    unit.emit("invoice.marked_uncollectible", invoice)
    _tell_plan(unit, invoice)
    return invoice


def overdue(unit: Unit, invoice_id: str) -> None:
    """An invoice that was sent and not paid in time is overdue, and its plan past due."""
    invoice = unit.get("invoice", invoice_id)
    if invoice["status"] != "open":
        return
    unit.emit("invoice.overdue", invoice)
    _after_failure(unit, invoice, 0)


def hopeless(invoice: Json, method_id: str | None) -> bool:
    """True if a try with this method would only repeat a refusal that is final."""
    return bool(invoice.get("_hopeless")) and invoice.get("_tried_with") == method_id


def give_up(unit: Unit, subscription: Json) -> None:
    """The last planned try has failed: the plan ends, waits unpaid, or stays past due."""
    what = unit.policy.after_retries
    if what == "cancel":
        for open_invoice in invoices.of_subscription(unit, subscription["id"], "open"):
            stop_collecting(unit, open_invoice)
        subscriptions.end(unit, subscription, reason="payment_failed")
    elif what == "unpaid" and subscription["status"] != "unpaid":
        before = unit.get("subscription", subscription["id"])
        subscription["status"] = "unpaid"
        unit.update("customer.subscription.updated", subscription, before)


def stop_collecting(unit: Unit, invoice: Json) -> None:
    """The invoice is not tried by itself any more."""
    before = unit.get("invoice", invoice["id"])
    invoice.update(auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None)
    for verb in ("retry", "finalize", "overdue"):
        unit.unschedule(verb, invoice["id"])
    unit.update("invoice.updated", invoice, before)


def _next_try(unit: Unit, invoice: Json, tries: int) -> int | None:
    """When the invoice is tried again by itself, after so many tries; None if it is not."""
    days = unit.policy.retry_days
    automatic = invoice["collection_method"] == "charge_automatically" and invoice["auto_advance"]
    if not automatic or tries > len(days) or _awaits_first(unit, invoice):
        return None
    return unit.now + days[tries - 1] * clock.DAY


def _awaits_first(unit: Unit, invoice: Json) -> bool:
    """A first payment, and that of a pending change, is the customer's to try again."""
    if invoice["billing_reason"] == "manual":
        return False
    plan = _plan_of(unit, invoice)
    if plan is None:
        return False
    return plan["status"] == "incomplete" or applying.waits_for(plan, invoice)


def _after_failure(unit: Unit, invoice: Json, tries: int) -> None:
    plan = _plan_of(unit, invoice)
    if plan is None or plan["status"] in subscriptions.ENDED or _awaits_first(unit, invoice):
        return
    if plan["status"] in ("active", "trialing"):
        before = unit.get("subscription", plan["id"])
        plan["status"] = "past_due"
        unit.update("customer.subscription.updated", plan, before)
    if tries > len(unit.policy.retry_days) > 0:
        give_up(unit, plan)


def _tell_plan(unit: Unit, invoice: Json) -> None:
    """The subscription knows that the invoice asks for nothing any more."""
    plan = _plan_of(unit, invoice)
    if plan is None or plan["status"] in subscriptions.ENDED:
        return
    if applying.waits_for(plan, invoice):
        applying.told(unit, plan, invoice)
        return
    if invoice["status"] == "paid" and plan["status"] == "incomplete":
        applying.begin(unit, plan)
        return
    settled = plan["status"] in ("past_due", "unpaid")
    if settled and not _still_owed(unit, plan):
        before = unit.get("subscription", plan["id"])
        plan["status"] = "active"
        unit.update("customer.subscription.updated", plan, before)


def _begin_on_promise(unit: Unit, invoice: Json) -> None:
    """A bank debit that is on its way is payment enough for a plan to begin."""
    plan = _plan_of(unit, invoice)
    if plan is not None and plan["status"] == "incomplete":
        applying.begin(unit, plan)


def _still_owed(unit: Unit, plan: Json) -> bool:
    """True while an invoice of the plan is open that was tried, or that was to be charged."""
    opened = invoices.of_subscription(unit, plan["id"], "open")
    return any(
        invoice["amount_remaining"]
        and (invoice["attempted"] or invoice["collection_method"] == "charge_automatically")
        for invoice in opened
    )


def _plan_of(unit: Unit, invoice: Json) -> Json | None:
    subscription_id = invoices.subscription_of(invoice)
    return unit.get("subscription", subscription_id) if subscription_id else None


def _close(unit: Unit, invoice: Json, status: str, moment: str) -> None:
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"][moment] = unit.now
    for verb in ("retry", "finalize", "overdue"):
        unit.unschedule(verb, invoice["id"])
    unit.save(invoice)


def _set_delinquent(unit: Unit, customer_id: str, *, delinquent: bool) -> None:
    customer = unit.get("customer", customer_id)
    if customer["delinquent"] != delinquent and not customer.get("deleted"):
        before = unit.get("customer", customer_id)
        customer["delinquent"] = delinquent
        unit.update("customer.updated", customer, before)
