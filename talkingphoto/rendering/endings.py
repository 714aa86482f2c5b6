"""How a video ends: delivered and paid for, or not made and its credit back in the very lots."""

from __future__ import annotations

from datetime import datetime

import structlog

from talkingphoto.billing import customers, ledger
from talkingphoto.generations import queue, records, rules
from talkingphoto.generations.queue import Claim, Ending, Finished
from talkingphoto.integrations.video import port
from talkingphoto.runtime import Runtime

log = structlog.get_logger()
OVERDUE = ("took_too_long", "It could not be made within a day. Your video is back.")


class _HoldOver(Exception):
    """The ledger has given the credit back, so the video may not be delivered."""


def deliver(runtime: Runtime, claim: Claim, finished: Finished) -> bool:
    """The video is ready and its credit spent. False when it is another's by now, or its hold was
    over, which ends it: then its files are stored no more."""
    try:
        delivered = _deliver(runtime, claim, finished)
    except _HoldOver:
        ending = Ending(claim.id, claim.attempt, "rendering", OVERDUE)
        end(runtime, ending, user_id=claim.user_id, now=runtime.clock())
        delivered = False
    if not delivered:
        discard(runtime, finished)
    return delivered


def fail(runtime: Runtime, claim: Claim, failure: port.EngineFailure) -> bool:
    """The video waits for another attempt when that may help and its owner has not canceled it,
    else it has ended and its credit is back. False when it is another's by now."""
    log.warning("video.failed", generation_id=claim.id, code=failure.code, kind=failure.kind)
    if failure.kind == "transient" and claim.attempt < rules.MOST_ATTEMPTS:
        wall = runtime.wall_clock()
        with runtime.transaction() as session:
            if queue.retry_later(session, claim=claim, wall=wall) is not None:
                return True
        canceled = Ending(claim.id, claim.attempt, "rendering", None)
        return end(runtime, canceled, user_id=claim.user_id, now=runtime.clock())
    if failure.kind in {"fatal", "quota"}:
        log.error("alert.engine", generation_id=claim.id, code=failure.code)
    ending = Ending(claim.id, claim.attempt, "rendering", (failure.code, failure.message))
    return end(runtime, ending, user_id=claim.user_id, now=runtime.clock())


def end(runtime: Runtime, ending: Ending, *, user_id: str, now: datetime) -> bool:
    """The video ended without a file and what was held for it is back in its lots; False when it
    is not any more as the ending says it was."""
    with runtime.transaction() as session:
        # The customer first, as everywhere: two that end the same video wait for each other.
        customers.lock(session, user_id=user_id)
        if not queue.end(session, ending=ending, now=now, photo_days=runtime.settings.photo_days):
            return False
        hold_id = records.hold_of(session, generation_id=ending.id)
        if hold_id is not None:
            ledger.release(session, hold_id=hold_id, now=now)
    code = ending.problem[0] if ending.problem else "canceled"
    log.info("video.ended", generation_id=ending.id, attempt=ending.attempt, code=code)
    return True


def discard(runtime: Runtime, finished: Finished) -> None:
    """A video that was stored and will not be delivered is stored no more."""
    for key in (finished.video_key, finished.poster_key):
        runtime.storage.delete(key)


def _deliver(runtime: Runtime, claim: Claim, finished: Finished) -> bool:
    now, chosen = runtime.clock(), runtime.settings
    kept = rules.kept_days(watermark=claim.watermark, video_days=chosen.video_days)
    days = (chosen.photo_days, kept)
    with runtime.transaction() as session:
        customers.lock(session, user_id=claim.user_id)
        if not queue.finish(session, claim=claim, finished=finished, now=now, days=days):
            return False
        if claim.hold_id is not None:
            hold = ledger.settle(session, hold_id=claim.hold_id, now=now)
            if hold.state != "settled":
                raise _HoldOver
    log.info("video.ready", generation_id=claim.id, attempt=claim.attempt)
    return True
