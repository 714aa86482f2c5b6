"""A difference is put right with one click, by staff, once, and on record."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.reconciliation_service import Difference
from talkingphoto.accounts.staff import Role
from talkingphoto.foundation import errors
from tests.support.clock import TestClock
from tests.support.sandbox import SandboxProcess
from tests.support.shop import Person, Shop


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox of these stories' own: a comparison reads all of it."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def clock() -> TestClock:
    """What was made today is old enough to be compared."""
    return TestClock(datetime.now(UTC) + timedelta(hours=1))


def somebody(shop: Shop, role: Role) -> Person:
    """A person with that role."""
    person = shop.a_person()
    shop.auth.appoint(email=person.email, role=role, reason="a test")
    return person


def a_missing_pack(shop: Shop, person: Person) -> Difference:
    """The person paid, nothing was told, and a comparison found it."""
    shop.pays(person, "pack:10")
    (found,) = shop.reconciliation.compare(heal=False).differences
    return found


def actions(shop: Shop) -> list[tuple[str, ...]]:
    """What staff did; what was refused is no part of it."""
    query = text(
        "SELECT staff_id, action, about, reason FROM staff_actions"
        " WHERE action IN ('difference.heal', 'difference.ignore') ORDER BY at"
    )
    with shop.runtime.read_only() as session:
        return [tuple(row) for row in session.execute(query)]


def test_one_click_heals_and_the_second_changes_nothing(shop: Shop) -> None:
    ada, admin = shop.a_person(), somebody(shop, "admin")
    found = a_missing_pack(shop, ada)
    for _ in range(2):
        after = shop.reconciliation.heal(
            staff_id=admin.id, difference_id=found.id, reason="the customer wrote"
        )
        assert after.state == "healed"
        assert shop.balance(ada) == 13
    entry = (admin.id, "difference.heal", found.id, "the customer wrote")
    assert actions(shop) == [entry, entry]
    assert shop.reconciliation.differences(staff_id=admin.id) == ()


def test_what_is_ignored_stays_ignored_as_long_as_it_is_the_same(shop: Shop) -> None:
    ada, admin = shop.a_person(), somebody(shop, "admin")
    found = a_missing_pack(shop, ada)
    after = shop.reconciliation.ignore(
        staff_id=admin.id, difference_id=found.id, reason="settled by hand"
    )
    assert after.state == "ignored"
    assert shop.reconciliation.compare().differences == ()
    assert shop.balance(ada) == 3


def test_support_reads_differences_and_only_an_admin_decides(shop: Shop) -> None:
    ada = shop.a_person()
    helper, admin = somebody(shop, "support"), somebody(shop, "admin")
    found = a_missing_pack(shop, ada)
    service = shop.reconciliation
    assert service.differences(staff_id=helper.id) == (found,)
    with pytest.raises(errors.NotPermitted):
        service.differences(staff_id=ada.id)
    for verb in (service.heal, service.ignore):
        for person in (ada, helper):
            with pytest.raises(errors.NotPermitted):
                verb(staff_id=person.id, difference_id=found.id, reason="please")
        with pytest.raises(errors.InvalidRequest):
            verb(staff_id=admin.id, difference_id=found.id, reason="")
        for unknown in (str(uuid.uuid4()), "nothing"):
            with pytest.raises(errors.NotFound):
                verb(staff_id=admin.id, difference_id=unknown, reason="please")
    assert actions(shop) == []
    assert shop.balance(ada) == 3
