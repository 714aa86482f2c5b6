"""Random lives of one subscriber: whatever happens in whatever order, the books are right."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.flows import changing, ending, invoicing, itemizing, previewing, subscribing
from stripe_sandbox.objects import coupons, subscriptions
from stripe_sandbox.sandbox import Sandbox
from tests.sandbox.inside import Inside, life
from tests.sandbox.plans import DAY, FAILS_LATER, VISA

_CARDS = (VISA, FAILS_LATER, "pm_card_authenticationRequired", "pm_usBankAccount_success")
_STEPS = (60, 3600, DAY // 2, 3 * DAY, 11 * DAY, 31 * DAY)
# 31 January 2028, 12:00 UTC: a leap year's February comes next.
_LAST_OF_JANUARY = 1_832_932_800


class Walk:
    """A subscriber, and everything a merchant or time may do to them."""

    def __init__(self, me: Inside, pick: Callable[[Any], Any]) -> None:
        """The subscriber has a plan of 30.00 a month; nothing else has happened."""
        self.me, self.pick = me, pick
        self.prices = [me.price(3000), me.price(7001), me.price(29_999, "year"), me.price(40)]
        self.offers = [
            me.do(coupons.create, {"amount_off": 701, "currency": "usd", "duration": "once"})["id"],
            me.do(
                coupons.create,
                {"percent_off": 25, "duration": "repeating", "duration_in_months": 2},
            )["id"],
        ]
        self.customer = me.customer()
        self.plan = ""
        self.subscribe()

    def subscribe(self) -> None:
        values: Any = {
            "customer": self.customer,
            "items": [{"price": self.any_of(self.prices[:2]), "quantity": self.any_of((1, 3, 0))}],
            "payment_behavior": self.any_of(("allow_incomplete", "default_incomplete")),
        }
        if self.any_of((True, False)):
            values["trial_period_days"] = 9
        if self.any_of((True, False)):
            values["discounts"] = [{"coupon": self.any_of(self.offers)}]
        self.plan = self.me.do(subscribing.create, values)["id"]

    def any_of(self, options: Any) -> Any:
        found = list(options)
        # By number: ids differ from life to life.
        return found[self.pick(st.integers(0, len(found) - 1))]

    def change(self) -> None:
        item = self.me.get(self.plan)["items"]["data"][0]["id"]
        wish = {
            "items": [
                {"id": item, "price": self.any_of(self.prices), "quantity": self.any_of((0, 1, 2))}
            ],
            "proration_behavior": self.any_of(("always_invoice", "create_prorations", "none")),
        }
        how = self.any_of(("allow_incomplete", "pending_if_incomplete"))
        told = {"subscription": self.plan, "subscription_details": wish}
        preview = self.me.do(previewing.create, told)
        known = {invoice["id"] for invoice in self.me.all("invoice")}
        self.me.do(changing.update, {**wish, "payment_behavior": how}, self.plan)
        made = [one for one in self.me.all("invoice") if one["id"] not in known]
        if made and not self.waited:
            assert made[0]["total"] == preview["total"]

    @property
    def waited(self) -> bool:
        """True if the former change had to be dropped first, which no preview does."""
        return bool(self.me.told("customer.subscription.pending_update_expired"))

    def end_trial(self) -> None:
        self.me.do(changing.update, {"trial_end": "now"}, self.plan)

    def give_trial(self) -> None:
        self.me.do(changing.update, {"trial_end": self.me.now + 4 * DAY}, self.plan)

    def restart(self) -> None:
        self.me.do(changing.update, {"billing_cycle_anchor": {"type": "now"}}, self.plan)

    def end_later(self) -> None:
        wanted = self.any_of((True, False))
        self.me.do(changing.update, {"cancel_at_period_end": wanted}, self.plan)

    def cancel(self) -> None:
        values = {name: self.any_of((True, False)) for name in ("prorate", "invoice_now")}
        self.me.do(ending.cancel, values, self.plan)

    def pause(self) -> None:
        self.me.do(ending.pause, {}, self.plan)

    def resume(self) -> None:
        self.me.do(ending.resume, {}, self.plan)

    def hold_bills(self) -> None:
        how = self.any_of((None, "void", "keep_as_draft", "mark_uncollectible"))
        wanted = {"behavior": how} if how else None
        self.me.do(changing.update, {"pause_collection": wanted}, self.plan)

    def rediscount(self) -> None:
        offers = [{"coupon": self.any_of(self.offers)}] if self.any_of((True, False)) else []
        self.me.do(changing.update, {"discounts": offers}, self.plan)

    def bill_extra(self) -> None:
        amount = self.any_of((-2500, 45, 999))
        self.me.do(itemizing.create, {"customer": self.customer, "amount": amount})

    def swap_card(self) -> None:
        self.me.pay_with(self.customer, self.any_of(_CARDS))

    def settle_by_hand(self) -> None:
        verb = self.any_of((invoicing.pay, invoicing.void, invoicing.give_up))
        self.me.do(verb, {}, self.any_of(self.me.all("invoice"))["id"])

    def wait(self) -> None:
        self.me.wait(self.any_of(_STEPS))


_VERBS = [
    *(Walk.wait, Walk.wait, Walk.change, Walk.change, Walk.swap_card),
    *(Walk.end_trial, Walk.give_trial, Walk.restart, Walk.end_later, Walk.cancel),
    *(Walk.pause, Walk.resume, Walk.hold_bills, Walk.rediscount, Walk.bill_extra),
    Walk.settle_by_hand,
]


def _check_invoice(invoice: Any) -> None:
    lines = invoice["lines"]["data"]
    off = sum(part["amount"] for line in lines for part in line["discount_amounts"])
    assert invoice["total"] == sum(line["amount"] for line in lines) - off
    owed = max(0, invoice["total"] + invoice["starting_balance"])
    if invoice["status"] == "paid" and owed < 50:
        owed = 0
    assert invoice["status"] == "draft" or invoice["amount_due"] == owed
    settled = invoice["status"] == "paid"
    assert invoice["amount_paid"] == (invoice["amount_due"] if settled else 0)


def _check_money(me: Inside) -> None:
    """What the cards paid is what the invoices say, and the balance is what they left over."""
    taken = sum(charge["amount_captured"] for charge in me.all("charge") if charge["paid"])
    paid = [invoice for invoice in me.all("invoice") if invoice["status"] == "paid"]
    assert taken == sum(invoice["amount_paid"] for invoice in paid)
    moves = me.all("customer_balance_transaction")
    assert me.all("customer")[0]["balance"] == sum(move["amount"] for move in moves)


def _check_periods(me: Inside, plan: str) -> None:
    """No period is renewed into twice."""
    spans = []
    for invoice in me.all("invoice"):
        for line in invoice["lines"]["data"]:
            details = line["parent"]["subscription_item_details"]
            renews = invoice["billing_reason"] == "subscription_cycle"
            stands = invoice["status"] != "void" and line["subscription"] == plan
            if details and not details["proration"] and renews and stands:
                spans.append((line["period"]["start"], line["period"]["end"]))
    assert len(set(spans)) == len(spans)


def _check_plan(me: Inside, plan: str) -> None:
    body = me.get(plan)
    timers = {
        row["verb"]
        for row in me.database.execute("SELECT verb FROM timers WHERE object = ?", (plan,))
    }
    ended = body["status"] in subscriptions.ENDED
    assert ("renew" in timers) == (not ended and body["status"] not in ("incomplete", "paused"))
    assert ("expire_first" in timers) == (body["status"] == "incomplete")
    assert ("expire_change" in timers) == bool(body.get("_waiting"))
    if body.get("_waiting"):
        assert me.get(body["_waiting"]["invoice"])["status"] in ("open", "uncollectible")
    if body["cancel_at_period_end"] and not ended and body["status"] != "paused":
        assert body["cancel_at"] == subscriptions.period_of(body)[1]


def _check_drafts(me: Inside) -> None:
    """Every draft that may advance is due to, and no other invoice is."""
    due = {
        row["object"]
        for row in me.database.execute("SELECT object FROM timers WHERE verb = 'finalize'")
    }
    drafts = {i["id"] for i in me.all("invoice") if i["status"] == "draft" and i["auto_advance"]}
    assert due == drafts


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_books_are_right_after_every_step(bench_sandbox: Sandbox, data: Any) -> None:
    with life(bench_sandbox, at=_LAST_OF_JANUARY) as me:
        walk = Walk(me, data.draw)
        for _ in range(data.draw(st.integers(3, 14))):
            verb = data.draw(st.sampled_from(_VERBS))
            try:
                verb(walk)
            except StripeFault as fault:
                assert fault.status < 500
            for invoice in me.all("invoice"):
                _check_invoice(invoice)
            _check_money(me)
            _check_plan(me, walk.plan)
            _check_periods(me, walk.plan)
            _check_drafts(me)
            if me.get(walk.plan)["status"] in subscriptions.ENDED:
                break


def _lived(sandbox: Sandbox, start: int, terms: Any, steps: list[int]) -> list[Any]:
    with life(sandbox, at=start) as me:
        items = [{"price": me.price(terms["amount"], terms["interval"])}]
        customer = me.customer()
        values: Any = {"customer": customer, "items": items}
        if terms["trial"]:
            values["trial_period_days"] = terms["trial"]
        me.do(subscribing.create, values)
        if terms["fails"]:
            me.pay_with(customer, FAILS_LATER)
        for step in steps:
            me.wait(step)
        shown = ("created", "period_start", "period_end", "total", "status", "attempt_count")
        return [[invoice[name] for name in shown] for invoice in me.all("invoice")]


_TERMS = st.fixed_dictionaries(
    {
        "amount": st.integers(50, 9999),
        "interval": st.sampled_from(["week", "month", "year"]),
        "trial": st.sampled_from([0, 1, 30]),
        "fails": st.booleans(),
    }
)


@given(
    st.integers(_LAST_OF_JANUARY - 40 * DAY, _LAST_OF_JANUARY + 40 * DAY),
    _TERMS,
    st.lists(st.integers(60, 45 * DAY), min_size=1, max_size=6),
)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_one_leap_and_many_steps_lead_to_the_same_invoices(
    bench_sandbox: Sandbox, start: int, terms: Any, steps: list[int]
) -> None:
    in_steps = _lived(bench_sandbox, start, terms, steps)
    assert in_steps == _lived(bench_sandbox, start, terms, [sum(steps)])
