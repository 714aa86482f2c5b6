"""Says inside a finished video that a machine made it: a signed C2PA manifest, made offline.

Signing comes last: whatever rewrites the file afterwards breaks the signature.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from talkingphoto.integrations.video import certificates
from talkingphoto.integrations.video.port import EngineFailure, EngineFault

# https://cv.iptc.org/newscodes/digitalsourcetype: a photo of a person, moved and voiced by models.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_MIME = "video/mp4"
# Nothing is fetched: a manifest that lies elsewhere, a revocation list or a redirect is left be.
_SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": True},
    "core": {"allowed_network_hosts": []},
    "builder": {"thumbnail": {"enabled": False}},
}
_ALGORITHMS = {
    "secp256r1": c2pa.C2paSigningAlg.ES256,
    "secp384r1": c2pa.C2paSigningAlg.ES384,
    "secp521r1": c2pa.C2paSigningAlg.ES512,
}
_NOT_SIGNED = EngineFailure(
    "video_not_signed", "transient", "The video could not be marked as made by a machine."
)


@dataclass(frozen=True)
class Facts:
    """What a file says of itself; `state` is Valid, or Trusted with a certificate on a trust list.

    `actions` are pairs of what was done and the kind of source it came of.
    """

    state: str
    actions: tuple[tuple[str, str], ...]
    issuer: str
    generator: str


class Provenance:
    """Signs as the certificate given says, else as one made once below `folder` for this machine.

    `certificate` is a PEM chain with the signer's first; `key` its PKCS #8 key without a password.
    """

    def __init__(self, *, folder: Path, certificate: Path | None, key: Path | None) -> None:
        self._folder = folder
        self._given = (certificate, key) if certificate and key else None

    def sign(self, path: Path) -> None:
        """The mp4 at `path` carries its manifest; the file is replaced whole or not at all.

        EngineFault video_not_signed when it cannot be signed.
        """
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".mp4")
        try:
            with path.open("rb") as source, os.fdopen(handle, "w+b") as sink:
                with _context() as context, c2pa.Builder(_manifest(), context) as builder:
                    builder.sign(self._signer(), _MIME, source, sink)
                sink.flush()
                os.fsync(sink.fileno())
            Path(draft).chmod(path.stat().st_mode)
            Path(draft).replace(path)
        except (c2pa.C2paError, OSError, ValueError) as fault:
            raise EngineFault(_NOT_SIGNED) from fault
        finally:
            Path(draft).unlink(missing_ok=True)

    def _signer(self) -> c2pa.Signer:
        certificate, key = self._given or certificates.ensure(self._folder)
        secret = key.read_bytes()
        return c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(
                # Without a time stamp: its authority would have to be asked over the network.
                _algorithm(secret),
                certificate.read_bytes(),
                secret,
                None,
            )
        )


def read_back(path: Path) -> Facts | None:
    """What the mp4 says of its making, proved against its bytes; None without a manifest."""
    try:
        with path.open("rb") as file, _context() as context:
            reader = c2pa.Reader(_MIME, file, context=context)
            with reader:
                said: dict[str, Any] = json.loads(reader.json())
                state = str(reader.get_validation_state())
    except c2pa.C2paError.ManifestNotFound:
        return None
    manifest = said["manifests"][said["active_manifest"]]
    actions = [
        (str(action["action"]), str(action.get("digitalSourceType", "")))
        for assertion in manifest["assertions"]
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]
    return Facts(
        state=state,
        actions=tuple(actions),
        issuer=str(manifest["signature_info"].get("issuer", "")),
        generator=str(manifest["claim_generator_info"][0]["name"]),
    )


def _context() -> c2pa.Context:
    return c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))


def _manifest() -> dict[str, Any]:
    created = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPE,
        "softwareAgent": {"name": "TalkingPhoto"},
    }
    return {
        "claim_generator_info": [{"name": "TalkingPhoto"}],
        "title": "TalkingPhoto video",
        "format": _MIME,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
    }


def _algorithm(secret: bytes) -> c2pa.C2paSigningAlg:
    key = serialization.load_pem_private_key(secret, password=None)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _ALGORITHMS:
        return _ALGORITHMS[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return c2pa.C2paSigningAlg.ED25519
    assert isinstance(key, rsa.RSAPrivateKey), "C2PA knows no such key"
    return c2pa.C2paSigningAlg.PS256
