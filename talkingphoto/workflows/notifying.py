"""Customers hear of their credits: what is to be told is noted, and a mail of it is owed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.accounts import mails
from talkingphoto.billing import notices, noticing
from talkingphoto.runtime import Runtime

MOST_BATCHES = 50
_BATCH = 200
_TEMPLATES: dict[notices.Kind, str] = {
    "low": "credits_low",
    "out": "credits_low",
    "runs_out": "credits_low",
    "expiring": "credits_expiring",
    "topup_stopped": "topup_stopped",
    "topup_capped": "topup_capped",
}


def run(runtime: Runtime) -> int:
    """Whoever should hear of their credits now has a mail on its way; how many mails."""
    now, batches = runtime.clock(), runtime.database.in_batches
    batches(lambda session: noticing.note(session, now=now), most=MOST_BATCHES)
    return batches(lambda session: _mail(session, now=now), most=MOST_BATCHES)


def _mail(session: Session, *, now: datetime) -> int:
    taken = notices.take_unmailed(session, limit=_BATCH)
    for told in taken:
        mails.owe(
            session,
            key=f"notice:{told.key}",
            user_id=told.user_id,
            template=_TEMPLATES[told.kind],
            facts=told.facts,
            now=now,
        )
    return len(taken)
