"""What is refused to whoever asks for something of the office is on record too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from talkingphoto.accounts import staff
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
# With these nobody said no: what was decided is on record, and is tried again.
_NO_ANSWER = frozenset({"stripe.key_refused"})


@contextmanager
def on_record(
    runtime: Runtime, verb: str, *, staff_id: str, about: str = "", reason: str = ""
) -> Iterator[None]:
    """A refusal inside goes on to the caller, and who asked for what is on record with its code.

    It stands round the transaction of the verb, which is undone by then, and writes in its own. A
    record that cannot be written takes nothing from the refusal: the log has it."""
    try:
        yield
    except errors.AppError as refusal:
        if not isinstance(refusal, errors.Unavailable) and refusal.code not in _NO_ANSWER:
            asked = staff.Action(runtime.new_id(), staff_id, verb, about, reason)
            _record(runtime, asked, code=refusal.code)
        raise


def _record(runtime: Runtime, asked: staff.Action, *, code: str) -> None:
    now = runtime.wall_clock()
    log.warning("office.refused", verb=asked.action, staff_id=asked.staff_id, code=code)
    try:
        with runtime.transaction() as session:
            staff.record_refusal(session, asked=asked, code=code, now=now)
    except SQLAlchemyError as fault:
        log.error("office.refusal_not_recorded", error=type(fault).__name__)
