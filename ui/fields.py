"""Fields for plain text: the one place where what a person types becomes state of the page.

Passwords are typed into native forms, whose values never come here."""

from __future__ import annotations

import streamlit as st


def line(label: str, *, key: str, value: str = "", most: int, autocomplete: str = "off") -> str:
    """One line of text, as it was typed and without what surrounds it."""
    typed = st.text_input(label, value=value, key=key, max_chars=most, autocomplete=autocomplete)
    return (typed or "").strip()


def from_address(label: str, *, key: str, most: int, hint: str) -> str:
    """One line of text that lives in the address of the page, so that Back finds it again."""
    typed = st.text_input(
        label, key=key, max_chars=most, autocomplete="off", bind="query-params", placeholder=hint
    )
    return (typed or "").strip()
