"""The forms of money: what is wanted comes in, a redirect to a hosted page goes out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from flask import Blueprint, current_app, redirect
from werkzeug.wrappers import Response

from talkingphoto.foundation import errors
from web import guards
from web.errors import wants_page

_AWAY = "We cannot reach our payment partner. Nothing was charged. Try again in a few minutes."
log = structlog.get_logger()
bp = Blueprint("billing", __name__)


@dataclass(frozen=True)
class Wanted:
    """What a checkout is to come with: a promotion code, a trial before the first charge."""

    code: str = ""
    trial: bool = False

    def as_query(self) -> dict[str, str]:
        """What the pages carry from one to the next; what is empty stays out."""
        given = {"code": self.code, "trial": "yes" if self.trial else ""}
        return {name: value for name, value in given.items() if value}


NOTHING_MORE = Wanted()


def read_wanted() -> Wanted:
    """What the form of this request wants besides the item."""
    return Wanted(
        code=guards.field("code", most=200, default=""),
        trial=guards.field("trial", most=3, default="") == "yes",
    )


@bp.post("/billing/checkout")
@guards.anyone
def checkout() -> Response:
    """303 to the hosted page; a person who is signed out is led through sign-up with the choice."""
    guards.only("item", "request_id", "code", "trial")
    item = guards.field("item", most=40)
    request_id = guards.field("request_id", most=64)
    wanted = read_wanted()
    user = guards.current_user()
    if user is None:
        query = urlencode({"item": item} | wanted.as_query())
        return redirect(f"{current_app.config['APP_URL']}/sign-up?{query}", 303)
    return start(user.id, item=item, request_id=request_id, wanted=wanted)


@bp.post("/billing/portal")
@guards.anyone
def portal() -> Response:
    """303 to the customer's pages at Stripe, or to the one for their card; signed out: sign in."""
    guards.only("flow")
    flow = guards.field("flow", most=20, default="home")
    user = guards.current_user()
    if user is None:
        query = urlencode({"next": "/account"})
        return redirect(f"{current_app.config['APP_URL']}/sign-in?{query}", 303)
    try:
        return redirect(guards.wiring().invoices.portal(user_id=user.id, flow=flow), 303)
    except errors.AppError as refusal:
        if refusal.code == "portal.flow":
            raise
        away = _ours_to_mend(refusal, user.id, alert="alert.portal_failed")
        return _back(away, user.id, path="/account")


def start(user_id: str, *, item: str, request_id: str, wanted: Wanted = NOTHING_MORE) -> Response:
    """303 to the hosted page of that intent, or back to the price list with what was wrong."""
    try:
        url = guards.wiring().payments.start_checkout(
            user_id=user_id,
            item=item,
            request_id=request_id,
            code=wanted.code,
            trial=wanted.trial,
        )
    except (errors.Conflict, errors.Unavailable) as refusal:
        return _back(refusal, user_id)
    except errors.AppError as refusal:
        if refusal.code.startswith(("code.", "trial.")):
            return _back(refusal, user_id)
        if not refusal.code.startswith("stripe."):
            raise
        return _back(_ours_to_mend(refusal, user_id, alert="alert.checkout_failed"), user_id)
    return redirect(url, 303)


def _ours_to_mend(refusal: errors.AppError, user_id: str, *, alert: str) -> errors.AppError:
    """What the customer is told: a refused key, or a customer deleted at Stripe, is our affair."""
    if not refusal.code.startswith("stripe."):
        return refusal
    log.error(alert, code=refusal.code, user_id=user_id)
    return errors.Unavailable("billing.unavailable", _AWAY)


def _back(refusal: errors.AppError, user_id: str, *, path: str = "/") -> Response:
    if not wants_page():
        raise refusal  # a program is told by the status
    log.info("billing.refused", code=refusal.code, user_id=user_id)
    query = urlencode({"error": refusal.code})
    return redirect(f"{current_app.config['APP_URL']}{path}?{query}", 303)
