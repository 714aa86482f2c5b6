"""Z1 to Z3: the office is for staff; for all others there is nothing, in the page and behind it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from services.auth_service import auth_service
from services.office_service import office_service
from services.reconciliation_service import reconciliation_service
from services.refund_service import refund_service
from talkingphoto import runtime as runtimes
from talkingphoto.accounts import mails
from talkingphoto.accounts.staff import Role
from talkingphoto.billing import differences, ledger, payments
from talkingphoto.foundation import errors
from talkingphoto.foundation.money import Money
from talkingphoto.runtime import Runtime

SECTIONS = ("Customers", "Differences", "Disputes", "Events", "Mail", "Prices", "Recovery")
WAIT = 60


@pytest.fixture(scope="module")
def product() -> Runtime:
    """The product of this process, as the pages see it."""
    return runtimes.ready()


def somebody(role: Role = "customer") -> tuple[str, str]:
    """The id and address of a new person with that role."""
    email = f"{uuid.uuid4().hex}@example.com"
    # Few accounts an hour are made from one network.
    network = ".".join(str(part) for part in uuid.uuid4().bytes[:3])
    user = auth_service.register(
        email=email,
        password="a sentence that nobody else uses",
        terms_accepted=True,
        ip=f"{network}.1",
        user_agent="test",
    ).user
    if role != "customer":
        auth_service.appoint(email=email, role=role, reason="a test")
    return user.id, email


def script() -> None:
    """The office as one person sees it."""
    from datetime import UTC

    import streamlit as st

    from talkingphoto.accounts.users import User
    from ui.admin import office
    from ui.session import Visit

    user = st.session_state["who"]
    office.page(
        Visit(
            user=User(user, "", None) if user else None,  # type: ignore[arg-type]
            account=None,
            app_url="",
            web_url="",
            sandbox=True,
            zone=UTC,
            zone_name=None,
        )
    )


def opened(who: str | None, section: str = "Customers") -> AppTest:
    """The page as it is drawn for that person."""
    page = AppTest.from_function(script, default_timeout=WAIT)
    page.session_state["who"] = who
    page.session_state["section"] = section
    page.run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    """All that the page says in our own HTML."""
    return "".join(element.proto.body for element in page.get("html"))


def a_difference(product: Runtime) -> differences.Difference:
    """Something that only a person can decide."""
    now = datetime.now(UTC)
    found = differences.Finding(
        kind="payment",
        class_="missing_there",
        object_id=f"cs_test_{uuid.uuid4().hex}",
        user_id=None,
        ours="990 usd paid",
        theirs="none",
        heals=False,
        object_at=now,
    )
    with product.transaction() as session:
        noted = differences.note(session, found, run_id=None, now=now)
    assert noted is not None
    return noted


@pytest.mark.parametrize("signed_in", [True, False])
def test_z3_a_customer_and_a_stranger_find_nothing_at_the_address_and_that_is_on_record(
    product: Runtime, signed_in: bool
) -> None:
    who = somebody()[0] if signed_in else None
    page = opened(who)
    assert "There is nothing at this address." in words(page)
    assert "Office" not in words(page)
    assert not page.radio
    assert not page.text_input
    query = text("SELECT user_id FROM security_events WHERE kind = 'office.refused'")
    with product.read_only() as session:
        refused = {str(one) if one else None for one in session.scalars(query)}
    assert who in refused


@pytest.mark.parametrize(
    "verb",
    [
        lambda who: office_service.find(staff_id=who, asked=who),
        lambda who: office_service.events(staff_id=who),
        lambda who: refund_service.disputes(who),
        lambda who: refund_service.evidence(staff_id=who, dispute_id="dp_1"),
        lambda who: reconciliation_service.differences(staff_id=who),
        lambda who: reconciliation_service.heal(staff_id=who, difference_id=who, reason="mine"),
        lambda who: reconciliation_service.ignore(staff_id=who, difference_id=who, reason="mine"),
        lambda who: reconciliation_service.replay(staff_id=who, event_id="evt_1", reason="mine"),
    ],
)
def test_z3_the_verbs_behind_the_page_refuse_a_customer_too(
    product: Runtime, verb: Callable[[str], Any]
) -> None:
    who, _ = somebody()
    with pytest.raises(errors.NotPermitted):
        verb(who)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_drawn_for_support(product: Runtime, section: str) -> None:
    who, _ = somebody("support")
    a_difference(product)
    page = opened(who, section)
    assert "You are here as support" in words(page)


@pytest.mark.parametrize(("role", "sees"), [("support", False), ("admin", True)])
def test_a_customer_is_found_by_address_or_id_and_support_sees_it_masked(
    product: Runtime, role: Role, sees: bool
) -> None:
    who, _ = somebody(role)
    customer, email = somebody()
    for asked in (email, f" {email.upper()} ", customer):
        page = opened(who)
        page.text_input(key="tp-office-asked").set_value(asked).run()
        assert not page.exception
        assert customer in words(page)
        assert (email in words(page)) is sees
    assert office_service.find(staff_id=who, asked="nobody@example.com") == ()


def test_an_admin_decides_about_a_difference_with_a_reason(product: Runtime) -> None:
    who, _ = somebody("admin")
    found = a_difference(product)
    page = opened(who, "Differences")
    key = f"difference:{found.id}"
    button = next(one for one in page.button if one.key == f"{key}:Ignore")
    button.click().run()
    assert "Give a reason" in words(page)
    page.text_input(key=f"{key}:reason").set_value("settled by hand")
    button = next(one for one in page.button if one.key == f"{key}:Ignore")
    button.click().run()
    assert "Ignore: done." in words(page)
    assert found.object_id not in words(page)
    query = text("SELECT action, reason FROM staff_actions WHERE about = :about ORDER BY at")
    with product.read_only() as session:
        actions = [tuple(row) for row in session.execute(query, {"about": found.id})]
    assert actions == [
        ("difference.ignore.refused", "office.reason"),
        ("difference.ignore", "settled by hand"),
    ]


def test_a_payment_is_shown_with_what_a_refund_would_give_back(product: Runtime) -> None:
    who, _ = somebody("admin")
    customer, email = somebody()
    now = datetime.now(UTC)
    payment = payments.Payment(
        id=f"cs_test_{uuid.uuid4().hex}",
        user_id=customer,
        kind="pack",
        item="pack:10",
        description="10 videos",
        amount=Money(990, "usd"),
        tax_minor=0,
        status="paid",
        created_at=now,
        payment_intent_id=f"pi_{uuid.uuid4().hex}",
        paid_at=now,
    )
    lot = ledger.NewLot(
        key=f"checkout:{payment.id}",
        user_id=customer,
        source="pack",
        credits=10,
        price=payment.amount,
        tax=Money(0, "usd"),
        reference=payment.id,
    )
    with product.transaction() as session:
        payments.record(session, payment, looked_at=now)
        ledger.grant(session, lot, now=now)
    page = opened(who)
    page.text_input(key="tp-office-asked").set_value(email).run()
    assert not page.exception
    assert "10 of 10 videos" in words(page)
    key = f"refund:{payment.id}"
    page.text_input(key=f"{key}:part").set_value("much").run()
    next(one for one in page.button if one.key == f"{key}:Refund").click().run()
    assert "An amount is a plain number." in words(page)


def test_the_page_shows_what_a_message_says_and_how_each_template_looks(product: Runtime) -> None:
    (who, _), (customer, email) = somebody("admin"), somebody()
    with product.transaction() as session:
        mails.owe(
            session,
            key=f"gift:{customer}",
            user_id=customer,
            template="gift",
            facts={"credits": "7"},
            now=product.clock(),
        )
    page = opened(who, "Mail")
    page.selectbox(key="tp-office-message").set_value(f"gift:{customer}").run()
    assert not page.exception
    said, preview = (block.value for block in page.code)
    assert "7 videos" in said
    assert "Thank you. Your payment of $49.99" in preview
    assert email in words(page)
