"""What every page has: strict headers, the banner's facts, and addresses filled in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Response, make_response, render_template

from stripe_sandbox.sandbox import Sandbox

_LOOPBACK = frozenset({"localhost", "127.0.0.1"})


def page(
    sandbox: Sandbox,
    template: str,
    facts: Mapping[str, object],
    *,
    status: int = 200,
    leads_to: str | None = None,
) -> Response:
    """The page: never stored or framed, no script, posting only here and where it leads."""
    response = make_response(
        render_template(template, brand=sandbox.settings.brand, **facts), status
    )
    harden(response, leads_to)
    return response


def harden(response: Response, leads_to: str | None = None) -> Response:
    """The response carries the headers of a page about money."""
    targets = " ".join(["'self'", *_origins(leads_to)])
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def leave(address: str) -> Response:
    """The browser goes to the address with a GET."""
    response = Response(status=303)
    response.headers["Location"] = address
    return harden(response, address)


def filled(address: str, session_id: str) -> str:
    """The merchant's address with the session's id in its place."""
    return address.replace("{CHECKOUT_SESSION_ID}", session_id)


def day(moment: int) -> str:
    """The day as people write it: 14 Dec 2026."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%b %Y}"


def _origins(address: str | None) -> list[str]:
    """Browsers hold a form's redirects to form-action too, so the merchant's origin is named.

    A merchant on this machine may send the payer on from one of its ports to another.
    """
    if not address:
        return []
    parts = urlsplit(address)
    if parts.hostname in _LOOPBACK:
        return ["http://localhost:*", "http://127.0.0.1:*"]
    return [f"{parts.scheme}://{parts.netloc}"]
