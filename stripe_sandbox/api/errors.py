"""The errors of the API, in the shape the SDK reads."""

from typing import Any

from stripe_sandbox import Json


class StripeFault(Exception):
    """A refusal with its HTTP status and the body of its ``error``."""

    def __init__(self, status: int, **error: Any) -> None:
        """The fault knows its answer; fields that are None are left out."""
        super().__init__(error.get("message"))
        self.status = status
        self.error: Json = {name: value for name, value in error.items() if value is not None}
        code = self.error.get("code")
        if code:
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"

        # A failed payment leaves its traces: the refusal is the result.
        self.keeps_effects = status == 402


def invalid(
    message: str, *, code: str | None = None, param: str | None = None, status: int = 400
) -> StripeFault:
    """The request cannot be carried out as it was written."""
    fault = {"type": "invalid_request_error", "message": message, "code": code, "param": param}
    return StripeFault(status, **fault)


def missing_parameter(param: str) -> StripeFault:
    """A parameter that must be there is not."""
    return invalid(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown_parameter(param: str, hint: str = "") -> StripeFault:
    """A parameter this version does not know."""
    message = f"Received unknown parameter: {param}" + (f". {hint}" if hint else "")
    return invalid(message, code="parameter_unknown", param=param)


def no_such(noun: str, object_id: str, param: str = "id") -> StripeFault:
    """Nothing of this kind has this id."""
    return StripeFault(
        404,
        type="invalid_request_error",
        message=f"No such {noun}: '{object_id}'",
        code="resource_missing",
        param=param,
    )


def unauthorized(message: str) -> StripeFault:
    """The caller did not say who they are, or not in a way a sandbox accepts."""
    return StripeFault(401, type="invalid_request_error", message=message)


def idempotency(status: int, message: str, code: str | None = None) -> StripeFault:
    """The idempotency key was used for something else, or is in use this moment."""
    return StripeFault(status, type="idempotency_error", message=message, code=code)


def card_refused(last_error: Json, intent: Json | None) -> StripeFault:
    """The bank said no; the error is the one kept on the intent, which comes along."""
    along = {intent["object"]: intent} if intent else {}
    return StripeFault(402, **{**last_error, "type": "card_error", **along})
