"""The customer's credits: what there is, how long it lasts, and what staff may add."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import staff, users
from talkingphoto.billing import customers, forecast, gifts, ledger
from talkingphoto.billing import wallet as wallets
from talkingphoto.foundation import errors, ids
from talkingphoto.generations import records

log = structlog.get_logger()
STATEMENT_ROWS = 50
WalletLot = wallets.WalletLot
Forecast = forecast.Forecast
Gift = gifts.Gift


@dataclass(frozen=True)
class Wallet:
    """What the customer can spend, lot by lot in the order of its use, and how long it lasts."""

    available: int
    held: int
    frozen: int
    owed: int
    lots: tuple[WalletLot, ...]
    forecast: Forecast
    warning: wallets.Warning
    warning_words: str


@dataclass(frozen=True)
class StatementLine:
    """One change of the credits; `video_id` leads to the video while there is one to see."""

    id: str
    at: datetime
    kind: ledger.Kind
    source: ledger.Source
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None
    video_id: str | None


@dataclass(frozen=True)
class StatementPage:
    """Changes of the credits, newest first; `next` asks for the older ones."""

    rows: tuple[StatementLine, ...]
    next: str | None


class WalletService:
    """The verbs of a customer's credits."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def wallet(self, user_id: str) -> Wallet:
        """What that customer has at this moment, and what they should know of it."""
        now = self.runtime.clock()
        with self.runtime.read_only() as session:
            held = wallets.purse(session, user_id=user_id, now=now)
        kind, words = wallets.warning(held, now=now)
        return Wallet(
            available=held.balance.available,
            held=held.balance.held,
            frozen=0,
            owed=0,
            lots=held.lots,
            forecast=_with_saving(wallets.outlook(held, now=now), held.bought),
            warning=kind,
            warning_words=words,
        )

    def statement(self, *, user_id: str, before: str | None = None) -> StatementPage:
        """A page of what changed the credits, older than `before`; InvalidRequest for no page."""
        with self.runtime.read_only() as session:
            rows = ledger.statement(
                session, user_id=user_id, limit=STATEMENT_ROWS + 1, before=before
            )
            shown = rows[:STATEMENT_ROWS]
            made = {row.reference for row in shown if row.kind in {"hold", "release"}}
            there = records.visible(session, user_id=user_id, generation_ids=made)
        return StatementPage(
            rows=tuple(_line(row, there) for row in shown),
            next=shown[-1].id if len(rows) > STATEMENT_ROWS else None,
        )

    def give(self, *, staff_id: str, user_id: str, gift: Gift) -> None:
        """The customer has the credits, once a request, and it is on record who gave them why.

        NotPermitted to anyone but staff, and to support for an account of their own."""
        if not (ids.is_uuid(gift.request_id) and ids.is_uuid(user_id)):
            raise errors.InvalidRequest("office.request_id", "Reload the page and try again.")
        now = self.runtime.clock()
        with self.runtime.transaction() as session:
            staff.require(session, user_id=staff_id, at_least="support")
            if not users.exists(session, user_id=user_id):
                raise errors.NotFound("auth.user_unknown", "There is no such customer.")
            customers.ensure(session, user_id=user_id, now=now)
            given = self._give(session, gift, staff_id=staff_id, user_id=user_id, now=now)
        if given:
            log.info("credits.given", user_id=user_id, staff_id=staff_id, credits=gift.credits)

    def _give(
        self, session: Session, gift: Gift, *, staff_id: str, user_id: str, now: datetime
    ) -> bool:
        by_admin = staff.role_of(session, user_id=staff_id) == "admin"
        if UUID(staff_id) == UUID(user_id) and not by_admin:
            raise errors.NotPermitted("office.own_account", "Ask a colleague: this is your own.")
        given = gifts.give(session, gift, user_id=user_id, by_admin=by_admin, now=now)
        if given:
            action = staff.Action(
                id=gift.request_id,
                staff_id=staff_id,
                action=f"credits.{gift.kind}",
                about=user_id,
                reason=gift.reason,
            )
            staff.record(session, action=action, now=now)
        return given


def _with_saving(seen: Forecast, bought: forecast.Bought | None) -> Forecast:
    saving = forecast.saving_words(bought) if bought else ""
    return replace(seen, words=f"{seen.words} {saving}") if saving else seen


def _line(row: ledger.StatementRow, there: frozenset[str]) -> StatementLine:
    return StatementLine(
        id=row.id,
        at=row.at,
        kind=row.kind,
        source=row.source,
        description=row.description,
        credits=row.credits,
        balance_after=row.balance_after,
        expires_at=row.expires_at,
        video_id=row.reference if row.reference in there else None,
    )


wallet_service = WalletService(runtimes.current())
