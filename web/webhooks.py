"""Where Stripe knocks: raw bytes in, a short answer out, the work left to the worker."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from services.webhook_service import ENDPOINT_PATH
from talkingphoto.foundation import errors
from web import guards, metrics

log = structlog.get_logger()
bp = Blueprint("webhooks", __name__)


@bp.post(ENDPOINT_PATH)
@guards.anyone
def stripe() -> Response:
    """200 once the event is stored; 400 with the reason for anything Stripe did not sign."""
    raw = _body()
    try:
        event = guards.wiring().webhooks.receive(raw, request.headers.get("Stripe-Signature", ""))
    except errors.InvalidRequest as refusal:
        metrics.webhook_rejected.labels(reason=refusal.code).inc()
        log.warning("webhook.rejected", reason=refusal.code, size=len(raw))
        raise
    metrics.webhook_received.labels(type=event.type).inc()
    return Response("stored", mimetype="text/plain")


def _body() -> bytes:
    """The bytes as they came; 413 when there are more than we take."""
    raw = request.get_data(cache=False)
    # A body sent in pieces, without a length, is cut at the limit instead of refused.
    if request.content_length is None and len(raw) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise RequestEntityTooLarge
    return raw
