"""The verdict on an operation, and the record of it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.auth_service import AuthService
from services.security_service import SecurityService
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime
from tests.support.clock import TestClock

VISA = "4242424242424242"


@pytest.fixture
def security(runtime: Runtime, clock: TestClock) -> SecurityService:
    runtime.wall_clock = clock
    return SecurityService(runtime)


def test_the_guides_fields_are_compliant(security: SecurityService, clock: TestClock) -> None:
    verdict = security.validate_pci_compliance(
        operation="payment_processing",
        data_fields=["amount", "currency", "customer_email"],
        user_id=1,
    )
    assert verdict == {
        "compliant": True,
        "operation": "payment_processing",
        "violations": [],
        "checked_at": clock(),
    }


def test_each_violation_names_field_requirement_and_remedy(security: SecurityService) -> None:
    verdict = security.validate_pci_compliance(
        operation="save_profile",
        data_fields={"pan": VISA, "cvc": "123", "pin": "1234", "t": f";{VISA}=2512101?", "exp": 1},
        user_id="somebody",
    )
    assert not verdict["compliant"]
    found = {each["field"]: each["requirement"] for each in verdict["violations"]}
    assert found == {
        "pan": "3.5.1",
        "cvc": "3.3.1.2",
        "pin": "3.3.1.3",
        "t": "3.3.1.1",
        "exp": "3.2.1",
    }
    assert all(each["reason"] and each["remedy"] for each in verdict["violations"])
    assert VISA not in repr(verdict)


@pytest.mark.parametrize(
    ("operation", "requirement"),
    [("store_order", "3.5.1"), ("display_receipt", "3.4.1"), ("send_email", "4.2.2")],
)
def test_what_is_done_with_a_number_decides_the_requirement(
    security: SecurityService, operation: str, requirement: str
) -> None:
    verdict = security.validate_pci_compliance(operation=operation, data_fields=["card_number"])
    assert [each["requirement"] for each in verdict["violations"]] == [requirement]


def test_a_check_is_on_record_with_names_only(security: SecurityService, clock: TestClock) -> None:
    security.validate_pci_compliance(operation="clean", data_fields=["amount"], user_id=1)
    clock.advance(seconds=1)
    security.validate_pci_compliance(
        operation="dirty", data_fields={"note": VISA, VISA: 1}, user_id="nobody at all"
    )
    dirty, clean = security.events()
    assert (clean.kind, clean.user_id, clean.operation) == ("card_data.none", "1", "clean")
    assert (dirty.kind, dirty.user_id, dirty.at) == ("card_data.found", "nobody at all", clock())
    assert dirty.fields == ("note", "(field)")


def test_the_number_itself_is_nowhere_in_the_database(
    security: SecurityService, runtime: Runtime
) -> None:
    security.validate_pci_compliance(operation="dirty", data_fields={"a": VISA, VISA: [VISA]})
    with runtime.read_only() as session:
        rows = session.execute(text("SELECT to_jsonb(c)::text FROM card_data_checks c")).scalars()
        assert not any(VISA in row for row in rows.all())


def test_the_record_cannot_be_changed(security: SecurityService, runtime: Runtime) -> None:
    security.validate_pci_compliance(operation="clean", data_fields=[])
    for statement in (
        "UPDATE card_data_checks SET user_id = 'other'",
        "DELETE FROM card_data_checks",
        "TRUNCATE card_data_checks",
    ):
        with pytest.raises(DBAPIError, match="append only"), runtime.transaction() as session:
            session.execute(text(statement))
    assert len(security.events()) == 1


def test_events_of_accounts_and_checks_are_one_list(
    security: SecurityService, runtime: Runtime, clock: TestClock
) -> None:
    security.validate_pci_compliance(operation="first", data_fields=[])
    clock.advance(seconds=1)
    with pytest.raises(errors.AppError):
        AuthService(runtime).sign_in(
            email="nobody@example.com", password="a wrong one", ip="127.0.0.1", user_agent="test"
        )
    clock.advance(seconds=1)
    security.validate_pci_compliance(operation="last", data_fields=[])
    kinds = [event.kind for event in security.events()]
    assert kinds == ["card_data.none", "sign_in.failed", "card_data.none"]
    assert [event.operation for event in security.events(limit=1)] == ["last"]


def test_a_list_has_a_bound(security: SecurityService) -> None:
    for limit in (0, 501, -1, True, 1.5):
        with pytest.raises(errors.InvalidRequest):
            security.events(limit)  # type: ignore[arg-type]


def test_what_cannot_be_noted_is_refused_without_repeating_it(security: SecurityService) -> None:
    operations: list[object] = ["", "  ", "a" * 101, "a\0b", "a\ud800", None, 7, VISA]
    users: list[object] = ["", "a\0b", "u" * 201, int(VISA)]
    cases = [
        *(("security.operation", operation, 1) for operation in operations),
        *(("security.user_id", "fine", user_id) for user_id in users),
    ]
    for code, operation, user_id in cases:
        with pytest.raises(errors.InvalidRequest) as refusal:
            security.validate_pci_compliance(
                operation=operation,  # type: ignore[arg-type]
                data_fields=[],
                user_id=user_id,
            )
        assert refusal.value.code == code
        assert VISA not in str(refusal.value)
    assert security.events() == ()
