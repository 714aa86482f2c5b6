"""Who pays which price, and how old prices are left behind."""

from __future__ import annotations

from datetime import datetime

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import staff
from talkingphoto.billing import price_changes
from talkingphoto.foundation import errors, ids
from talkingphoto.workflows import price_changes as changing
from talkingphoto.workflows import refusals

PaidPrice = price_changes.PaidPrice
PriceChange = price_changes.PriceChange
_OPERATOR = "operator"


class PriceService:
    """The verbs of prices; those of the command line say so."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def who_pays(self, *, staff_id: str) -> tuple[PaidPrice, ...]:
        """Every price of every item and how many pay it; for staff."""
        refused = refusals.on_record(self.runtime, "prices.who_pays", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            return price_changes.report(session)

    def report(self) -> tuple[PaidPrice, ...]:
        """The same for the command line."""
        with self.runtime.read_only() as session:
            return price_changes.report(session)

    def changes(self) -> tuple[PriceChange, ...]:
        """Changes that are planned or announced; for the command line."""
        with self.runtime.read_only() as session:
            return price_changes.open_ones(session)

    def announced(self, *, staff_id: str) -> tuple[PriceChange, ...]:
        """The same changes for the office."""
        refused = refusals.on_record(self.runtime, "prices.announced", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
        return self.changes()

    def plan(self, *, item: str, effective_at: datetime, reason: str) -> tuple[PriceChange, ...]:
        """Old prices of the item end at renewals from that day on, and that is on record; for the
        command line."""
        planned = changing.plan(self.runtime, item=item, effective_at=effective_at)
        self._record("prices.change", about=item, reason=reason)
        return planned

    def call_off(self, *, change_id: str, reason: str) -> None:
        """Nobody is moved by that change any more; NotFound when it is not open."""
        with self.runtime.transaction() as session:
            if not ids.is_uuid(change_id) or not price_changes.call_off(
                session, change_id=change_id
            ):
                raise errors.NotFound("prices.unknown", "There is no such change that is open.")
        self._record("prices.call_off", about=change_id, reason=reason)

    def run_due_work(self) -> int:
        """Who has to be told of a change is told, and who is due pays the new price."""
        return changing.run_due_work(self.runtime)

    def _record(self, action: str, *, about: str, reason: str) -> None:
        with self.runtime.transaction() as session:
            done = staff.Action(self.runtime.new_id(), _OPERATOR, action, about, reason)
            staff.record(session, action=done, now=self.runtime.wall_clock())


price_service = PriceService(runtimes.current())
