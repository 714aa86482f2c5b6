"""What is refused to whoever asks for something of the office is on record too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from talkingphoto.accounts import staff
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime


@contextmanager
def on_record(
    runtime: Runtime, verb: str, *, staff_id: str, about: str = "", reason: str = ""
) -> Iterator[None]:
    """A refusal inside goes on to the caller, and who asked for what is on record with its code.

    It stands round the transaction of the verb, which is undone by then, and writes in its own."""
    try:
        yield
    except errors.Unavailable:
        raise  # Nobody said no: what was decided is on record, and is tried again.
    except errors.AppError as refusal:
        now = runtime.wall_clock()
        asked = staff.Action(runtime.new_id(), staff_id, verb, about, reason)
        with runtime.transaction() as session:
            staff.record_refusal(session, asked=asked, code=refusal.code, now=now)
        raise
