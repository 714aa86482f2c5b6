"""What speaks for us in a dispute, as one zip of plain files: the same facts, the same bytes."""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from talkingphoto.accounts.audit import SecurityEventRow
from talkingphoto.accounts.terms import TermsAcceptanceRow
from talkingphoto.billing import ledger, payments, refunds
from talkingphoto.billing.disputes import Dispute
from talkingphoto.generations import downloads
from talkingphoto.generations.tables import ConsentRow, GenerationRow
from talkingphoto.runtime import Runtime

MOST_ROWS = 5000
REFUND_POLICY = """Refunds

Within 14 days of paying the customer can give back every video that is not used, on the account
page, and gets exactly its share of the price back, tax included. Of a yearly plan the months that
have not begun are unused. A plan from which somebody withdraws ends at once.

Videos that were made are used. What we charged by mistake is refunded whenever it is found.
"""
# Excel and others run a cell that begins so as a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_EARLIEST = (1980, 1, 1, 0, 0, 0)
Rows = Iterable[Sequence[object]]


def pack(runtime: Runtime, dispute: Dispute, *, with_addresses: bool) -> bytes:
    """The zip about that dispute; addresses are cut short unless asked for whole."""
    reader = _Reader(runtime, dispute, with_addresses=with_addresses)
    with runtime.read_only() as session:
        files = {
            "01-payment.json": reader.payment(session),
            "02-receipts.csv": reader.receipts(session),
            "03-videos.csv": reader.videos(session),
            "04-downloads.csv": reader.downloads(session),
            "05-consents.csv": reader.consents(session),
            "06-log-ins.csv": reader.log_ins(session),
            "07-statement.csv": reader.statement(session),
            "08-refunds.csv": reader.refunds(session),
            "09-refund-policy.txt": REFUND_POLICY,
        }
    return zipped(files)


def zipped(files: dict[str, str]) -> bytes:
    """The files in one zip that has the same bytes every time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            member = zipfile.ZipInfo(name, date_time=_EARLIEST)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, text)
    return target.getvalue()


def table(header: Sequence[str], rows: Rows) -> str:
    """The rows as CSV in which no cell is a formula."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return target.getvalue()


def cell(value: object) -> str:
    """The value as text that a spreadsheet shows and does not run."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def masked(address: str) -> str:
    """The network of an address, without the part that names a household."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "hidden"
    length = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


class _Reader:
    """The files, each from what is on record about the customer."""

    def __init__(self, runtime: Runtime, dispute: Dispute, *, with_addresses: bool) -> None:
        self.cipher = runtime.cipher
        self.dispute = dispute
        self.user_id = dispute.user_id
        self.with_addresses = with_addresses

    def payment(self, session: Session) -> str:
        """The disputed payment and the dispute."""
        payment = payments.get(session, payment_id=self.dispute.payment_id)
        known = {
            "dispute": self.dispute.id,
            "dispute_reason": self.dispute.reason,
            "dispute_amount": str(self.dispute.amount.decimal()),
            "dispute_state": self.dispute.state,
            "disputed_at": cell(self.dispute.created_at),
            "payment": payment.id,
            "description": payment.description,
            "amount": str(payment.amount.decimal()),
            "currency": payment.amount.currency,
            "paid_at": cell(payment.paid_at),
            "receipt": payment.hosted_url,
            "customer": self.user_id,
        }
        return json.dumps(known, indent=2, sort_keys=True) + "\n"

    def receipts(self, session: Session) -> str:
        """Every payment of the customer."""
        return table(
            ("payment", "paid at", "what", "number", "amount", "currency", "status", "receipt"),
            (
                (
                    *(one.id, one.paid_at or one.created_at, one.description, one.number),
                    *(one.amount.decimal(), one.amount.currency, one.status, one.hosted_url),
                )
                for one in payments.recent(session, user_id=self.user_id)
            ),
        )

    def videos(self, session: Session) -> str:
        """Every video that was asked for, and what became of it."""
        query = select(GenerationRow).filter_by(user_id=UUID(self.user_id)).limit(MOST_ROWS)
        rows = session.scalars(query.order_by(GenerationRow.created_at, GenerationRow.id))
        return table(
            ("video", "asked at", "ended at", "state", "seconds", "tier", "words"),
            (
                (row.id, row.created_at, row.ended_at, row.state, row.seconds, row.tier, row.text)
                for row in rows
            ),
        )

    def downloads(self, session: Session) -> str:
        """Every video that the customer played or saved."""
        return table(
            ("video", "at", "how", "address"),
            (
                (one.generation_id, one.at, one.kind, self._address(one.ip_sealed, one.place))
                for one in downloads.of_user(session, user_id=self.user_id)
            ),
        )

    def consents(self, session: Session) -> str:
        """The terms that were accepted and what was declared with each photo."""
        terms = session.scalars(
            select(TermsAcceptanceRow)
            .filter_by(user_id=UUID(self.user_id))
            .order_by(TermsAcceptanceRow.accepted_at)
        )
        photos = session.scalars(
            select(ConsentRow)
            .filter_by(user_id=UUID(self.user_id))
            .order_by(ConsentRow.given_at, ConsentRow.generation_id)
            .limit(MOST_ROWS)
        )
        rows: list[Sequence[object]] = []
        for row in terms:
            place = f"terms_acceptances:ip_sealed:{row.user_id}:{row.version}"
            address = self._address(row.ip_sealed, place)
            rows.append((row.accepted_at, "terms", row.version, "", address))
        for one in photos:
            place = f"consents:ip_sealed:{one.generation_id}"
            address = self._address(one.ip_sealed, place)
            about = str(one.generation_id)
            rows.append((one.given_at, "photo of a video", one.text_version, about, address))
        return table(("at", "what", "version", "video", "address"), rows)

    def log_ins(self, session: Session) -> str:
        """When the customer signed up, in and out, and from where."""
        query = select(SecurityEventRow).filter_by(user_id=UUID(self.user_id)).limit(MOST_ROWS)
        rows = session.scalars(query.order_by(SecurityEventRow.at, SecurityEventRow.id))
        return table(
            ("at", "what", "address"),
            (
                (
                    *(row.at, row.kind),
                    self._address(row.ip_sealed, f"security_events:ip_sealed:{row.id}"),
                )
                for row in rows
            ),
        )

    def statement(self, session: Session) -> str:
        """What changed the customer's videos, newest first."""
        lines = ledger.statement(session, user_id=self.user_id, limit=ledger.LONGEST_PAGE)
        return table(
            ("at", "what", "words", "videos", "left", "owed", "about"),
            (
                (*(one.at, one.kind, one.description), *_numbers(one), one.reference)
                for one in lines
            ),
        )

    def refunds(self, session: Session) -> str:
        """What went back to the customer before."""
        return table(
            ("refund", "at", "payment", "amount", "currency", "state", "by"),
            (
                (
                    *(one.id, one.created_at, one.payment_id, one.amount.decimal()),
                    *(one.amount.currency, one.state, one.origin),
                )
                for one in refunds.of_customer(session, user_id=self.user_id)
            ),
        )

    def _address(self, sealed: bytes | None, place: str) -> str:
        if sealed is None:
            return ""
        try:
            address = self.cipher.decrypt(sealed, place=place)
        except ValueError:
            return "unreadable"  # sealed with a key that was replaced
        return address if self.with_addresses else masked(address)


def _numbers(line: ledger.StatementRow) -> tuple[int, int, int]:
    return line.credits, line.balance_after, line.owed_after
