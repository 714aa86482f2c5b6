"""A customer in the office: who it is, plan, credits and payments, and a gift."""

from __future__ import annotations

import streamlit as st

from services import office_service, payment_service, wallet_service
from talkingphoto.billing import gifts
from ui import kit, session, wording
from ui.admin import deciding, refunds, tables

_KINDS: dict[str, gifts.Kind] = {"Goodwill": "goodwill", "A gift": "gift"}


def section(visit: session.Visit, staff_id: str) -> None:
    """A field to ask in, and what was found."""
    asked = st.text_input(
        "Customer",
        key="tp-office-asked",
        placeholder="E-mail, our id, or an id of Stripe's (cus_, sub_, pi_, in_, cs_)",
    )
    if not asked:
        return
    found = office_service.office_service.find(staff_id=staff_id, asked=asked)
    if not found:
        kit.show(kit.empty("Nobody is known by that."))
    for entry in found:
        _one(visit, staff_id, entry)


def _one(visit: session.Visit, staff_id: str, entry: office_service.Entry) -> None:
    account = payment_service.payment_service.account(entry.id)
    with st.container(key=f"tp-customer-{entry.id}"):
        kit.show(
            f'<section class="tp-card"><h2 class="tp-h2">{kit.esc(entry.email)}</h2>'
            f"{kit.facts(_facts(visit, entry, account))}</section>",
            '<h2 class="tp-h2">Payments</h2>',
            _payments(visit, account),
            '<h2 class="tp-h2">Credits</h2>',
            _credits(visit, account),
        )
        refunds.of_customer(staff_id, entry, account)
        if entry.deleted_at is None:
            _gift(staff_id, entry)


def _facts(
    visit: session.Visit, entry: office_service.Entry, account: payment_service.AccountView
) -> list[tuple[str, str]]:
    plan, credits = account.plan, account.credits
    standing = "none"
    if plan is not None:
        ends = ", ends with its period" if plan.cancel_at_period_end else ""
        until = wording.day(plan.current_period_end, visit.zone)
        standing = f"{plan.name}, {plan.status.replace('_', ' ')}, until {until}{ends}"
    rows = [
        ("Id", entry.id),
        ("At Stripe", entry.stripe_customer_id or "not yet"),
        ("Since", wording.day(entry.created_at, visit.zone)),
        ("Address", "proved" if entry.is_verified else "not proved"),
        ("Plan", standing),
        ("Videos", f"{credits.available:,} left, {credits.held:,} held"),
    ]
    if entry.deleted_at is not None:
        rows.append(("Deleted", wording.day(entry.deleted_at, visit.zone)))
    return rows


def _payments(visit: session.Visit, account: payment_service.AccountView) -> str:
    return tables.table(
        ("Date", "What", "Total", "State", "Id"),
        [
            (
                wording.day(row.at, visit.zone),
                row.description,
                wording.amount(row.total),
                row.status.replace("_", " "),
                row.id,
            )
            for row in account.invoices
        ],
        none="Nothing was paid yet.",
        numbers=("Total",),
    )


def _credits(visit: session.Visit, account: payment_service.AccountView) -> str:
    return tables.table(
        ("Date", "What", "Videos", "Left"),
        [
            (
                wording.day(row.at, visit.zone),
                row.description,
                wording.change(row.credits),
                f"{row.balance_after:,}",
            )
            for row in account.statement
        ],
        none="No videos came or went yet.",
        numbers=("Videos", "Left"),
    )


def _gift(staff_id: str, entry: office_service.Entry) -> None:
    """Videos given by hand; the request's id makes two presses one gift."""
    intent = f"gift:{entry.id}"
    with st.expander("Give videos"):
        credits = st.number_input("Videos", 1, 1000, 1, key=f"{intent}:credits")
        kind = st.selectbox("As", list(_KINDS), key=f"{intent}:kind")

        def give(reason: str) -> None:
            gift = wallet_service.Gift(
                credits=int(credits),
                kind=_KINDS[kind or "Goodwill"],
                reason=reason,
                request_id=session.request_id(intent),
            )
            wallet_service.wallet_service.give(staff_id=staff_id, user_id=entry.id, gift=gift)
            session.retire(intent)

        deciding.decide(intent, {"Give": give})
