"""Stripe and we: events that were missed, what is different, and putting it right."""

from __future__ import annotations

from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import staff
from talkingphoto.billing import differences
from talkingphoto.foundation import errors, ids
from talkingphoto.workflows import closing, comparing, pulling, refusals, replaying, standing_open

Difference = differences.Difference
Run = comparing.Run
Standing = standing_open.Standing


class ReconciliationService:
    """The verbs that make our books agree with Stripe's."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def pull_missed(self) -> int:
        """Events that Stripe could not deliver are stored as if they had come; how many."""
        return pulling.pull_missed(self.runtime)

    def run_due_work(self) -> int:
        """What runs at Stripe for deleted accounts has ended, and what came for them went back."""
        return closing.run_due(self.runtime)

    def compare(self, *, heal: bool = True) -> Run:
        """Every difference between Stripe and us is on record; with `heal` the safe ones are put
        right. A run that was broken off goes on."""
        return comparing.compare(self.runtime, heal=heal)

    def standing(self) -> Standing:
        """What waits, is dead or parked, has to go back, or differs, as of now."""
        now = self.runtime.wall_clock()
        with self.runtime.read_only() as session:
            return standing_open.of_now(session, now=now)

    def differences(self, *, staff_id: str, open_only: bool = True) -> tuple[Difference, ...]:
        """What is different, the latest first; NotPermitted for who does not work here."""
        refused = refusals.on_record(self.runtime, "differences", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            limit = differences.LONGEST_LIST
            return differences.recent(session, open_only=open_only, limit=limit)

    def heal(self, *, staff_id: str, difference_id: str, reason: str) -> Difference:
        """What Stripe says was written as a webhook would have, and who wanted that is on record;
        how the difference stands now."""
        found = self._decide(
            "difference.heal", staff_id=staff_id, difference_id=difference_id, reason=reason
        )
        if found.state in {"open", "alerted"}:
            comparing.put_right(self.runtime, found)
        return self._get(difference_id)

    def ignore(self, *, staff_id: str, difference_id: str, reason: str) -> Difference:
        """The difference is all right as it is, as long as it stays the same."""
        self._decide(
            "difference.ignore", staff_id=staff_id, difference_id=difference_id, reason=reason
        )
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            differences.move(session, difference_id=difference_id, to="ignored", now=now)
        return self._get(difference_id)

    def replay(self, *, staff_id: str, event_id: str, reason: str) -> None:
        """The event is processed once more, and it is on record who wanted that and why."""
        action = staff.Action(self.runtime.new_id(), staff_id, "event.replay", event_id, reason)
        refused = refusals.on_record(
            self.runtime, action.action, staff_id=staff_id, about=event_id, reason=reason
        )
        with refused, self.runtime.transaction() as session:
            replaying.replay(session, action=action, now=self.runtime.wall_clock())

    def _decide(self, verb: str, *, staff_id: str, difference_id: str, reason: str) -> Difference:
        """The difference that an admin decides about; that they do is on record."""
        action = staff.Action(self.runtime.new_id(), staff_id, verb, difference_id, reason)
        refused = refusals.on_record(
            self.runtime, verb, staff_id=staff_id, about=difference_id, reason=reason
        )
        with refused, self.runtime.transaction() as session:
            staff.require(session, user_id=staff_id, at_least="admin")
            staff.record(session, action=action, now=self.runtime.wall_clock())
            found = _known(session, difference_id)
        return found

    def _get(self, difference_id: str) -> Difference:
        with self.runtime.read_only() as session:
            return _known(session, difference_id)


def _known(session: Session, difference_id: str) -> Difference:
    found = None
    if ids.is_uuid(difference_id):
        found = differences.get(session, difference_id=difference_id)
    if found is None:
        raise errors.NotFound("office.difference_unknown", "There is no difference with this id.")
    return found


reconciliation_service = ReconciliationService(runtimes.current())
