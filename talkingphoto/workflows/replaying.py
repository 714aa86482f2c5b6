"""A stored event is processed once more, because a member of staff says so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.accounts import staff
from talkingphoto.events import inbox
from talkingphoto.foundation import errors


def replay(session: Session, *, action: staff.Action, now: datetime) -> None:
    """The event waits for a worker again, and who asked is on record; NotFound for an unknown one.

    What it brought before it brings no second time: its effects have keys of their own."""
    staff.require(session, user_id=action.staff_id, at_least="admin")
    staff.record(session, action=action, now=now)
    if inbox.reopen(session, event_id=action.about) is None:
        raise errors.NotFound("office.event_unknown", "There is no event with this id.")
