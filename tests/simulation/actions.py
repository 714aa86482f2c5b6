"""What a customer can do next, and how it is done: by a service verb, or at the sandbox's pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stripe_sandbox import cards
from talkingphoto.billing import catalog, ledger, trials
from talkingphoto.foundation import errors
from tests.simulation import money_back, office
from tests.simulation.turns import Action, Turn, asked

# Everybody has a card of their own as far as they go round: a card that was complained about is
# barred, whoever comes with it.
_CARDS = tuple(card for card in cards.CARDS if card.behaviour == "pays" and card.secure)
DECLINES = "4000000000000002"
DISPUTES = "4000000000000259"
_FAILING = "pm_card_chargeCustomerFail"
_PLANS = tuple(item.key for item in catalog.ITEMS.values() if item.is_plan)
_PACKS = tuple(item.key for item in catalog.ITEMS.values() if not item.is_plan)
# What a page shows in words, and the customer goes on.
_REFUSALS = (
    errors.Conflict,
    errors.InvalidRequest,
    errors.InsufficientCredits,
    errors.PaymentDeclined,
)


def act(turn: Turn, only: frozenset[str] = frozenset()) -> str:
    """The customer has done one thing that was possible; what, and what came of it."""
    allowed = [action for action in ACTIONS if not only or action.name in only]
    possible = [action for action in allowed if action.can(turn)]
    if not possible:
        return "waits"
    chosen = turn.rng.choices(possible, [action.weight for action in possible])[0]
    try:
        return f"{chosen.name}: {chosen.do(turn)}"
    except _REFUSALS as refusal:
        return f"{chosen.name}: refused, {refusal.code}"


def _buy_plan(turn: Turn) -> str:
    return _buy(turn, turn.rng.choice(_PLANS))


def _buy_pack(turn: Turn) -> str:
    return _buy(turn, turn.rng.choice(_PACKS))


def _try_plan(turn: Turn) -> str:
    return _buy(turn, turn.rng.choice(trials.ITEMS), trial=True)


def _buy(turn: Turn, item: str, *, trial: bool = False) -> str:
    """Checkout with whatever card, by a person who may also turn back or try twice."""
    request_id = turn.person.new_id()
    code = turn.rng.choice(office.CODES) if turn.rng.random() < 0.15 else ""
    how = turn.rng.choices(("pays", "declined first", "leaves", "disputes"), (80, 8, 8, 4))[0]
    comes_back = turn.rng.random() < 0.5
    url = turn.world.services.payments.start_checkout(
        user_id=turn.person.id, item=item, request_id=request_id, code=code, trial=trial
    )
    if code:
        office.expect_discount(turn, url, item=item, code=code, trial=trial)
    if how == "leaves":
        return f"{item}, left"
    if how == "declined first" and code != office.ALL_OFF:
        assert _pay(turn, url, DECLINES) is None, "a declined card does not pay"
    card = DISPUTES if how == "disputes" else _card(turn).number
    back = _pay(turn, url, card)
    if back is None:
        return f"{item}, could not be paid"
    turn.person.card_fails = False
    if trial:
        turn.world.done.trials.setdefault(card, set()).add(turn.person.id)
    if comes_back:
        session_id = back.rpartition("=")[2]
        turn.world.services.payments.confirm_return(user_id=turn.person.id, session_id=session_id)
    return ", ".join(filter(None, (item, code, how)))


def _pay(turn: Turn, url: str, card: str) -> str | None:
    """Where the payer was sent on to; None when the page did not take the payment."""
    typed = {
        "number": card,
        "expiry": "12 / 34",
        "cvc": "123",
        "name": "Ada Example",
        "email": f"customer{turn.person.number}@example.com",
    }
    answer = turn.world.bank.post(url, typed)
    return answer.headers["Location"] if answer.status == 303 else None


def _change(turn: Turn) -> str:
    """Another plan is looked at; most say yes, some of them twice, and some let it be."""
    changes = turn.world.services.changes
    open_ = [option for option in changes.options(turn.person.id).options if option.allowed]
    if not open_:
        return "nothing to change to"
    item = turn.rng.choice(open_).item
    shown = changes.preview(user_id=turn.person.id, item=item)
    if turn.rng.random() < 0.15:
        return f"{item}, looked only"
    request_id, again = turn.person.new_id(), turn.rng.random() < 0.3
    done = changes.confirm(user_id=turn.person.id, token=shown.token, request_id=request_id)
    if again:
        second = changes.confirm(user_id=turn.person.id, token=shown.token, request_id=request_id)
        turn.promise(second.state == done.state, f"{item} was {done.state}, then {second.state}")
    if done.state == "done":
        _compare_charge(turn, shown.charge_today.minor, item)
        promised, came = shown.credits_now, done.credits_added
        turn.promise(came == promised, f"{item} promised {promised} videos, brought {came}")
    return f"{item}, {done.state}"


def _compare_charge(turn: Turn, shown: int, item: str) -> None:
    """What was charged is what was shown, to the cent."""
    assert turn.standing.plan is not None
    plan: Any = turn.world.stripe.subscriptions.retrieve(
        turn.standing.plan.id, {"expand": ["latest_invoice"]}
    )
    charged = plan.latest_invoice.amount_due
    turn.promise(charged == shown, f"{item} showed {shown}, charged {charged}")


def _undo_change(turn: Turn) -> str:
    turn.world.services.changes.undo(user_id=turn.person.id)
    return "undone"


def _cancel(turn: Turn) -> str:
    """Most mean it; some take the offer that is made in place of the end."""
    plans = turn.world.services.plans
    seen = plans.ending(turn.person.id)
    request_id = turn.person.new_id()
    if seen.offer is not None and turn.rng.random() < 0.3:
        kind = seen.offer.kind
        plans.accept_offer(user_id=turn.person.id, request_id=request_id, kind=kind)
        return f"offered {kind}"
    end = plans.cancel(user_id=turn.person.id, request_id=request_id)
    turn.promise(end == seen.ends_at, f"shown the end {seen.ends_at}, told {end}")
    return f"ends {end:%Y-%m-%d}"


def _resume(turn: Turn) -> str:
    turn.world.services.plans.resume(user_id=turn.person.id)
    return "goes on"


def _pause(turn: Turn) -> str:
    choices = turn.world.services.plans.pause_choices(turn.person.id)
    if not choices:
        return "no day to come back"
    until = turn.rng.choice(choices).until
    turn.world.services.plans.pause(user_id=turn.person.id, until=until)
    return f"until {until:%Y-%m-%d}"


def _unpause(turn: Turn) -> str:
    turn.world.services.plans.unpause(user_id=turn.person.id)
    return "back"


def _spend(turn: Turn) -> str:
    """A video is begun; it is made, or comes to nothing, or nobody ever hears of it."""
    credits = min(turn.rng.choice((1, 1, 2, 5, 20)), turn.standing.available)
    end = turn.rng.choices(("settled", "released", "lost"), (80, 15, 5))[0]
    hold_id, now = turn.person.new_id(), turn.world.clock()
    with turn.world.runtime.transaction() as session:
        ledger.hold(
            session,
            hold_id=hold_id,
            user_id=turn.person.id,
            credits=credits,
            expires_at=now + timedelta(hours=20),
            now=now,
        )
    if end != "lost":
        verb = ledger.settle if end == "settled" else ledger.release
        with turn.world.runtime.transaction() as session:
            verb(session, hold_id=hold_id, now=now)
    return f"{credits}, {end}"


def _card_fails(turn: Turn) -> str:
    turn.person.card_fails = True
    return _replace_card(turn, _FAILING)


def _card_recovers(turn: Turn) -> str:
    """The card is good again, and what is open is paid by hand or waits for the next try."""
    turn.person.card_fails = False
    done = _replace_card(turn, f"pm_card_{_card(turn).token}")
    if turn.rng.random() < 0.5:
        return done
    listed = turn.world.stripe.invoices.list(
        {"customer": turn.standing.stripe_id or "", "status": "open", "limit": 10}
    )
    for invoice in listed.data:
        asked(lambda invoice=invoice: turn.world.stripe.invoices.pay(invoice.id))  # type: ignore[misc]
    return f"{done}, {len(listed.data)} paid by hand"


def _card(turn: Turn) -> cards.Card:
    return _CARDS[turn.person.number % len(_CARDS)]


def _replace_card(turn: Turn, card: str) -> str:
    methods = turn.world.stripe.customers.payment_methods.list(
        turn.standing.stripe_id or "", {"limit": 100}
    )
    for method in methods.data:
        turn.world.bank.post(f"/_sandbox/payment_methods/{method.id}/replace", {"card": card})
    return f"{len(methods.data)} cards are {card}"


def _has_card(turn: Turn) -> bool:
    return turn.has_plan and turn.standing.stripe_id is not None


def _has_paid(turn: Turn) -> bool:
    return bool(turn.refundable)


ACTIONS = (
    Action("buys a plan", 40, lambda turn: not turn.has_plan, _buy_plan),
    Action("changes plan", 25, lambda turn: turn.has_plan, _change),
    Action("cancels", 6, lambda turn: turn.has_plan and not turn.is_ending, _cancel),
    Action("resumes", 20, lambda turn: turn.is_ending, _resume),
    Action("pauses", 4, lambda turn: turn.has_plan, _pause),
    Action("ends the pause", 3, lambda turn: turn.has_plan, _unpause),
    Action("undoes a change", 2, lambda turn: turn.has_plan, _undo_change),
    Action("buys a pack", 12, lambda turn: True, _buy_pack),
    Action("makes a video", 40, lambda turn: turn.standing.available > 0, _spend),
    Action(
        "card fails", 6, lambda turn: _has_card(turn) and not turn.person.card_fails, _card_fails
    ),
    Action(
        "card recovers", 40, lambda turn: _has_card(turn) and turn.person.card_fails, _card_recovers
    ),
    Action("is refunded", 4, _has_paid, money_back.in_the_dashboard),
    Action("is refunded by staff", 3, _has_paid, money_back.by_staff),
    Action("withdraws", 4, _has_paid, money_back.by_the_customer),
    Action("disputes", 3, _has_paid, money_back.by_the_bank),
    Action(
        "is cancelled in the Dashboard",
        4,
        lambda turn: turn.has_plan,
        office.cancels_in_the_dashboard,
    ),
    Action("tries a plan", 12, lambda turn: not turn.has_plan, _try_plan),
    Action("uses a code", 3, lambda turn: turn.has_plan, office.uses_code),
    Action("is given videos", 3, lambda turn: True, office.gives_videos),
    Action("tops up", 5, lambda turn: turn.standing.stripe_id is not None, office.tops_up),
    Action("stops topping up", 1, lambda turn: True, office.stops_topping_up),
)
