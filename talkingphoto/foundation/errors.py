"""One small family of refusals: each has a stable code, says what to do, and knows no HTTP."""

from __future__ import annotations


class AppError(Exception):
    """A refusal the caller can act on; `code` never changes, `message` is for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class InvalidRequest(AppError):
    """What was sent cannot be understood or is not allowed; sending it again changes nothing."""


class NotFound(AppError):
    """There is no such thing, or it belongs to somebody else: the two look the same."""


class Conflict(AppError):
    """The request was understood and contradicts what is already true."""


class NotPermitted(AppError):
    """The caller may not do this."""


class RateLimited(AppError):
    """Too many tries; the same request may pass after `retry_after_seconds`."""

    def __init__(self, code: str, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(code, message)
        self.retry_after_seconds = retry_after_seconds


class InsufficientCredits(AppError):
    """The balance does not cover what was asked; nothing was taken."""


class PaymentDeclined(AppError):
    """The bank said no; nothing was charged. `decline_code` is its reason, for rules only."""

    def __init__(self, code: str, message: str, *, decline_code: str | None = None) -> None:
        super().__init__(code, message)
        self.decline_code = decline_code


class ActionRequired(AppError):
    """The customer has to confirm the payment at `url` before it goes through."""

    def __init__(self, code: str, message: str, *, url: str) -> None:
        super().__init__(code, message)
        self.url = url


class Unavailable(AppError):
    """Something we depend on does not answer; nothing was changed and a later try may pass."""
