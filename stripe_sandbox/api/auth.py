"""Who calls: any test key is let in, a live one never."""

import base64
import binascii

from stripe_sandbox.api import errors

_ACCEPTED = ("sk_test_", "rk_test_")
_LIVE = ("sk_live_", "rk_live_", "pk_live_")


def check(header: str) -> None:
    """The caller sent a test key, as a bearer token or as the user name of Basic; else 401."""
    key = _key(header)
    if key is None:
        raise errors.unauthorized(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if key.startswith(_LIVE):
        raise errors.unauthorized(
            "This is a sandbox and refuses live keys. Use a key that begins with sk_test_."
        )
    if not key.startswith(_ACCEPTED):
        # Only the first and last signs come back, as Stripe shows them: no place for keys.
        raise errors.unauthorized(
            f"Invalid API Key provided: {key[:3]}***{key[-2:] if len(key) > 8 else ''}"
        )


def _key(header: str) -> str | None:
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        user = base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user.partition(":")[0] or None
