"""Names for objects: Stripe's prefixes, then random letters and digits."""

import os
import string

_ALPHABET = string.ascii_letters + string.digits
# Bytes above the last whole round of the alphabet are thrown away, so that no sign is likelier.
_FAIR = len(_ALPHABET) * (256 // len(_ALPHABET))
_SIGNS = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))


def new_id(prefix: str, length: int = 24) -> str:
    """An id nobody has used, such as ``cus_k3J…``."""
    signs = b""
    # One call to the system and not one a sign: it is what ids cost.
    while len(signs) < length:
        signs += os.urandom(2 * length).translate(_SIGNS, _UNFAIR)
    return f"{prefix}_{signs[:length].decode()}"


def new_secret(prefix: str) -> str:
    """A secret of 190 bits behind its prefix."""
    return new_id(prefix, 32)
