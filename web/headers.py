"""What every response carries, errors included, so that a browser gives nothing away."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlsplit

from talkingphoto.foundation.settings import LIVE_API_BASE, Settings
from web import errors

_STRIPE_PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com")


def security_headers(settings: Settings) -> dict[str, str]:
    """The headers for these addresses; HSTS only where the product is served over HTTPS."""
    headers = {
        "Content-Security-Policy": _content_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not `no-referrer`: a browser then sends `Origin: null` and its own forms are refused.
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cache-Control": "no-store",
    }
    if urlsplit(settings.app_url).scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def hosted_origins(settings: Settings) -> tuple[str, ...]:
    """Where the hosted checkout and portal pages live."""
    if settings.stripe_api_base == LIVE_API_BASE:
        return _STRIPE_PAGES
    # The API is called by address and its pages are opened by name, the one cookies belong to.
    parts = urlsplit(settings.stripe_api_base)
    host = parts.netloc.replace("127.0.0.1", "localhost")
    return (f"{parts.scheme}://{host}",)


def _content_policy(settings: Settings) -> str:
    digest = base64.b64encode(hashlib.sha256(errors.page_style().encode()).digest()).decode()
    targets = " ".join([*sorted(settings.allowed_origins), *hosted_origins(settings)])
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        f"form-action 'self' {targets}; frame-ancestors 'none'"
    )
