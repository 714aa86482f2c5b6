"""Billing details: who the next invoice is made out to."""

from __future__ import annotations

import streamlit as st

from services import invoice_service
from ui import acting, countries, doors, fields, kit, session

PATH = "/billing-details"
_LONGEST = 120


def page(visit: session.Visit) -> None:
    """The details are on the page and can be changed; the next invoice shows them."""
    if visit.user is None:
        doors.ask_to_sign_in("Billing details", back_to=PATH)
        return
    user_id = visit.user.id
    kit.show(kit.heading("Billing details", "Shown on your next invoice, all of it optional."))
    acting.said()
    now = acting.or_none(lambda: invoice_service.invoice_service.details(user_id))
    if now is None:
        kit.show(acting.away("Your details cannot be shown just now."))
        return
    with st.container(key="tp-narrow"):
        place = st.container()
        with st.form("tp-details", border=False, enter_to_submit=False):
            typed = _form(now)
            sent = st.form_submit_button(
                "Save details", key="tp-save", type="primary", width="stretch"
            )
        if sent:
            with acting.refused_in(place), st.spinner("Saving"):
                invoice_service.invoice_service.save_details(user_id=user_id, details=typed)
                acting.say("Saved.", "Your next invoice shows it.")
                st.rerun()
        kit.show(
            '<p class="tp-muted tp-small" style="margin:8px 0 0">Your card and the invoices of '
            "your plan are also on the page of our payment partner.</p>",
            kit.post_button(
                "Open payment page",
                f"{visit.web_url}/billing/portal",
                {"flow": "home"},
                name="Open the page of our payment partner",
            ),
        )


def _form(now: invoice_service.BillingDetails) -> invoice_service.BillingDetails:
    """The fields, with what they say."""

    def line(label: str, name: str, autocomplete: str = "off") -> str:
        return fields.line(
            label,
            key=f"tp-details-{name}",
            value=getattr(now, name),
            most=_LONGEST,
            autocomplete=autocomplete,
        )

    name = line("Name", "name", "name")
    company = line("Company", "company", "organization")
    line1 = line("Address", "line1", "address-line1")
    line2 = line("Address, second line", "line2", "address-line2")
    with st.container(key="tp-pair-town", horizontal=True):
        postal_code = line("Postal code", "postal_code", "postal-code")
        city = line("City", "city", "address-level2")
    with st.container(key="tp-pair-land", horizontal=True):
        state = line("State or region", "state", "address-level1")
        country = _country(now.country)
    tax_id = line("VAT or tax number", "tax_id")
    po_number = line("Purchase order number", "po_number")
    return invoice_service.BillingDetails(
        name=name,
        company=company,
        line1=line1,
        line2=line2,
        city=city,
        postal_code=postal_code,
        state=state,
        country=country,
        tax_id=tax_id,
        po_number=po_number,
    )


def _country(now: str) -> str:
    codes = countries.codes()
    chosen = st.selectbox(
        "Country",
        codes,
        index=codes.index(now) if now in codes else 0,
        format_func=countries.name,
        key="tp-details-country",
    )
    return str(chosen)
