"""The way from our mail to what is owed: a page with one button, and the button leads to pay."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect, render_template
from markupsafe import Markup
from werkzeug.wrappers import Response

from talkingphoto.foundation import errors, wording
from web import guards
from web.errors import page_style

bp = Blueprint("paying", __name__)


@bp.get("/billing/pay")
@guards.anyone
def ask() -> Response:
    """What is owed and one button; 303 to sign in without a session, to the account for nothing."""
    user = guards.current_user()
    if user is None:
        return _to("/sign-in", next="/account")
    due = guards.wiring().retries.past_due(user.id)
    if due is None:
        return _to("/account")
    button = "Confirm with bank" if due.needs_bank else f"Pay {wording.amount(due.amount)}"
    page = render_template(
        "pay.html",
        words=due.words,
        button=button,
        app_url=current_app.config["APP_URL"],
        style=Markup(page_style()),  # noqa: S704 - our own file
    )
    return Response(page, mimetype="text/html")


@bp.post("/billing/pay")
@guards.anyone
def pay() -> Response:
    """303 to the hosted invoice, or to the account when nothing is owed."""
    user = guards.current_user()
    if user is None:
        return _to("/sign-in", next="/account")
    try:
        return redirect(guards.wiring().retries.come_in_from_mail(user_id=user.id), 303)
    except errors.NotFound:
        return _to("/account")


def _to(path: str, **query: str) -> Response:
    mark = "?" if query else ""
    return redirect(f"{current_app.config['APP_URL']}{path}{mark}{urlencode(query)}", 303)
