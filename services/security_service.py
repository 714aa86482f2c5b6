"""Whether an operation keeps card data out, and what happened that touches security."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.accounts import audit, card_checks, card_data, pci_dss
from talkingphoto.foundation import errors

LONGEST_OPERATION = 100
LONGEST_USER_ID = 200
LONGEST_LIST = 500


class Violation(TypedDict):
    """One field that may not be there, and the PCI DSS 4.0.1 requirement that says so."""

    field: str
    requirement: str
    reason: str
    remedy: str


class ComplianceCheck(TypedDict):
    """The verdict on one operation."""

    compliant: bool
    operation: str
    violations: list[Violation]
    checked_at: datetime


@dataclass(frozen=True)
class SecurityEvent:
    """One thing that happened: to an account, or a check for card data with the fields found."""

    id: str
    at: datetime
    kind: str
    user_id: str | None
    operation: str | None = None
    fields: tuple[str, ...] = ()


class SecurityService:
    """Looks for card data and keeps the record of security."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def validate_pci_compliance(
        self, *, operation: str, data_fields: object, user_id: object = None
    ) -> ComplianceCheck:
        """The fields that hold card data are named, by name or content, and the check is on record.

        Values are never repeated. `data_fields` is a list of names, a mapping with values, or any
        nesting of them; `user_id` is noted as it is given.
        """
        named = _text(operation, name="operation", longest=LONGEST_OPERATION)
        asked_by = None
        if user_id is not None:
            asked_by = _text(str(user_id), name="user_id", longest=LONGEST_USER_ID)
        violations = [
            _violation(finding, operation=named) for finding in card_data.find(data_fields)
        ]
        check = card_checks.CardDataCheck(
            id=self.runtime.new_id(),
            # The product's clock may run ahead in a sandbox; the record of security may not.
            at=self.runtime.wall_clock(),
            user_id=asked_by,
            operation=named,
            fields=tuple(dict.fromkeys(violation["field"] for violation in violations)),
        )
        with self.runtime.transaction() as session:
            card_checks.record(session, check)
        return {
            "compliant": not violations,
            "operation": named,
            "violations": violations,
            "checked_at": check.at,
        }

    def events(self, limit: int = 50) -> tuple[SecurityEvent, ...]:
        """The latest security events of accounts and of card data checks, newest first."""
        if type(limit) is not int or not 1 <= limit <= LONGEST_LIST:
            raise errors.InvalidRequest(
                "security.limit", f"Ask for between 1 and {LONGEST_LIST} events."
            )
        with self.runtime.read_only() as session:
            found = [
                *_of_accounts(session, limit=limit),
                *(_of_check(check) for check in card_checks.recent(session, limit=limit)),
            ]
        found.sort(key=lambda event: (event.at, event.id), reverse=True)
        return tuple(found[:limit])


def _text(value: object, *, name: str, longest: int) -> str:
    """The text as it may be stored: printable, not too long, without a card number in it."""
    good = isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= longest
    if not good or card_data.holds_card_data(str(value)):
        raise errors.InvalidRequest(
            f"security.{name}",
            f"{name} is a short text of at most {longest} characters, without card data.",
        )
    return str(value).strip()


def _violation(finding: card_data.Finding, *, operation: str) -> Violation:
    broken = pci_dss.broken_by(finding.kind, operation=operation)
    return {
        "field": finding.field,
        "requirement": broken.number,
        "reason": broken.reason,
        "remedy": broken.remedy,
    }


def _of_accounts(session: Session, *, limit: int) -> list[SecurityEvent]:
    row = audit.SecurityEventRow
    latest = select(row.id, row.at, row.kind, row.user_id).order_by(row.at.desc(), row.id)
    return [
        SecurityEvent(str(event_id), at, kind, str(user_id) if user_id else None)
        for event_id, at, kind, user_id in session.execute(latest.limit(limit))
    ]


def _of_check(check: card_checks.CardDataCheck) -> SecurityEvent:
    kind = "card_data.found" if check.fields else "card_data.none"
    return SecurityEvent(
        check.id, check.at, kind, check.user_id, operation=check.operation, fields=check.fields
    )


security_service = SecurityService(runtimes.current())
