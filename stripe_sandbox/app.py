"""The Flask application: the API, the pages and the sandbox's own addresses over one Sandbox."""

import json
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from stripe_sandbox import request_log
from stripe_sandbox.api import dispatch
from stripe_sandbox.machine import bank_desk, failures, times, webhooks
from stripe_sandbox.pages import checkout, confirmation, credit_note, invoice, receipt
from stripe_sandbox.pages.dashboard import levers, views
from stripe_sandbox.pages.portal import serving as portal
from stripe_sandbox.sandbox import Sandbox

_LARGEST_REQUEST = 1024 * 1024
_CHANGING = frozenset({"DELETE", "POST"})
_PARTS = (
    request_log,
    dispatch,
    bank_desk,
    failures,
    times,
    webhooks,
    views,
    levers,
    checkout,
    confirmation,
    credit_note,
    invoice,
    portal,
    receipt,
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def create_app(sandbox: Sandbox) -> Flask:
    """The application answers for this sandbox."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST
    hosts = _LOOPBACK | {urlsplit(sandbox.settings.public_url).hostname or "localhost"}

    def guard() -> None:
        """Only names of this machine are answered, and no other site posts our forms."""
        host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        if host not in hosts:
            abort(403, "This sandbox answers on this machine's own names only.")
        origin = request.headers.get("Origin")
        if (
            request.method in _CHANGING
            and origin
            and origin != f"{request.scheme}://{request.host}"
        ):
            abort(403, "This form was sent from another site.")

    def refuse(error: HTTPException) -> Response:
        """What Flask itself refuses is said in the form the caller reads."""
        if request.path.startswith(("/v1/", "/_sandbox/")):
            fault = {"type": "invalid_request_error", "message": error.description}
            body = json.dumps({"error": fault})
            return Response(body, error.code or 500, content_type="application/json")
        return Response(
            f"{error.description}\n", error.code or 500, content_type="text/plain; charset=utf-8"
        )

    app.before_request(guard)
    app.register_error_handler(HTTPException, refuse)
    for part in _PARTS:
        part.install(app, sandbox)
    return app
