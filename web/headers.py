"""What every response of the routes carries, errors included."""

from __future__ import annotations

import base64
import hashlib

from talkingphoto.foundation import browser
from talkingphoto.foundation.settings import Settings
from web import errors


def security_headers(settings: Settings) -> dict[str, str]:
    """The headers for these addresses; nothing that a route says may be kept by a browser."""
    policy = _content_policy(settings)
    common = browser.security_headers(settings, content_policy=policy)
    return {**common, "Cache-Control": "no-store"}


def _content_policy(settings: Settings) -> str:
    digest = base64.b64encode(hashlib.sha256(errors.page_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        f"form-action 'self' {browser.form_targets(settings)}; frame-ancestors 'none'"
    )
