"""What a password must be, how it is kept, and what a wrong one costs.

Argon2id with 19 MiB, two passes and one lane: the smallest setting OWASP recommends, about 40 ms
here, so that sixteen threads together stay near 300 MiB. A change of these numbers rehashes each
password at its owner's next sign-in. Passwords are compared in Unicode's NFC form, because two
keyboards write the same letter in two ways; nothing else about them is changed, cut or required.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import argon2

from talkingphoto.accounts import common_passwords
from talkingphoto.foundation import errors

SHORTEST = 15
LONGEST = 256
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check(password: str, *, email: str) -> None:
    """Returns when this may become a password; InvalidRequest says which rule it breaks."""
    length = len(unicodedata.normalize("NFC", password))
    if length < SHORTEST:
        raise errors.InvalidRequest(
            "auth.password_short", f"Use at least {SHORTEST} characters; a sentence works well."
        )
    if length > LONGEST:
        raise errors.InvalidRequest(
            "auth.password_long", f"Use at most {LONGEST} characters for the password."
        )
    if common_passwords.is_common(password, email=email):
        raise errors.InvalidRequest(
            "auth.password_common", "This password is easy to guess. Choose another one."
        )


def hash_of(password: str) -> str:
    """What is stored instead of the password."""
    return _HASHER.hash(_normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; without an account it costs the same and is not."""
    try:
        _HASHER.verify(stored or _nobodys_hash(), _normal(password))
    except argon2.exceptions.VerifyMismatchError:
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than those in use."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody signs in with this")


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
