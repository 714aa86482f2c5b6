"""Who may call a route, where a form may come from, and what its fields may hold."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast
from urllib.parse import parse_qsl

from flask import current_app, g, request

from services.auth_service import AuthService, User
from services.generation_service import GenerationService
from services.invoice_service import InvoiceService
from services.payment_service import PaymentService
from services.reconciliation_service import ReconciliationService
from services.retry_service import RetryService
from services.webhook_service import ENDPOINT_PATH, WebhookService
from talkingphoto.foundation import errors
from talkingphoto.runtime import Runtime

SESSION_COOKIE = "__Host-tp_session"
FORM_TYPE = "application/x-www-form-urlencoded"
EXTENSION = "talkingphoto"
VIDEO_CALLBACK = "/webhook/video"
# Programs call these; what they send is proved by a signature.
_SIGNED_PATHS = frozenset({ENDPOINT_PATH, VIDEO_CALLBACK})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_MOST_FIELDS = 20

Audience = Literal["anyone", "operator"]
View = TypeVar("View", bound=Callable[..., Any])

_audiences: dict[Callable[..., Any], Audience] = {}


@dataclass(frozen=True)
class Wiring:
    """What the routes of one application work with."""

    runtime: Runtime
    auth: AuthService
    payments: PaymentService
    invoices: InvoiceService
    webhooks: WebhookService
    generations: GenerationService
    retries: RetryService
    reconciliation: ReconciliationService


def wiring() -> Wiring:
    """The wiring of the application that serves this request."""
    return cast(Wiring, current_app.extensions[EXTENSION])


def anyone(view: View) -> View:
    """Anybody may call the view."""
    _audiences[view] = "anyone"
    return view


def operator(view: View) -> View:
    """Only a program on this machine may call the view, and not through a proxy."""
    _audiences[view] = "operator"
    return view


def audience_of(view: Callable[..., Any]) -> Audience | None:
    """Who may call the view; None when nobody declared it, and then nobody may."""
    return _audiences.get(view)


def check_audience() -> None:
    """The route says who may call it, and the caller is one of them; NotFound otherwise."""
    if request.endpoint is None:
        return  # no route: the answer is 404 or 405 by itself
    audience = audience_of(current_app.view_functions[request.endpoint])
    if audience == "anyone" or (audience == "operator" and _is_local()):
        return
    raise errors.NotFound("request.not_found", "There is nothing at this address.")


def check_origin() -> None:
    """What changes something was sent by one of our own pages, or is signed; else NotPermitted."""
    if request.method in _SAFE_METHODS or request.path in _SIGNED_PATHS:
        return
    allowed = wiring().runtime.settings.allowed_origins
    if request.headers.getlist("Origin") not in [[origin] for origin in allowed]:
        raise errors.NotPermitted(
            "request.origin", "This form was not sent from our own page. Open it again."
        )


def session_token() -> str | None:
    """The token in this browser's cookie, live or not."""
    return request.cookies.get(SESSION_COOKIE)


def current_user() -> User | None:
    """Who is signed in, asked of the database."""
    return wiring().auth.current_user(session_token())


def client_ip() -> str:
    """The address this request came from, as the last trusted proxy saw it."""
    return request.remote_addr or "unknown"


def field(name: str, *, most: int, default: str | None = None, secret: bool = False) -> str:
    """The one plain text sent under that name; InvalidRequest when it is none, or `default`.

    A `secret` may hold any character a person can type and a form can carry, except NUL.
    """
    return _one(name, most=most, default=default, allowed=None if secret else "")


def lines(name: str, *, most: int) -> str:
    """The one text sent under that name, which may have several lines; InvalidRequest if none."""
    return _one(name, most=most, default=None, allowed="\r\n\t").replace("\r\n", "\n")


def only(*names: str) -> None:
    """Returns when no other field was sent; InvalidRequest otherwise."""
    if {sent for sent, _ in _form()} - set(names):
        raise errors.InvalidRequest("form.unexpected", "The form holds a field we did not ask for.")


def _form() -> list[tuple[str, str]]:
    """The fields of the body in their order, read strictly: nothing is guessed or replaced."""
    if "form" not in g:
        g.form = _read_form()
    return cast(list[tuple[str, str]], g.form)


def _read_form() -> list[tuple[str, str]]:
    if request.mimetype != FORM_TYPE:
        raise errors.InvalidRequest("form.type", f"Send the form as {FORM_TYPE}.")
    try:
        body = request.get_data(cache=False).decode()
        return parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as fault:  # not UTF-8, or too many fields
        raise errors.InvalidRequest("form.unreadable", "The form cannot be read.") from fault


def _one(name: str, *, most: int, default: str | None, allowed: str | None) -> str:
    """The one value of that name, with no control characters but those `allowed`; None: but NUL."""
    values = [value for sent, value in _form() if sent == name]
    if not values and default is not None:
        return default
    if len(values) != 1 or len(values[0]) > most or not _is_plain(values[0], allowed):
        raise errors.InvalidRequest("form.invalid", f"The field “{name}” cannot be used as sent.")
    return values[0]


def _is_plain(value: str, allowed: str | None) -> bool:
    if allowed is None:
        return "\0" not in value
    return not any(
        unicodedata.category(letter) == "Cc" and letter not in allowed for letter in value
    )


def _is_local() -> bool:
    if any(name in request.headers for name in _FORWARDING):
        return False
    try:
        return ipaddress.ip_address(client_ip()).is_loopback
    except ValueError:
        return False
