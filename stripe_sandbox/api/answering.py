"""The HTTP form of an answer: what every one of them carries."""

import json

from flask import Response, request

from stripe_sandbox import API_VERSION
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.api.idempotency import Answer


def refusal(fault: StripeFault, request_id: str) -> Answer:
    """The fault as an answer."""
    return Answer(fault.status, json.dumps({"error": fault.error}), request_id)


def response(answer: Answer, request_id: str, *, replayed: bool = False) -> Response:
    """The answer with its headers; a replayed one names the request that made it."""
    made = Response(answer.body, answer.status, content_type="application/json")
    made.headers["Request-Id"] = request_id
    made.headers["Stripe-Version"] = request.headers.get("Stripe-Version") or API_VERSION
    key = request.headers.get("Idempotency-Key")
    if key:
        made.headers["Idempotency-Key"] = key
    if replayed:
        made.headers["Idempotent-Replayed"] = "true"
        made.headers["Original-Request"] = answer.request
    if answer.status == 409:
        made.headers["Stripe-Should-Retry"] = "true"
    return made
