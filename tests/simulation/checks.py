"""Whether the product's state is the sandbox's, and every credit has its paid fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from talkingphoto.billing import trials
from tests.simulation.entitled import entitled
from tests.simulation.ours import Ours
from tests.simulation.truth import Bought, Truth, lots_due, sure_until
from tests.simulation.world import Done

Lots = dict[tuple[str, str], Counter[int]]
_OVER = {"complete": {"paid"}, "expired": {"expired", "failed"}, "open": {"open"}}


def differences(ours: Ours, truth: Truth, done: Done, *, now: datetime) -> Iterator[str]:
    """A sentence for each thing that is not as it should be."""
    yield from (f"ledger: {found}" for found in ours.broken_rules())
    yield from (f"left undone: {found}" for found in ours.undone())
    yield from subscriptions(ours, truth)
    yield from _payments(ours, truth)
    yield from _equal("refund", ours.refunds(), truth.refunds())
    yield from _equal("dispute", ours.disputes(), truth.disputes())
    lots = ours.lots()
    yield from _gifts(done, lots)
    yield from _trials(truth, done, lots)
    yield from _caps(truth, done)
    yield from _grants(lots, truth, now=now)
    yield from _checkouts(ours, truth)


def subscriptions(
    ours: Ours, truth: Truth, *, apart_from: frozenset[str] = frozenset()
) -> Iterator[str]:
    """The subscriptions that differ; those of customers with news on its way may."""
    known, real = ours.subscriptions(), truth.subscriptions()
    late = {truth.owners.get(customer) for customer in apart_from}
    for key in sorted(known.keys() | real.keys()):
        owner = (real.get(key) or known[key])[0]
        if known.get(key) != real.get(key) and owner not in late:
            yield f"subscription {key}: ours {known.get(key)}, Stripe's {real.get(key)}"


def _payments(ours: Ours, truth: Truth) -> Iterator[str]:
    known, real = ours.payments(), truth.bought()
    for key, bought in real.items():
        expected = (bought.user_id, _status(bought), bought.amount_minor, bought.refunded_minor)
        if known.get(key) != expected:
            yield f"payment {key}: ours {known.get(key)}, Stripe's {expected}"
    for key in sorted(known.keys() - real.keys()):
        if known[key][1] not in {"open", "failed", "void"}:
            yield f"payment {key}: ours {known[key]}, not paid at Stripe"


def _equal(
    kind: str, known: dict[str, tuple[str, int]], real: dict[str, tuple[str, int]]
) -> Iterator[str]:
    for key in sorted(known.keys() | real.keys()):
        if known.get(key) != real.get(key):
            yield f"{kind} {key}: ours {known.get(key)}, Stripe's {real.get(key)}"


def _status(bought: Bought) -> str:
    if bought.refunded_minor == 0:
        return "paid"
    return "refunded" if bought.refunded_minor >= bought.amount_minor else "partly_refunded"


def _gifts(done: Done, lots: Lots) -> Iterator[str]:
    """What staff gave is there; those lots have no payment."""
    for user_id, sizes in done.gifts.items():
        found = lots.pop((user_id, ""), Counter())
        if found != sizes:
            yield f"gifts of {user_id}: {dict(found)}, given {dict(sizes)}"


def _trials(truth: Truth, done: Done, lots: Lots) -> Iterator[str]:
    """A person's one trial brought its videos once, and so did the first with each card; which
    was first is said by whose news came first, and the others were refused."""
    had: Counter[str] = Counter()
    for key, (user_id, became_plan) in truth.trials().items():
        found = lots.pop((str(user_id), key), Counter())
        had[str(user_id)] += found.total()
        if found != {trials.CREDITS: 1} and (found or became_plan):
            yield f"credits of trial {key}: {dict(found)}, became a plan {became_plan}"
    yield from (f"trials of {who}: {count}" for who, count in had.items() if count > 1)
    for card, who in done.trials.items():
        if not any(had[user_id] for user_id in who):
            yield f"credits of the first trial with card {card}: none, begun by {len(who)}"


def _caps(truth: Truth, done: Done) -> Iterator[str]:
    for (user_id, month), charged in truth.topped_up().items():
        most = _most_allowed(done.caps.get(user_id, []), month)
        if charged > most:
            yield f"top-ups of {user_id} in {month}: {charged}, allowed {most}"


def _most_allowed(agreed: list[tuple[datetime, int]], month: str) -> int:
    """The largest cap that was in force at some time of that calendar month."""
    caps = [0]
    for at, cap in agreed:
        if f"{at:%Y-%m}" < month:
            caps = [cap]  # what was agreed last before the month holds when it begins
        elif f"{at:%Y-%m}" == month:
            caps.append(cap)
    return max(caps)


def _grants(lots: Lots, truth: Truth, *, now: datetime) -> Iterator[str]:
    real, changed = truth.bought(), truth.changed()
    brought: Counter[str] = Counter()
    back: dict[str, datetime] = {}
    for bought in real.values():
        found = lots.pop((bought.user_id, bought.id), Counter())
        if bought.subscription in changed:
            brought[bought.subscription] += sum(size * count for size, count in found.items())
            if bought.back_at is not None:
                first = back.get(bought.subscription, bought.back_at)
                back[bought.subscription] = min(first, bought.back_at)
            continue
        least, most = lots_due(bought, now=now)
        if not least <= found <= most:
            yield f"credits of {bought.id}: {dict(found)}, paid for {dict(most)}"
    for (user_id, reference), found in lots.items():
        yield f"credits without a payment: {dict(found)} of {user_id} for {reference!r}"
    for key, bills in changed.items():
        most_credits, until = entitled(bills, now=now), sure_until(back.get(key), now=now)
        steps = sum(bill.is_change for bill in bills)
        least_credits = entitled(bills, now=until) - steps
        if not least_credits <= brought[key] <= most_credits:
            yield f"credits of changed plan {key}: {brought[key]}, paid for {most_credits}"


def _checkouts(ours: Ours, truth: Truth) -> Iterator[str]:
    real = truth.sessions()
    for key, state in ours.checkouts().items():
        if state not in _OVER.get(real.get(key, ""), set()):
            yield f"checkout {key}: ours {state}, Stripe's {real.get(key)}"
