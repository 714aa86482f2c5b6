"""The signature that proves to a receiver who sent a webhook, and when."""

import hashlib
import hmac
from collections.abc import Iterable


def signature(secrets: Iterable[str], body: str, timestamp: int) -> str:
    """The value of Stripe-Signature: the time, and one v1 for each secret in force."""
    signed = f"{timestamp}.{body}".encode()
    prints = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={print_}" for print_ in prints)])
