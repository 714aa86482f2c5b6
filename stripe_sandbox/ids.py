"""Names for objects: Stripe's prefixes, then random letters and digits."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """An id nobody has used, such as ``cus_k3J…``."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_secret(prefix: str) -> str:
    """A secret of 190 bits behind its prefix."""
    return new_id(prefix, 32)
