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


# Another item may be answered otherwise; the rest is true of the code itself.
_OF_THE_ITEM = frozenset({"code.not_for_this", "code.first_time_only"})
_KEPT = "tp:codes"


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
                st.session_state.pop(_KEPT, None)
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
        answer = _answer(user_id, item, code)
        if isinstance(answer, errors.AppError):
            refusals[answer.code] = answer
            if answer.code not in _OF_THE_ITEM:
                break
        else:
            offers[item] = answer
    known = [refusals[reason] for reason in _REASONS if reason in refusals]
    return offers, next(iter(known or refusals.values()), None)


def _answer(
    user_id: str | None, item: str, code: str
) -> subscription_service.CodeOffer | errors.AppError:
    """What the service says, asked once for each code and item in this tab: it counts the tries."""
    kept: dict[tuple[str, str], subscription_service.CodeOffer | errors.AppError]
    kept = st.session_state.setdefault(_KEPT, {})
    if (code, item) in kept:
        return kept[code, item]
    try:
        kept[code, item] = subscription_service.subscription_service.check_code(
            user_id=user_id, item=item, code=code, ip=st.context.ip_address or "127.0.0.1"
        )
    except (errors.Unavailable, errors.RateLimited) as refusal:
        return refusal  # it may be otherwise in a moment
    except errors.AppError as refusal:
        kept[code, item] = refusal
    return kept[code, item]


def _refusal(refused: errors.AppError | None) -> str:
    words = acting.words_of(refused) if refused else "This code does nothing here."
    return (
        f'<p class="tp-code tp-code--bad" role="alert">{kit.icon("error")}'
        f"<span>{kit.esc(words)}</span></p>"
    )
