"""What the caller of a failing call sees."""

from flask import Response, request

from stripe_sandbox.api import answering
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.faults import wires
from stripe_sandbox.faults.rules import Rule


def failed(rule: Rule, request_id: str) -> Response:
    """The failure of the rule: an answer that refuses, or none at all."""
    if rule.kind in ("timeout", "reset"):
        # Gunicorn's own name for the connection; no other server holds or cuts one.
        wire = request.environ["gunicorn.socket"]
        if rule.kind == "timeout":
            wires.hold(wire, rule.ms / 1000)
        return Response(wires.cut(wire))
    made = answering.response(answering.refusal(_fault(rule), request_id), request_id)
    if rule.kind in ("rate_limit", "lock_timeout"):
        made.headers["Stripe-Should-Retry"] = str(rule.should_retry).lower()
    if rule.kind == "rate_limit":
        made.headers["Retry-After"] = str(rule.retry_after)
    return made


def _fault(rule: Rule) -> StripeFault:
    if rule.kind == "rate_limit":
        return StripeFault(
            429,
            type="invalid_request_error",
            code="rate_limit",
            message="Too many requests hit the API too quickly. We recommend an exponential "
            "backoff of your requests.",
        )
    if rule.kind == "lock_timeout":
        return StripeFault(
            429,
            type="invalid_request_error",
            code="lock_timeout",
            message="This object cannot be accessed right now because another API request or "
            "Stripe process is currently accessing it. If you see this error intermittently, "
            "retry the request.",
        )
    return StripeFault(
        500, type="api_error", message="An error was asked for: a rule of the sandbox failed this."
    )
