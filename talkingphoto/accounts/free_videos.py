"""Who gets the free videos: one account for each person, and few for each network.

A person is known by the address without its decorations, a network by the block of addresses
that one customer of a provider is usually given."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column
from sqlalchemy.types import DateTime, Text, Uuid

from talkingphoto.accounts import users
from talkingphoto.foundation.database import Base

MOST_IN_A_DAY = 5
MOST_IN_A_MONTH = 20
DAY = timedelta(hours=24)
MONTH = timedelta(days=30)
State = Literal["granted", "same_person", "network"]
_GOOGLE = frozenset({"gmail.com", "googlemail.com"})


class FreeClaimRow(Base):
    """One user's claim to the free videos, and what became of it."""

    __tablename__ = "free_claims"
    __table_args__ = (
        Index(
            "uq_free_claims_person",
            "person",
            unique=True,
            postgresql_where=text("state = 'granted'"),
        ),
        Index(
            "ix_free_claims_network",
            "network",
            "claimed_at",
            postgresql_where=text("state = 'granted'"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), primary_key=True)
    # SHA-256 of the bare address: the account may go, the claim stays.
    person: Mapped[bytes]
    network: Mapped[str]
    state: Mapped[State] = mapped_column(Text)
    claimed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def bare_address(email: str) -> str:
    """The address without what reaches the same person all the same: case, +tags, Gmail's dots."""
    local_part, _, host = users.email_key(email).rpartition("@")
    local_part = local_part.partition("+")[0] or local_part
    if host in _GOOGLE:
        return f"{local_part.replace('.', '')}@gmail.com"
    return f"{local_part}@{host}"


def network_of(ip: str) -> str:
    """The /24 or /64 of an address; empty for this machine's own, which is nobody's network."""
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64]
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return ""
    size = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network(f"{address}/{size}", strict=False))


def claim(session: Session, *, user_id: str, email: str, ip: str, now: datetime) -> State:
    """Whether the user gets the free videos, decided once; the customer's lock is taken."""
    known = state_of(session, user_id=user_id)
    if known is not None:
        return known
    person = hashlib.sha256(bare_address(email).encode()).digest()
    network = network_of(ip)
    # One claim of a network after another, so that two at once are not both the last.
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"free:{network}"},
    )
    state: State = "network" if _is_full(session, network=network, now=now) else "granted"
    values = {"user_id": UUID(user_id), "person": person, "network": network, "claimed_at": now}
    made = session.execute(
        insert(FreeClaimRow)
        .values(**values, state=state)
        .on_conflict_do_nothing()
        .returning(FreeClaimRow.user_id)
    ).one_or_none()
    if made is None:
        state = "same_person"
        session.execute(insert(FreeClaimRow).values(**values, state=state))
    return state


def release(session: Session, *, user_id: str) -> bool:
    """Free videos that waited for their network are due now; False when none waited."""
    given = aliased(FreeClaimRow)
    twin = exists().where(given.person == FreeClaimRow.person, given.state == "granted")
    moved = session.execute(
        update(FreeClaimRow)
        .where(
            FreeClaimRow.user_id == UUID(user_id),
            FreeClaimRow.state == "network",
            ~twin,
        )
        .values(state="granted")
        .returning(FreeClaimRow.user_id)
    )
    return moved.first() is not None


def state_of(session: Session, *, user_id: str) -> State | None:
    """What became of the user's claim; None before there is one."""
    return session.scalars(
        select(FreeClaimRow.state).filter_by(user_id=UUID(user_id))
    ).one_or_none()


def _is_full(session: Session, *, network: str, now: datetime) -> bool:
    if not network:
        return False
    given = select(func.count()).where(
        FreeClaimRow.network == network, FreeClaimRow.state == "granted"
    )
    today = session.scalar(given.where(FreeClaimRow.claimed_at > now - DAY)) or 0
    lately = session.scalar(given.where(FreeClaimRow.claimed_at > now - MONTH)) or 0
    return today >= MOST_IN_A_DAY or lately >= MOST_IN_A_MONTH
