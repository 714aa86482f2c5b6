"""Refusals as HTTP: one table from our errors to statuses, one page, never a trace."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import structlog
from flask import Flask, current_app, g, jsonify, render_template, request
from markupsafe import Markup
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from talkingphoto.foundation import errors

log = structlog.get_logger()

STATUSES: dict[type[errors.AppError], int] = {
    errors.InvalidRequest: 400,
    errors.PaymentDeclined: 402,
    errors.InsufficientCredits: 402,
    errors.ActionRequired: 402,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
_BY_STATUS = {
    400: ("request.invalid", "We could not read this request."),
    404: ("request.not_found", "There is nothing at this address."),
    405: ("request.method", "This address does not answer that kind of request."),
    413: ("request.too_large", "This is more than we accept at once."),
}
_TITLES = {
    404: "This page is not here",
    429: "Too many tries",
    500: "This did not work",
    503: "We cannot answer just now",
}
_RETRY_SECONDS = 10
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Answer:
    """What is said about a request that was not carried out."""

    status: int
    code: str
    message: str
    retry_after_seconds: int | None = None


def register(app: Flask) -> None:
    """Every fault in a request is answered by this module."""
    app.register_error_handler(errors.AppError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)
    for lost in (OperationalError, InterfaceError, NoConnectionFree):
        app.register_error_handler(lost, _of_database)
    app.register_error_handler(Exception, _unexpected)


def wants_page() -> bool:
    """Whether a person's browser asks; programs get JSON."""
    return "text/html" in request.accept_mimetypes.values()


@cache
def page_style() -> str:
    """The style sheet of our pages, which the security policy names by its hash."""
    return (_TEMPLATES / "page.css").read_text()


def _of_ours(fault: errors.AppError) -> Response:
    status = next(STATUSES[kind] for kind in type(fault).__mro__ if kind in STATUSES)
    wait = fault.retry_after_seconds if isinstance(fault, errors.RateLimited) else None
    if isinstance(fault, errors.Unavailable):
        wait = _RETRY_SECONDS
        log.warning("request.unavailable", code=fault.code, path=request.path)
    return _respond(Answer(status, fault.code, fault.message, wait))


def _of_http(fault: HTTPException) -> Response:
    if fault.code is None or fault.code < 400:
        return fault.get_response()
    code, message = _BY_STATUS.get(fault.code, ("request.refused", "This request was refused."))
    response = _respond(Answer(fault.code, code, message))
    response.headers.extend((name, value) for name, value in fault.get_headers() if name == "Allow")
    return response


def _of_database(fault: Exception) -> Response:
    log.error("request.database_lost", error=type(fault).__name__, path=request.path)
    message = "We cannot reach our database. Nothing was changed. Try again in a few minutes."
    return _respond(Answer(503, "database.unreachable", message, _RETRY_SECONDS))


def _unexpected(fault: Exception) -> Response:
    # Neither the message nor local variables: both may hold what somebody typed.
    frames = traceback.extract_tb(fault.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("request.failed", error=type(fault).__name__, where=where, path=request.path)
    message = "Something on our side did not work. Try again in a few minutes."
    return _respond(Answer(500, "internal", message))


def _respond(answer: Answer) -> Response:
    request_id = g.get("request_id", "")
    response: Response
    if wants_page():
        response = current_app.make_response((_page(answer, request_id), answer.status))
    else:
        body = {"code": answer.code, "message": answer.message, "request_id": request_id}
        response = current_app.make_response((jsonify(error=body), answer.status))
    if answer.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(answer.retry_after_seconds)
    return response


def _page(answer: Answer, request_id: str) -> str:
    seconds = answer.retry_after_seconds or 0
    minutes = math.ceil(seconds / 60)
    return render_template(
        "error.html",
        answer=answer,
        title=_TITLES.get(answer.status, "We cannot do this"),
        wait=f"{seconds} seconds" if seconds < 60 else f"{minutes} min",
        request_id=request_id,
        app_url=current_app.config["APP_URL"],
        style=Markup(page_style()),  # noqa: S704 - our own file
    )
