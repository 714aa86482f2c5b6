"""The free videos: given once to a user, whoever decides that they may have them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, ledger


def grant(session: Session, *, user_id: str, now: datetime) -> None:
    """The user has had their free videos; a second call changes nothing."""
    lot = ledger.NewLot(
        key=f"free:{user_id}",
        user_id=user_id,
        source="free",
        credits=catalog.FREE_CREDITS,
        description="Free videos",
    )
    ledger.grant(session, lot, now=now)
