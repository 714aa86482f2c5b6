"""The three forms of an account: sign up, sign in, sign out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from services.auth_service import SignedIn
from talkingphoto.accounts import sessions
from talkingphoto.foundation import errors
from web import billing, guards, metrics
from web.errors import wants_page

bp = Blueprint("auth", __name__)

EMAIL_COOKIE = "__Host-tp_email"
EMAIL_COOKIE_SECONDS = 300
# One character more than any address or password may have, so that the rule itself can speak.
_LONGEST_EMAIL = 1000
_LONGEST_PASSWORD = 4000
_ITEM = re.compile(r"[a-z]+:[a-z0-9]+")
# A path of our own pages: never a scheme, a host, a second slash or anything encoded.
_NEXT = re.compile(r"/[a-z-]*(?:\?[A-Za-z0-9_=&-]{0,200})?")


@dataclass(frozen=True)
class Form:
    """What both forms send; `item` and `next` lead on to where the person was going."""

    email: str
    password: str
    item: str
    next: str
    request_id: str
    wanted: billing.Wanted


@bp.post("/auth/register")
@guards.anyone
def register() -> Response:
    """303: signed in with a new account and led on, or back to the form with what was wrong."""
    form = _read()
    terms = guards.field("terms", most=10, default="")
    try:
        signed_in = guards.wiring().auth.register(
            email=form.email,
            password=form.password,
            terms_accepted=terms == "yes",
            ip=guards.client_ip(),
            user_agent=request.headers.get("User-Agent", ""),
            replaces=guards.session_token(),
        )
    except (errors.InvalidRequest, errors.Conflict, errors.RateLimited) as refusal:
        return _back_to("/sign-up", refusal, form)
    return _lead_on(signed_in, form, otherwise="/account")


@bp.post("/auth/login")
@guards.anyone
def login() -> Response:
    """303: signed in under a new token and led on, or back to the form with what was wrong."""
    form = _read()
    try:
        signed_in = guards.wiring().auth.sign_in(
            email=form.email,
            password=form.password,
            ip=guards.client_ip(),
            user_agent=request.headers.get("User-Agent", ""),
            replaces=guards.session_token(),
        )
    except (errors.NotPermitted, errors.RateLimited) as refusal:
        return _back_to("/sign-in", refusal, form)
    return _lead_on(signed_in, form, otherwise="/")


@bp.post("/auth/logout")
@guards.anyone
def logout() -> Response:
    """303 home; the token signs nobody in any more, in this tab or another."""
    guards.wiring().auth.sign_out(guards.session_token(), ip=guards.client_ip())
    response = _to("/")
    _forget(response, guards.SESSION_COOKIE)
    return response


def _read() -> Form:
    item = guards.field("item", most=40, default="")
    path = guards.field("next", most=300, default="")
    return Form(
        email=guards.field("email", most=_LONGEST_EMAIL),
        password=guards.field("password", most=_LONGEST_PASSWORD, secret=True),
        item=item if _ITEM.fullmatch(item) else "",
        next=path if _NEXT.fullmatch(path) else "",
        request_id=guards.field("request_id", most=64, default=""),
        wanted=billing.read_wanted(),
    )


def _back_to(page: str, refusal: errors.AppError, form: Form) -> Response:
    metrics.sign_ins.labels(result=refusal.code).inc()
    if isinstance(refusal, errors.RateLimited) and not wants_page():
        raise refusal  # a program is told by the status how long to wait
    carried = {"error": refusal.code, "item": form.item, "next": form.next}
    carried |= form.wanted.as_query()
    response = _to(page, **carried)
    if isinstance(refusal, errors.RateLimited):
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    if form.email.isascii():
        _remember(response, EMAIL_COOKIE, form.email[:254], seconds=EMAIL_COOKIE_SECONDS)
    return response


def _lead_on(signed_in: SignedIn, form: Form, *, otherwise: str) -> Response:
    metrics.sign_ins.labels(result="ok").inc()
    response = _checkout(signed_in, form) if form.item else _to(form.next or otherwise)
    seconds = int(sessions.ABSOLUTE.total_seconds())
    _remember(response, guards.SESSION_COOKIE, signed_in.token, seconds=seconds)
    _forget(response, EMAIL_COOKIE)
    return response


def _checkout(signed_in: SignedIn, form: Form) -> Response:
    """To the hosted page of what was chosen; the account is open even when that fails."""
    request_id = form.request_id or guards.wiring().runtime.new_id()
    try:
        return billing.start(
            signed_in.user.id, item=form.item, request_id=request_id, wanted=form.wanted
        )
    except errors.AppError as refusal:
        return _to("/", error=refusal.code)


def _to(path: str, **query: str) -> Response:
    given = {name: value for name, value in query.items() if value}
    mark = "?" if given else ""
    return redirect(f"{current_app.config['APP_URL']}{path}{mark}{urlencode(given)}", 303)


def _remember(response: Response, name: str, value: str, *, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax"
    )


def _forget(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
