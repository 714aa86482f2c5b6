"""What the operator does for customers: codes, videos as a gift, and a hand in the Dashboard."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.wallet_service import AutoChoice, Gift
from talkingphoto.accounts import staff, users
from talkingphoto.billing import catalog
from tests.simulation.turns import Turn, asked
from tests.simulation.world import World

_STAFF = "staff@example.com"
_PACKS = tuple(item for item in catalog.ITEMS.values() if not item.is_plan)
# With it a pack costs nothing, and no card is asked for.
ALL_OFF = "ONUS"
_COUPONS: dict[str, dict[str, Any]] = {
    "ONCE10": {"percent_off": 10, "duration": "once"},
    "QUARTER": {"percent_off": 25, "duration": "repeating", "duration_in_months": 3},
    "FRIEND": {"percent_off": 12.5, "duration": "forever"},
    "FIVELESS": {"amount_off": 5_00, "currency": "usd", "duration": "once"},
    ALL_OFF: {"percent_off": 100, "duration": "once"},
}
CODES = tuple(_COUPONS)


def open_for_business(world: World, *, staff_id: str) -> None:
    """The codes can be used, and somebody works here."""
    for code, coupon in _COUPONS.items():
        made = world.stripe.coupons.create(coupon)  # type: ignore[arg-type]
        world.stripe.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": made.id}, "code": code}
        )
    with world.runtime.transaction() as session:
        user = users.User(staff_id, _STAFF, world.clock())
        users.add(session, user=user, password_hash="nobody signs in")
        staff.appoint(session, email=_STAFF, role="admin")
    world.staff_id = staff_id


def gives_videos(turn: Turn) -> str:
    """Staff give a few videos; some press twice."""
    gift = Gift(
        credits=turn.rng.choice((1, 5, 20)),
        kind=turn.rng.choice(("goodwill", "gift")),
        reason="A video failed.",
        request_id=turn.person.new_id(),
    )
    for _ in range(turn.rng.choice((1, 1, 2))):
        turn.world.services.wallets.give(
            staff_id=turn.world.staff_id, user_id=turn.person.id, gift=gift
        )
    turn.world.done.gifts.setdefault(turn.person.id, Counter())[gift.credits] += 1
    return f"{gift.credits}, {gift.kind}"


def expect_discount(turn: Turn, url: str, *, item: str, code: str, trial: bool) -> None:
    """The page asks for what the code was said to leave; beside a trial it asks for nothing yet."""
    offer = turn.world.services.plans.check_code(user_id=turn.person.id, item=item, code=code)
    expected = 0 if trial else offer.after.minor
    page = turn.world.stripe.checkout.sessions.retrieve(url.rpartition("/")[2])
    kept = page.amount_total == expected and bool(page.discounts)
    turn.promise(kept, f"{item} with {code} was {expected}, the page asks {page.amount_total}")


def uses_code(turn: Turn) -> str:
    """A code for the plan that runs, which has a discount then."""
    assert turn.standing.plan is not None
    code, plan_id = turn.rng.choice(CODES), turn.standing.plan.id
    offer = turn.world.services.plans.apply_code(user_id=turn.person.id, code=code)
    discounts = turn.world.stripe.subscriptions.retrieve(plan_id).discounts
    turn.promise(bool(discounts), f"{code} was accepted and takes nothing off")
    return f"{code}, {offer.after}"


def tops_up(turn: Turn) -> str:
    """Packs are bought by themselves from now on, up to a cap."""
    pack = turn.rng.choice(_PACKS)
    choice = AutoChoice(
        item=pack.key,
        threshold=turn.rng.choice((1, 5, 20)),
        monthly_cap_minor=pack.price.minor * turn.rng.choice((1, 2, 3)),
        consent=True,
        ip="192.0.2.7",
    )
    turn.world.services.wallets.turn_on(user_id=turn.person.id, choice=choice)
    _allows(turn, choice.monthly_cap_minor)
    return f"{pack.key} below {choice.threshold}"


def stops_topping_up(turn: Turn) -> str:
    """Nothing is bought by itself any more."""
    turn.world.services.wallets.turn_off(user_id=turn.person.id)
    _allows(turn, 0)
    return "off"


def _allows(turn: Turn, minor: int) -> None:
    agreed = turn.world.done.caps.setdefault(turn.person.id, [])
    agreed.append((turn.world.clock(), minor))


def cancels_in_the_dashboard(turn: Turn) -> str:
    """The operator ends a plan in Stripe's Dashboard: now, or with the period."""
    assert turn.standing.plan is not None
    plan_id, subscriptions = turn.standing.plan.id, turn.world.stripe.subscriptions
    if turn.rng.random() < 0.3:
        return f"at once, {asked(lambda: subscriptions.cancel(plan_id))}"
    ends = not turn.standing.plan.cancel_at_period_end
    params: Any = {"cancel_at_period_end": ends}
    return f"ends {ends}, {asked(lambda: subscriptions.update(plan_id, params))}"
