"""A signing certificate for a machine that was given none: made once, for its owner's eyes only.

It proves that nobody changed a video since; who made it, it proves to nobody, because no list of
trusted issuers names an authority that anyone can make.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from talkingphoto.foundation import clock as clocks

_CHAIN = "chain.pem"
_KEY = "key.pem"
_LIFE = timedelta(days=3650)
# Another machine's clock may be a little behind.
_EARLIER = timedelta(days=1)
_NO_USE = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


def ensure(folder: Path) -> tuple[Path, Path]:
    """The chain and the key in `folder`, made by whichever process came first."""
    if not (folder / _KEY).is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # mkdtemp's folders are 0700, and so is what it becomes.
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            _make(draft, now=clocks.system_clock())
            draft.rename(folder)
        except OSError:
            if not (folder / _KEY).is_file():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder / _CHAIN, folder / _KEY


def _make(folder: Path, *, now: datetime) -> None:
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    above = _name("TalkingPhoto local authority")
    root = _signed(
        _begun(above, authority, now=now, authority=True).issuer_name(above), above=authority
    )
    leaf = _begun(_name("TalkingPhoto local signer"), key, now=now, authority=False)
    # C2PA 2.x, 14.5.1: a signer's certificate must name e-mail protection or a purpose of C2PA's.
    leaf = leaf.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    chain = _signed(leaf.issuer_name(above), above=authority) + root
    _write(folder / _CHAIN, chain)
    # The authority's key is forgotten here: nobody can ever issue another certificate with it.
    _write(
        folder / _KEY,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _name(common: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TalkingPhoto")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begun(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, now: datetime, authority: bool
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **_NO_USE
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _LIFE)
        .add_extension(
            x509.BasicConstraints(ca=authority, path_length=0 if authority else None),
            critical=True,
        )
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(begun: x509.CertificateBuilder, *, above: ec.EllipticCurvePrivateKey) -> bytes:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())
    made = begun.add_extension(issuer, critical=False).sign(above, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
