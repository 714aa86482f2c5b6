"""How an accepted video enters the queue: its photo stored, its credit held, a worker woken."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from talkingphoto.billing import customers, ledger, top_ups
from talkingphoto.foundation import errors, jobs
from talkingphoto.generations import records, rules
from talkingphoto.rendering import upkeep
from talkingphoto.rendering.orders import Order
from talkingphoto.runtime import Runtime


@contextmanager
def stored_photo(runtime: Runtime, photo: bytes) -> Iterator[str]:
    """The key under which the photo is stored; it stays when a video has it after the block."""
    key = _stored(runtime, photo)
    try:
        yield key
    finally:
        # A request that came twice at once stored two photos, and one of them is nobody's.
        with runtime.read_only() as session:
            used = records.known_keys(session, [key])
        if not used:
            runtime.storage.delete(key)


def enter(session: Session, new: records.NewGeneration, *, now: datetime, wall: datetime) -> bool:
    """The video is in the queue, and what it costs is held; False when it was before. Conflict
    when too many are, InsufficientCredits when there is nothing to hold."""
    customers.lock(session, user_id=new.user_id)
    known = records.find(session, generation_id=new.id)
    if known is not None and known.user_id == new.user_id:
        return False
    _require_room(records.unfinished(session, user_id=new.user_id))
    if new.remake_of is None:
        hold = ledger.hold(
            session,
            hold_id=new.id,
            user_id=new.user_id,
            credits=rules.CREDITS_A_VIDEO,
            expires_at=new.due_by,
            now=now,
        )
        if hold.state != "held":
            raise _used()  # by a video that ended, and was deleted
        top_ups.consider(session, user_id=new.user_id, now=now)
    if not records.add(session, new, now=now, wall=wall):
        raise _used()
    jobs.enqueue(session, upkeep.wake_job(key=new.id))
    return True


def record_consent(
    runtime: Runtime, session: Session, order: Order, *, upload_sha256: str, wall: datetime
) -> None:
    """What the customer declared with this upload is on record."""
    place = f"consents:ip_sealed:{order.request_id}"
    consent = records.Consent(
        generation_id=order.request_id,
        user_id=order.user_id,
        given_at=wall,
        text_version=rules.CONSENT_VERSION,
        photo_sha256=upload_sha256,
        ip_sealed=runtime.cipher.encrypt(order.ip, place=place),
    )
    records.record_consent(session, consent)


def _stored(runtime: Runtime, photo: bytes) -> str:
    try:
        with tempfile.NamedTemporaryFile(dir=runtime.work_folder()) as file:
            file.write(photo)
            file.flush()
            return runtime.storage.put(Path(file.name), "photo")
    except OSError as fault:
        raise errors.Unavailable(
            "storage.no_room", "There is no room for the photo just now. Try again later."
        ) from fault


def _require_room(unfinished: int) -> None:
    if unfinished >= rules.MOST_WAITING:
        raise errors.Conflict(
            "video.too_many",
            f"{rules.MOST_WAITING} of your videos are being made. Wait for one to end.",
        )


def _used() -> errors.Conflict:
    return errors.Conflict(
        "video.request_used", "This form was used before. Reload the page and try again."
    )
