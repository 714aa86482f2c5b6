"""Events that never reached us are asked for: what was told while nobody listened."""

from __future__ import annotations

import structlog

from talkingphoto.billing import event_pulls
from talkingphoto.events import inbox
from talkingphoto.events.table import HANDLERS
from talkingphoto.foundation import errors
from talkingphoto.integrations.stripe_listing import MOST_TYPES, Page
from talkingphoto.runtime import Runtime
from talkingphoto.workflows import receiving

log = structlog.get_logger()
MOST_PAGES = 100


def pull_missed(runtime: Runtime) -> int:
    """Events of ours that Stripe could not deliver are stored as if they had come; how many those
    are. A look that was broken off, or found too much for one turn, goes on next time."""
    types = sorted(HANDLERS)
    groups = [types[start : start + MOST_TYPES] for start in range(0, len(types), MOST_TYPES)]
    found = sum(
        _pull_group(runtime, name=f"events:{number}", types=tuple(group))
        for number, group in enumerate(groups)
    )
    if found:
        log.warning("events.pulled", events=found)
    return found


def _pull_group(runtime: Runtime, *, name: str, types: tuple[str, ...]) -> int:
    now = runtime.clock()
    with runtime.transaction() as session:
        pull = event_pulls.begin(session, name=name, now=now)
    after, found = pull.after, 0
    for _ in range(MOST_PAGES):
        page = _page(runtime, pull, types=types, after=after)
        found += _store(runtime, pull, page)
        after = page.after
        if after is None:
            with runtime.transaction() as session:
                event_pulls.finish(session, pull)
            return found
    log.warning("events.pull_goes_on", group=name, pages=MOST_PAGES)
    return found


def _page(
    runtime: Runtime, pull: event_pulls.Pull, *, types: tuple[str, ...], after: str | None
) -> Page[bytes]:
    gateway = runtime.gateway
    try:
        return gateway.undelivered_events(types=types, since=pull.since, after=after)
    except (errors.NotFound, errors.InvalidRequest):
        if after is None:
            raise
        # Stripe has forgotten the event that marked the place: the look begins anew.
        return gateway.undelivered_events(types=types, since=pull.since, after=None)


def _store(runtime: Runtime, pull: event_pulls.Pull, page: Page[bytes]) -> int:
    """The page is stored, the oldest event first, together with the place in the list."""
    new = 0
    with runtime.transaction() as session:
        for raw in reversed(page.rows):
            event = _read(raw, livemode=runtime.settings.livemode)
            if event is not None:
                now = runtime.wall_clock()
                new += receiving.store(session, event=event, raw=raw, now=now) == "new"
        event_pulls.advance(session, name=pull.name, after=page.after)
    return new


def _read(raw: bytes, *, livemode: bool) -> inbox.StripeEvent | None:
    try:
        event = inbox.parse(raw)
    except errors.InvalidRequest as refusal:
        log.warning("events.pulled_unreadable", reason=refusal.code)
        return None
    return event if event.livemode == livemode else None
