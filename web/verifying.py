"""The link that proves an address: opening it shows a button, and only the button does something.

Programs that read mail open every link in it; what a link did by itself they would do."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from talkingphoto.foundation import errors
from web import guards
from web.errors import page_style

bp = Blueprint("verifying", __name__)
_LONGEST_TOKEN = 100


@bp.get("/auth/verify")
@guards.anyone
def ask() -> Response:
    """The page with the button; whether the link is any good is not said, and nothing changes."""
    return _page(request.args.get("token", "")[:_LONGEST_TOKEN])


@bp.post("/auth/verify")
@guards.anyone
def verify() -> Response:
    """303 to the account with the address proved; 400 and why not for a link that is over."""
    guards.only("token")
    token = guards.field("token", most=_LONGEST_TOKEN)
    try:
        free = guards.wiring().auth.verify(token=token, ip=guards.client_ip())
    except errors.InvalidRequest as refusal:
        return _page("", wrong=refusal.message, status=400)
    return _to_account(confirmed=free.state)


@bp.post("/auth/verify/resend")
@guards.anyone
def resend() -> Response:
    """303 to the account, whether or not another link was sent."""
    user = guards.current_user()
    if user is not None:
        guards.wiring().auth.resend_link(user.id)
    return _to_account(sent="link")


def _to_account(**query: str) -> Response:
    return redirect(f"{current_app.config['APP_URL']}/account?{urlencode(query)}", 303)


def _page(token: str, *, wrong: str = "", status: int = 200) -> Response:
    page = render_template(
        "verify.html",
        token=token,
        wrong=wrong,
        app_url=current_app.config["APP_URL"],
        style=Markup(page_style()),  # noqa: S704 - our own file
    )
    response = Response(page, status, mimetype="text/html")
    # The address of this page holds the token. With "no-referrer" browsers would send no origin
    # with the form either, and a form without one is refused.
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
