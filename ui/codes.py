"""Promo codes: typed once, kept in the address, and answered for every price in view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from services import subscription_service
from talkingphoto.foundation import errors
from ui import acting, fields, kit, wording

LONGEST = 40
CodeOffer = subscription_service.CodeOffer
# Of several reasons the one that helps most is said.
_REASONS = (
    "code.expired",
    "code.used_up",
    "code.first_time_only",
    "code.not_for_this",
    "code.unknown",
)


@dataclass(frozen=True)
class Codes:
    """The code that was typed, and the prices it changes by their item."""

    code: str = ""
    offers: Mapping[str, subscription_service.CodeOffer] = field(default_factory=dict)


NONE = Codes()


def ask(user_id: str | None, items: tuple[str, ...]) -> Codes:
    """The field is on the page, with what the code in it does or why it does nothing."""
    with st.container(key="tp-code"):
        code = fields.from_address("Promo code", key="code", most=LONGEST, hint="If you have one")
        if not code:
            return NONE
        offers, refused = _look(user_id, items, code)
        if not offers:
            kit.show(_refusal(refused))
            return Codes(code)
        accepted = len(offers) == len(items)
        rest = "" if accepted else " It is not for every plan."
        kit.show(
            f'<p class="tp-code tp-code--good" role="status">{kit.icon("check_circle")}'
            f"<span>{kit.esc(code)} is accepted.{rest}</span></p>"
        )
        return Codes(code, offers)


def on_plan(user_id: str, item: str) -> None:
    """A code can be used on the plan that is had already, with the price before and after."""
    with st.container(key="tp-code"):
        code = fields.from_address("Promo code", key="code", most=LONGEST, hint="If you have one")
        if not code:
            return
        offers, refused = _look(user_id, (item,), code)
        if not offers:
            kit.show(_refusal(refused))
            return
        offer = offers[item]
        kit.show(
            f'<p class="tp-code tp-code--good" role="status">{kit.icon("check_circle")}<span>'
            f"<s>{wording.amount(offer.before)}</s> <b>{wording.amount(offer.after)}</b>. "
            f"{kit.esc(offer.words)}</span></p>"
        )
        place = st.container()
        if st.button("Use this code", key="tp-use-code"):
            with acting.refused_in(place), st.spinner("One moment"):
                subscription_service.subscription_service.apply_code(user_id=user_id, code=code)
                acting.say(f"{code} is on your plan.", offer.words)
                st.query_params.pop("code", None)
                st.rerun()


def _look(
    user_id: str | None, items: tuple[str, ...], code: str
) -> tuple[dict[str, subscription_service.CodeOffer], errors.AppError | None]:
    """The prices that change, or the reason that tells most."""
    offers: dict[str, subscription_service.CodeOffer] = {}
    refusals: dict[str, errors.AppError] = {}
    for item in items:
        try:
            offers[item] = subscription_service.subscription_service.check_code(
                user_id=user_id, item=item, code=code
            )
        except errors.Unavailable as refusal:
            return {}, refusal
        except errors.AppError as refusal:
            refusals[refusal.code] = refusal
    known = [refusals[reason] for reason in _REASONS if reason in refusals]
    return offers, next(iter(known or refusals.values()), None)


def _refusal(refused: errors.AppError | None) -> str:
    words = acting.words_of(refused) if refused else "This code does nothing here."
    return (
        f'<p class="tp-code tp-code--bad" role="alert">{kit.icon("error")}'
        f"<span>{kit.esc(words)}</span></p>"
    )
