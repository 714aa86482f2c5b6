"""Tokens, their hashes, and encryption of what must not be readable in a dump."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TOKEN_BYTES = 32
NONCE_BYTES = 12


def new_token() -> str:
    """A fresh secret of 256 random bits, safe in a cookie or an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """SHA-256 of a token: what we store, so that a dump holds nothing that signs in."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class Cipher:
    """AES-256-GCM with a key derived from one secret; the place of a value is part of its seal."""

    def __init__(self, secret: str) -> None:
        material = secret.encode()
        self.key_id = hashlib.sha256(b"key-id:" + material).hexdigest()[:8]
        kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"talkingphoto columns")
        self._aead = AESGCM(kdf.derive(material))

    def encrypt(self, plain: str, *, place: str) -> bytes:
        """The sealed text; `place` names table, column and row, so a copy elsewhere is refused."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, plain.encode(), self._bound(place))
        return self.key_id.encode() + nonce + sealed

    def decrypt(self, sealed: bytes, *, place: str) -> str:
        """The text again; ValueError when the key, the place or a single bit differs."""
        key_id, nonce = sealed[:8], sealed[8 : 8 + NONCE_BYTES]
        if key_id != self.key_id.encode():
            raise ValueError("sealed with another key")
        try:
            return self._aead.decrypt(nonce, sealed[8 + NONCE_BYTES :], self._bound(place)).decode()
        except InvalidTag as fault:
            raise ValueError("sealed value was altered or moved") from fault

    def _bound(self, place: str) -> bytes:
        return f"{self.key_id}:{place}".encode()


class Signer:
    """HMAC-SHA-256 over short texts that travel in addresses; the purpose is part of the key."""

    def __init__(self, secret: str, *, purpose: str) -> None:
        kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
        self._key = kdf.derive(secret.encode())

    def sign(self, plain: str) -> str:
        """A token that holds the text for anyone to read and nobody to change."""
        body = _web(plain.encode())
        return f"{body}.{_web(self._tag(body))}"

    def read(self, token: str) -> str | None:
        """The text that was signed; None when it was not by us, or not for this purpose."""
        body, _, tag = token.partition(".")
        if not token.isascii() or not hmac.compare_digest(tag, _web(self._tag(body))):
            return None
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()

    def _tag(self, body: str) -> bytes:
        return hmac.digest(self._key, body.encode(), "sha256")


def _web(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
