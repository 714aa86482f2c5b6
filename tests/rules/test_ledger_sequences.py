"""Any sequence of verbs, repeated ones among them, does what a page of plain Python says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
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
from tests.support.ledger_model import SPENT_FIRST, Model, ModelClaim, ModelHold, ModelLot

Known = str | MultipleResults[str]
REFERENCES = ("payment 0", "payment 1", "payment 2")


class Ledger(RuleBasedStateMachine):
    """One customer of the real ledger beside the model of them."""

    database: Database
    known_lots: Bundle[str] = Bundle("known_lots")
    known_holds: Bundle[str] = Bundle("known_holds")
    known_revocations: Bundle[str] = Bundle("known_revocations")
    known_claims: Bundle[str] = Bundle("known_claims")
    known_freezes: Bundle[str] = Bundle("known_freezes")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(self.database, TestClock())
        self.user_id = self.book.customer()
        self.model = Model()
        self.granted: dict[str, ledger.NewLot] = {}
        self.holds: dict[str, ModelHold] = {}
        self.revocations: dict[str, tuple[str, int, int]] = {}
        self.claims: dict[str, ModelClaim] = {}
        self.forgiven = 0

    @initialize(target=known_lots, credits=st.integers(1, 20))
    def begin_with_something(self, credits: int) -> Known:
        return self.grant(credits, "free", None, REFERENCES[0])

    @rule(
        target=known_lots,
        credits=st.integers(1, 20),
        source=st.sampled_from(SPENT_FIRST),
        days=st.sampled_from([None, 1, 2, 8]),
        payment=st.sampled_from(REFERENCES),
    )
    def grant(self, credits: int, source: str, days: int | None, payment: str) -> Known:
        key, payment = f"{self.user_id}:{len(self.granted)}", f"{self.user_id}:{payment}"
        lot = self.book.new_lot(
            self.user_id, credits, days=days, key=key, source=source, reference=payment
        )
        self.book.post(lot)
        made = ModelLot(len(self.granted), source, payment, credits, lot.expires_at)
        self.model.grant(key, made, self.book.clock())
        self.granted[key] = lot
        return key

    @rule(key=known_lots)
    def grant_again(self, key: str) -> None:
        assert self.book.post(self.granted[key]).remaining == self.model.lots[key].remaining

    @rule(target=known_holds, credits=st.integers(1, 25), hours=st.integers(1, 24))
    def hold(self, credits: int, hours: int) -> Known:
        hold_id = str(uuid5(UUID(self.user_id), str(len(self.holds))))
        now = self.book.clock()
        made = ModelHold(credits, now + timedelta(hours=hours))
        usable = sum(lot.remaining for lot in self.model.usable(now))
        if not self.model.hold(made, now):
            with pytest.raises(errors.InsufficientCredits) as refused:
                self.book.hold(self.user_id, credits, hold_id=hold_id, hours=hours)
            owing = self.model.owed() and usable >= credits
            assert refused.value.code == ("credits.owed" if owing else "credits.insufficient")
            return multiple()
        self.book.hold(self.user_id, credits, hold_id=hold_id, hours=hours)
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
            self.model.sums["spent"] += known.credits
        assert self.book.settle(hold_id).state == known.state

    @rule(hold_id=known_holds)
    def release(self, hold_id: str) -> None:
        known = self.holds[hold_id]
        if known.state == "held":
            self.model.give_back([known], self.book.clock(), "released")
        assert self.book.release(hold_id).state == known.state

    @rule(target=known_revocations, lot_key=known_lots, credits=st.integers(1, 20))
    def revoke(self, lot_key: str, credits: int) -> Known:
        lot = self.model.lots[lot_key]
        taken = min(lot.remaining, credits) if lot.lives(self.book.clock()) else 0
        key = f"refund:{self.user_id}:{len(self.revocations)}"
        assert self.book.revoke(lot_key, credits, key=key) == taken
        lot.remaining -= taken
        self.model.sums["revoked"] += taken
        self.revocations[key] = lot_key, credits, taken
        return key if taken else multiple()

    @rule(key=known_revocations)
    def revoke_again(self, key: str) -> None:
        lot_key, credits, taken = self.revocations[key]
        assert self.book.revoke(lot_key, credits, key=key) == taken

    @rule(target=known_claims, lot_key=known_lots, credits=st.integers(1, 20))
    def claw_back(self, lot_key: str, credits: int) -> Known:
        key = f"{self.user_id}:{len(self.claims)}:1"
        made = self.model.claw_back(self.model.lots[lot_key], credits, self.book.clock())
        found = self.book.claw_back(lot_key, credits, key=key)
        assert (found.taken, found.owed) == (made.taken, made.owed)
        self.claims[key] = made
        return key if made.taken + made.owed else multiple()

    @rule(key=known_claims)
    def claw_back_again(self, key: str) -> None:
        known = self.claims[key]
        lot_key = next(k for k, lot in self.model.lots.items() if lot is known.lot)
        found = self.book.claw_back(lot_key, known.asked, key=key)
        assert (found.taken, found.owed) == (known.taken, known.owed)

    @rule(key=known_claims)
    def restore(self, key: str) -> None:
        back = self.model.restore(self.claims[key], self.book.clock())
        assert self.book.restore(key) == back

    @rule(credits=st.integers(1, 20))
    def forgive(self, credits: int) -> None:
        self.forgiven += 1
        key, expected = f"gesture:{self.user_id}:{self.forgiven}", self.model.forgive(credits)
        assert self.book.forgive(self.user_id, credits, key=key) == expected
        if expected:
            assert self.book.forgive(self.user_id, credits, key=key) == expected

    @rule(target=known_freezes, payment=st.sampled_from(REFERENCES))
    def freeze(self, payment: str) -> Known:
        key, payment = f"{self.user_id}:{len(self.model.freezes)}", f"{self.user_id}:{payment}"
        stopped = self.model.freeze(key, payment, self.book.clock())
        assert self.book.freeze(payment, key=key) == stopped
        assert self.book.freeze(payment, key=key) == stopped
        return key

    @rule(key=known_freezes)
    def thaw(self, key: str) -> None:
        payment, _ = self.model.freezes[key]
        assert self.book.thaw(payment, key=key) == self.model.thaw(key, self.book.clock())

    @rule(hours=st.sampled_from([1, 5, 23, 24, 100, 168]))
    def wait(self, hours: int) -> None:
        self.book.clock.advance(hours=hours)

    @rule()
    def sweep(self) -> None:
        now = self.book.clock()
        while self.book.expire():
            pass
        late = [h for h in self.holds.values() if h.state == "held" and h.ends <= now]
        self.model.give_back(late, now, "expired")
        self.model.expire(now)

    @invariant()
    def everything_is_where_the_model_says(self) -> None:
        now, lots = self.book.clock(), self.model.lots
        found = self.book.look(self.user_id)
        left = {key: lot.remaining for key, lot in lots.items()}
        usable = sum(lot.remaining for lot in self.model.usable(now))
        frozen = sum(t.remaining for t in lots.values() if t.frozen_since and t.lives(now))
        held = sum(hold.credits for hold in self.holds.values() if hold.state == "held")
        owed = self.model.owed()
        expected = {"available": sum(left.values()), "held": held, **self.model.sums}
        balance, told = found.balance, found.last_line
        assert found.remaining == left
        assert sum(balance.by_source.values()) == usable
        assert balance.available == max(0, usable - owed)
        assert (balance.held, balance.frozen, balance.owed) == (held, frozen, owed)
        assert _without_zeros(found.accounts) == _without_zeros(expected)
        # The statement ends with the balance, and with what the next sweep will take from it.
        assert told is not None
        assert (told.balance_after, told.owed_after) == (sum(left.values()), owed)
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
