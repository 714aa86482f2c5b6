"""Who pays which price, and whose old price ends when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services import price_service
from talkingphoto.billing import catalog
from ui import kit, session, wording
from ui.admin import tables


def section(visit: session.Visit, staff_id: str) -> None:
    """Old prices that somebody pays, and how many pay those of today."""
    service = price_service.price_service
    found = service.who_pays(staff_id=staff_id)
    ends = {
        change.from_price_id: f"{change.state}, ends at renewals from "
        f"{wording.day(change.effective_at, visit.zone)}"
        for change in service.announced(staff_id=staff_id)
    }
    kit.show(
        '<h2 class="tp-h2">Old prices</h2>',
        _old(found, ends),
        '<h2 class="tp-h2">Today\'s prices</h2>',
        _current(found),
    )


def _old(found: Sequence[price_service.PaidPrice], ends: Mapping[str, str]) -> str:
    today = {one.item: _price(one) for one in found if one.is_current}
    return tables.table(
        ("Plan", "Customers", "They pay", "Price today", "Change", "Price at Stripe"),
        [
            (
                _plan(one),
                f"{one.subscribers:,}",
                _price(one),
                today.get(one.item, "not sold"),
                ends.get(one.price_id, "none is planned"),
                one.price_id,
            )
            for one in found
            if one.subscribers and not one.is_current
        ],
        none="Whoever has a plan pays today's price.",
        numbers=("Customers",),
    )


def _current(found: Sequence[price_service.PaidPrice]) -> str:
    return tables.table(
        ("Plan", "Customers", "They pay", "Price at Stripe"),
        [
            (_plan(one), f"{one.subscribers:,}", _price(one), one.price_id)
            for one in found
            if one.subscribers and one.is_current
        ],
        none="Nobody pays for a plan yet.",
        numbers=("Customers",),
    )


def _plan(one: price_service.PaidPrice) -> str:
    # What is not sold any more has its name only.
    item = catalog.ITEMS.get(one.item)
    return f"{item.title} by the {item.interval}" if item else one.item


def _price(one: price_service.PaidPrice) -> str:
    return wording.amount(one.price) if one.price else "unknown"
