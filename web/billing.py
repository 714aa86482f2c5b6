"""The one form of money: an item and a request id in, a redirect to the hosted page out."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect
from werkzeug.wrappers import Response

from services.payment_service import payment_service
from web import guards

bp = Blueprint("billing", __name__)


@bp.post("/billing/checkout")
@guards.anyone
def checkout() -> Response:
    """303 to the hosted page; a person who is signed out is led through sign-up with the choice."""
    guards.only("item", "request_id")
    item = guards.field("item", most=40)
    request_id = guards.field("request_id", most=64)
    user = guards.current_user()
    if user is None:
        query = urlencode({"item": item})
        return redirect(f"{current_app.config['APP_URL']}/sign-up?{query}", 303)
    return start(user.id, item=item, request_id=request_id)


def start(user_id: str, *, item: str, request_id: str) -> Response:
    """303 to the hosted page of that intent."""
    url = payment_service.start_checkout(user_id=user_id, item=item, request_id=request_id)
    return redirect(url, 303)
