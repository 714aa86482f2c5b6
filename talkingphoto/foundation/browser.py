"""What every response of ours tells a browser, so that it gives nothing away."""

from __future__ import annotations

from urllib.parse import urlsplit

from talkingphoto.foundation.settings import LIVE_API_BASE, Settings

_STRIPE_PAGES = (
    "https://checkout.stripe.com",
    "https://billing.stripe.com",
    "https://invoice.stripe.com",
)


def security_headers(settings: Settings, *, content_policy: str) -> dict[str, str]:
    """The headers for these addresses; HSTS only where the product is served over HTTPS."""
    headers = {
        "Content-Security-Policy": content_policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not `no-referrer`: a browser then sends `Origin: null` and its own forms are refused.
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    if urlsplit(settings.app_url).scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def form_targets(settings: Settings) -> str:
    """Where a form of ours may lead: our own origins, and the hosted pages after a redirect."""
    return " ".join([*sorted(settings.allowed_origins), *hosted_origins(settings)])


def hosted_origins(settings: Settings) -> tuple[str, ...]:
    """Where the hosted checkout and portal pages live."""
    if settings.stripe_api_base == LIVE_API_BASE:
        return _STRIPE_PAGES
    # The API is called by address and its pages are opened by name, the one cookies belong to.
    parts = urlsplit(settings.stripe_api_base)
    host = parts.netloc.replace("127.0.0.1", "localhost")
    return (f"{parts.scheme}://{host}",)
