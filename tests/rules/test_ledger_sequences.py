"""Any sequence of verbs, repeated ones among them, does what a page of plain Python says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from talkingphoto.billing import ledger
from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Database
from tests.support.clock import TestClock
from tests.support.databases import TestServer
from tests.support.ledger_book import Book

Known = str | MultipleResults[str]
SPENT_FIRST = ("promo", "free", "gift", "goodwill", "plan", "pack")


@dataclass
class ModelLot:
    """A lot in plain Python."""

    number: int
    source: str
    remaining: int
    usable_until: datetime | None

    def usable(self, now: datetime) -> bool:
        return self.usable_until is None or now < self.usable_until

    @property
    def turn(self) -> tuple[bool, datetime | None, int, int]:
        place = SPENT_FIRST.index(self.source), self.number
        return self.usable_until is None, self.usable_until, *place


@dataclass
class ModelHold:
    """A hold in plain Python, with the lots it took from."""

    credits: int
    ends: datetime
    state: str = "held"
    taken: list[tuple[ModelLot, int]] = field(default_factory=list)

    def give_back(self, now: datetime, state: str) -> int:
        """Back to the lots; the number is what had run out beside them, unused."""
        lost = 0
        for lot, credits in self.taken:
            if not lot.usable(now):
                lost += lot.remaining
                lot.remaining = 0
                lot.usable_until = now + ledger.RETURN_GRACE
            lot.remaining += credits
        self.state = state
        return lost


class Ledger(RuleBasedStateMachine):
    """One customer of the real ledger beside the model of them."""

    database: Database
    known_lots: Bundle[str] = Bundle("known_lots")
    known_holds: Bundle[str] = Bundle("known_holds")
    known_revocations: Bundle[str] = Bundle("known_revocations")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(self.database, TestClock())
        self.user_id = self.book.customer()
        self.granted: dict[str, ledger.NewLot] = {}
        self.lots: dict[str, ModelLot] = {}
        self.holds: dict[str, ModelHold] = {}
        self.revocations: dict[str, tuple[str, int, int]] = {}
        self.sums = dict.fromkeys(("granted", "spent", "expired", "revoked"), 0)

    @initialize(target=known_lots, credits=st.integers(1, 20))
    def begin_with_something(self, credits: int) -> Known:
        return self.grant(credits, "free", None)

    @rule(
        target=known_lots,
        credits=st.integers(1, 20),
        source=st.sampled_from(SPENT_FIRST),
        days=st.sampled_from([None, 1, 2, 8]),
    )
    def grant(self, credits: int, source: str, days: int | None) -> Known:
        key = f"{self.user_id}:{len(self.lots)}"
        lot = self.book.new_lot(self.user_id, credits, days=days, key=key, source=source)
        self.book.post(lot)
        self.granted[key] = lot
        self.lots[key] = ModelLot(len(self.lots), source, credits, lot.expires_at)
        self.sums["granted"] -= credits
        return key

    @rule(key=known_lots)
    def grant_again(self, key: str) -> None:
        assert self.book.post(self.granted[key]).remaining == self.lots[key].remaining

    @rule(target=known_holds, credits=st.integers(1, 25), hours=st.integers(1, 24))
    def hold(self, credits: int, hours: int) -> Known:
        hold_id = str(uuid5(UUID(self.user_id), str(len(self.holds))))
        now = self.book.clock()
        made = ModelHold(credits, now + timedelta(hours=hours))
        usable = [lot for lot in self.lots.values() if lot.remaining and lot.usable(now)]
        if sum(lot.remaining for lot in usable) < credits:
            with pytest.raises(errors.InsufficientCredits):
                self.book.hold(self.user_id, credits, hold_id=hold_id, hours=hours)
            return multiple()
        self.book.hold(self.user_id, credits, hold_id=hold_id, hours=hours)
        for lot in sorted(usable, key=lambda lot: lot.turn):
            part = min(lot.remaining, credits)
            if part:
                lot.remaining -= part
                credits -= part
                made.taken.append((lot, part))
        self.holds[hold_id] = made
        return hold_id

    @rule(hold_id=known_holds)
    def hold_again(self, hold_id: str) -> None:
        known = self.holds[hold_id]
        found = self.book.hold(self.user_id, known.credits, hold_id=hold_id)
        assert (found.state, found.expires_at) == (known.state, known.ends)

    @rule(hold_id=known_holds)
    def settle(self, hold_id: str) -> None:
        known = self.holds[hold_id]
        if known.state == "held":
            known.state = "settled"
            self.sums["spent"] += known.credits
        assert self.book.settle(hold_id).state == known.state

    @rule(hold_id=known_holds)
    def release(self, hold_id: str) -> None:
        known = self.holds[hold_id]
        if known.state == "held":
            self.sums["expired"] += known.give_back(self.book.clock(), "released")
        assert self.book.release(hold_id).state == known.state

    @rule(target=known_revocations, lot_key=known_lots, credits=st.integers(1, 20))
    def revoke(self, lot_key: str, credits: int) -> Known:
        lot = self.lots[lot_key]
        taken = min(lot.remaining, credits) if lot.usable(self.book.clock()) else 0
        key = f"refund:{self.user_id}:{len(self.revocations)}"
        assert self.book.revoke(lot_key, credits, key=key) == taken
        lot.remaining -= taken
        self.sums["revoked"] += taken
        self.revocations[key] = lot_key, credits, taken
        return key if taken else multiple()

    @rule(key=known_revocations)
    def revoke_again(self, key: str) -> None:
        lot_key, credits, taken = self.revocations[key]
        assert self.book.revoke(lot_key, credits, key=key) == taken

    @rule(hours=st.sampled_from([1, 5, 23, 24, 100, 168]))
    def wait(self, hours: int) -> None:
        self.book.clock.advance(hours=hours)

    @rule()
    def sweep(self) -> None:
        now = self.book.clock()
        while self.book.expire():
            pass
        for known in self.holds.values():
            if known.state == "held" and known.ends <= now:
                self.sums["expired"] += known.give_back(now, "expired")
        for lot in self.lots.values():
            if not lot.usable(now):
                self.sums["expired"] += lot.remaining
                lot.remaining = 0

    @invariant()
    def everything_is_where_the_model_says(self) -> None:
        now = self.book.clock()
        found = self.book.look(self.user_id)
        left = {key: lot.remaining for key, lot in self.lots.items()}
        usable = sum(lot.remaining for lot in self.lots.values() if lot.usable(now))
        held = sum(hold.credits for hold in self.holds.values() if hold.state == "held")
        expected = {"available": sum(left.values()), "held": held, **self.sums}
        assert found.remaining == left
        assert (found.balance.available, found.balance.held) == (usable, held)
        assert _without_zeros(found.accounts) == _without_zeros(expected)
        # The statement ends with the balance, and with what the next sweep will take from it.
        told = found.last_line.balance_after if found.last_line else 0
        assert told == sum(left.values())
        assert found.differences == ()


def _without_zeros(sums: dict[str, int]) -> dict[str, int]:
    return {name: credits for name, credits in sums.items() if credits}


@pytest.fixture(scope="module")
def database(postgres: TestServer) -> Iterator[Database]:
    with postgres.database() as url:
        made = Database(url)
        yield made
        made.dispose()


def test_any_sequence_of_verbs_keeps_every_invariant(database: Database) -> None:
    class OnThisDatabase(Ledger):
        pass

    OnThisDatabase.database = database
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
