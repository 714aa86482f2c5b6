"""What every response of the front end carries; Streamlit has no setting for it."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talkingphoto import runtime
from talkingphoto.foundation import browser, setting_rules
from talkingphoto.foundation.settings import Settings

_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Middleware: our headers on every response, and no private page kept by a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        settings = runtime.current().settings
        self._headers = browser.security_headers(settings, content_policy=content_policy(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The response of the inner application, with our headers."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, guarded)


def content_policy(settings: Settings) -> str:
    """Nothing but our own origin, Streamlit's one inline script by its hash, and our forms."""
    # Finished videos and their pictures come from the web application.
    media = setting_rules.origin(settings.web_url)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(_inline_hashes())}",
            # Streamlit and its charts write style attributes; styles run nothing.
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob: {media}",
            f"media-src 'self' {media}",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
            f"form-action 'self' {browser.form_targets(settings)}",
        )
    )


def _inline_hashes() -> list[str]:
    scripts = _INLINE_SCRIPT.findall(_INDEX.read_text())
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
