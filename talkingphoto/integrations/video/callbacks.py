"""Signatures of a hosted engine's callbacks: who knows the secret signed these bytes just now."""

from __future__ import annotations

import hashlib
import hmac

from talkingphoto.foundation import clock as clocks

# The clocks of two machines differ, and a network may hold a request back.
TOLERANCE_SECONDS = 300
_MOST_SIGNATURES = 5


def signature(body: bytes, *, secret: str, at: int) -> str:
    """The header's value for a body signed at that second since 1970."""
    return f"t={at},v1={_hex(body, secret=secret, at=at)}"


def is_signed(header: str, body: bytes, *, secret: str) -> bool:
    """Whether the header signs the body under the secret, within five minutes of now.

    Sent again within that time it is signed still: what it says is only a hint, so no harm is done.
    """
    fields = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in fields if name.strip() == "t"]
    given = [value.strip() for name, _, value in fields if name.strip() == "v1"]
    if not secret or len(times) != 1 or not times[0].isascii() or not times[0].isdigit():
        return False
    at = int(times[0][:12])
    if abs(int(clocks.system_clock().timestamp()) - at) > TOLERANCE_SECONDS:
        return False
    wanted = _hex(body, secret=secret, at=at)
    return any(
        hmac.compare_digest(wanted.encode(), one.encode()) for one in given[:_MOST_SIGNATURES]
    )


def _hex(body: bytes, *, secret: str, at: int) -> str:
    signed = f"{at}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
