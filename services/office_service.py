"""The back office: who may come in, and what they look up there."""

from __future__ import annotations

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import audit, directory, staff
from talkingphoto.events import inbox
from talkingphoto.foundation import errors
from talkingphoto.workflows import refusals

Entry = directory.Entry
EventLine = inbox.EventLine


class OfficeService:
    """Looking things up; what is decided belongs to the service of its subject."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def enter(self, user_id: str | None, *, ip: str) -> staff.Role:
        """What that member of staff may do; for all others there is nothing here, and that they
        tried is on record."""
        role: staff.Role = "customer"
        if user_id is not None:
            with self.runtime.read_only() as session:
                role = staff.role_of(session, user_id=user_id)
        if role != "customer":
            return role
        event = audit.Event(self.runtime.new_id(), "office.refused", user_id, ip)
        now = self.runtime.wall_clock()
        with self.runtime.transaction() as session:
            audit.record(session, event=event, cipher=self.runtime.cipher, now=now)
        raise errors.NotFound("request.not_found", "There is nothing at this address.")

    def find(self, *, staff_id: str, asked: str) -> tuple[Entry, ...]:
        """The accounts of that address or id, of ours or of Stripe's; support sees no address."""
        refused = refusals.on_record(self.runtime, "office.find", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            masked = staff.role_of(session, user_id=staff_id) != "admin"
            return directory.find(session, asked=asked, masked=masked)

    def events(self, *, staff_id: str, only_dead: bool = False) -> tuple[EventLine, ...]:
        """Stripe's latest events and what became of each, or those that are dead letters."""
        refused = refusals.on_record(self.runtime, "office.events", staff_id=staff_id)
        with refused, self.runtime.read_only() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            return inbox.latest(session, only_dead=only_dead)


office_service = OfficeService(runtimes.current())
