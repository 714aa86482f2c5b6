"""Credits of a person in the shop: given, used and kept waiting as the product does it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from talkingphoto.billing import ledger
from tests.support.shop import Person, Shop


def grant(shop: Shop, person: Person, credits: int, **chosen: Any) -> None:
    """The person has the credits, of a pack without an end unless told otherwise."""
    known = {"key": f"test:{uuid.uuid4()}", "source": "pack", **chosen}
    lot = ledger.NewLot(user_id=person.id, credits=credits, **known)
    with shop.runtime.transaction() as session:
        ledger.grant(session, lot, now=shop.clock.now)


def use(shop: Shop, person: Person, credits: int, *, settled: bool = True) -> str:
    """The person's credits are spent on something, or only held for it: the hold's id."""
    hold_id = str(uuid.uuid4())
    with shop.runtime.transaction() as session:
        ledger.hold(
            session,
            hold_id=hold_id,
            user_id=person.id,
            credits=credits,
            expires_at=shop.clock.now + timedelta(hours=1),
            now=shop.clock.now,
        )
        if settled:
            ledger.settle(session, hold_id=hold_id, now=shop.clock.now)
    return hold_id


def in_days(shop: Shop, days: float) -> datetime:
    """The moment so many days from now."""
    return shop.clock.now + timedelta(days=days)
