"""Stripe is read from end to end and compared with our books; what is different is put right.

A run that was broken off goes on where it stopped: each page is stored with the place behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from talkingphoto.accounts import mails
from talkingphoto.billing import comparisons, differences
from talkingphoto.billing.differences import Difference, Finding
from talkingphoto.events.handling import look_at
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from talkingphoto.workflows import listings
from talkingphoto.workflows.listings import LISTINGS, Listing

log = structlog.get_logger()
MOST_PAGES = 2000
_WORDS = "Stripe and we disagree, and only a person can say who is right."


@dataclass(frozen=True)
class Run:
    """One comparison: how many objects were looked at, what differed, how many of it is healed."""

    id: str
    at: datetime
    looked: int
    differences: tuple[Difference, ...]
    healed: int


def compare(runtime: Runtime, *, heal: bool) -> Run:
    """Every difference is on record with its class and age; with `heal` what is safe is put right
    and a person is told of the rest; what is gone is closed."""
    now = runtime.clock()
    with runtime.transaction() as session:
        running = comparisons.begin(session, run_id=runtime.new_id(), now=now)
    _read(runtime, running)
    found, complete = _findings(runtime, running)
    noted = _note(runtime, running, found)
    healed = {one.id for one in noted if heal and one.heals and put_right(runtime, one)}
    for one in noted:
        if one.id not in healed and (heal or not one.heals):
            _alert(runtime, one)
    now = runtime.clock()
    with runtime.transaction() as session:
        if complete:
            since = running.window.since
            differences.close_gone(session, run_id=running.id, since=since, now=now)
        differences.close_events(session, now=now)
        looked = comparisons.finish(
            session, run_id=running.id, differences=len(noted), healed=len(healed), now=now
        )
        now_stand = [differences.get(session, difference_id=one.id) or one for one in noted]
    log.info("compare.finished", looked=looked, differences=len(noted), healed=len(healed))
    return Run(running.id, running.at, looked, tuple(now_stand), len(healed))


def put_right(runtime: Runtime, difference: Difference) -> bool:
    """What Stripe says is written as a webhook would have; True when that ended the difference."""
    listing = listings.of_object(difference.kind, difference.object_id)
    if listing is None or listing.heal is None or difference.run_id is None:
        return False
    try:
        write = listing.heal(look_at(runtime), difference.object_id)
        # Looked at after that, so that what is written now is older than this look.
        looked_at, now = runtime.wall_clock(), runtime.clock()
        found = listing.one(runtime.gateway, difference.object_id)
        with runtime.transaction() as session:
            if write is not None:
                write(session)
            running = comparisons.get(session, run_id=difference.run_id)
            comparisons.stage(
                session,
                run_id=running.id,
                kind=listing.name,
                rows=listing.read(session, [found] if found is not None else []),
                looked_at=looked_at,
            )
            left = comparisons.findings(
                session, running, kind=listing.name, object_id=difference.object_id
            )
            object_id = difference.object_id
            comparisons.forget_one(session, run_id=running.id, object_id=object_id)
            if any(one.class_ == difference.class_ for one in left):
                return False
            differences.move(session, difference_id=difference.id, to="healed", now=now)
    except errors.AppError as refusal:
        log.warning("compare.not_healed", object_id=difference.object_id, code=refusal.code)
        return False
    log.info("compare.healed", kind=difference.kind, object_id=difference.object_id)
    return True


def _read(runtime: Runtime, running: comparisons.Running) -> None:
    """All that Stripe lists is staged, from where the run is."""
    names = [listing.name for listing in LISTINGS]
    start = names.index(running.kind) if running.kind in names else 0
    after, pages = running.after, 0
    for listing in LISTINGS[start:]:
        while True:
            if pages == MOST_PAGES:
                raise errors.Conflict(
                    "reconcile.goes_on",
                    "There is more to compare than one run reads. Run it again: it goes on.",
                )
            after, pages = _read_page(runtime, running, listing, after), pages + 1
            if after is None:
                break


def _read_page(
    runtime: Runtime, running: comparisons.Running, listing: Listing, after: str | None
) -> str | None:
    looked_at = runtime.wall_clock()
    page = listing.page(runtime.gateway, running.window, after)
    with runtime.transaction() as session:
        rows = listing.read(session, page.rows)
        comparisons.stage(
            session, run_id=running.id, kind=listing.name, rows=rows, looked_at=looked_at
        )
        comparisons.advance(session, run_id=running.id, kind=listing.name, after=page.after)
    return page.after


def _findings(runtime: Runtime, running: comparisons.Running) -> tuple[list[Finding], bool]:
    """What differs, and whether that is all of it."""
    found: list[Finding] = []
    complete = True
    for listing in LISTINGS:
        with runtime.read_only() as session:
            some = comparisons.findings(session, running, kind=listing.name)
        if len(some) == comparisons.MOST_FINDINGS:
            complete = False
            log.error("alert.differences_many", kind=listing.name, more_than=len(some))
        found += (one for one in some if not _is_there_after_all(runtime, listing, one))
    return found, complete


def _is_there_after_all(runtime: Runtime, listing: Listing, finding: Finding) -> bool:
    """Whether what the list did not show exists: it was made while the list was read."""
    if finding.class_ != "missing_there":
        return False
    return listing.one(runtime.gateway, finding.object_id) is not None


def _note(
    runtime: Runtime, running: comparisons.Running, found: Iterable[Finding]
) -> list[Difference]:
    now = runtime.clock()
    with runtime.transaction() as session:
        noted = [differences.note(session, one, run_id=running.id, now=now) for one in found]
    return [one for one in noted if one is not None]


def _alert(runtime: Runtime, difference: Difference) -> None:
    """A person is told, once for each difference."""
    if difference.state == "alerted":
        return
    now = runtime.clock()
    with runtime.transaction() as session:
        if not differences.move(session, difference_id=difference.id, to="alerted", now=now):
            return
        mails.needs_a_hand(session, what=_WORDS, about=difference.object_id, now=now)
    log.error(
        "alert.difference",
        kind=difference.kind,
        difference=difference.class_,
        object_id=difference.object_id,
        user_id=difference.user_id,
    )
