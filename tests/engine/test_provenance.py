"""C2PA: a finished video says that a machine made it, and shows when it was changed since."""

from __future__ import annotations

import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import (
    AccessDescription,
    AuthorityInformationAccess,
    AuthorityKeyIdentifier,
    CertificateBuilder,
    SubjectKeyIdentifier,
    UniformResourceIdentifier,
)
from cryptography.x509.oid import AuthorityInformationAccessOID

from talkingphoto.integrations.video import certificates, provenance
from talkingphoto.integrations.video.port import EngineFault
from tests.support import small_mp4

OCSP = AuthorityInformationAccessOID.OCSP
KEY_IDENTIFIERS = (AuthorityKeyIdentifier, SubjectKeyIdentifier)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A finished video that says nothing yet."""
    return small_mp4.written(tmp_path / "video.mp4")


def signer(folder: Path) -> provenance.Provenance:
    """A machine without a certificate of its operator's."""
    return provenance.Provenance(folder=folder / "provenance", certificate=None, key=None)


def test_a_signed_video_says_that_a_machine_made_it_and_still_plays(
    video: Path, tmp_path: Path
) -> None:
    assert provenance.read_back(video) is None
    size = video.stat().st_size
    signer(tmp_path).sign(video)
    facts = provenance.read_back(video)
    assert facts is not None
    assert facts.state == "Valid"
    assert facts.actions == (("c2pa.created", provenance.SOURCE_TYPE),)
    assert (facts.generator, facts.issuer) == ("TalkingPhoto", "TalkingPhoto")
    assert 0 < video.stat().st_size - size < 20_000
    with av.open(str(video)) as container:
        assert len(list(container.decode(video=0))) == 50
    content = video.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_video_changed_afterwards_is_found_out(video: Path, tmp_path: Path) -> None:
    signer(tmp_path).sign(video)
    content = bytearray(video.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    video.write_bytes(content)
    facts = provenance.read_back(video)
    assert facts is not None
    assert facts.state == "Invalid"


def test_a_file_that_cannot_be_signed_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(EngineFault) as refused:
        signer(tmp_path).sign(path)
    assert refused.value.failure.code == "video_not_signed"
    assert path.read_bytes() == b"no video at all"
    assert {left.name for left in tmp_path.iterdir()} == {"video.mp4", "provenance"}


def test_the_key_is_made_once_and_for_its_owner_only(video: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "provenance"
    with ThreadPoolExecutor(8) as many:
        made = list(many.map(lambda _: certificates.ensure(folder), range(8)))
    assert set(made) == {(folder / "chain.pem", folder / "key.pem")}
    for path in (*made[0], folder):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert [left.name for left in folder.parent.iterdir()] == ["provenance"]
    before = made[0][1].read_bytes()
    provenance.Provenance(folder=folder, certificate=None, key=None).sign(video)
    assert made[0][1].read_bytes() == before


def test_the_operators_certificate_signs_when_there_is_one(video: Path, tmp_path: Path) -> None:
    chain, key = certificates.ensure(tmp_path / "operator")
    own = tmp_path / "own"
    provenance.Provenance(folder=own, certificate=chain, key=key).sign(video)
    facts = provenance.read_back(video)
    assert facts is not None and facts.state == "Valid"
    assert not own.exists()


def test_a_certificate_that_cannot_be_used_leaves_the_video_as_it_was(
    video: Path, tmp_path: Path
) -> None:
    chain, key = certificates.ensure(tmp_path / "operator")
    before = video.read_bytes()
    key.write_text("no key")
    for given in (key, tmp_path / "gone.pem"):
        with pytest.raises(EngineFault):
            provenance.Provenance(folder=tmp_path, certificate=chain, key=given).sign(video)
    assert video.read_bytes() == before


def test_a_certificate_that_names_a_server_to_ask_has_nobody_asked(
    video: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/ocsp"
        chain, key = issued(tmp_path, ocsp=address)
        provenance.Provenance(folder=tmp_path, certificate=chain, key=key).sign(video)
        facts = provenance.read_back(video)
        listening.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listening.accept()
    assert facts is not None and facts.state == "Valid"


def issued(folder: Path, *, ocsp: str) -> tuple[Path, Path]:
    """A chain and a key as an authority sells them, with the address that knows of revocations."""
    chain, key = certificates.ensure(folder / "sold")
    leaf, root = x509.load_pem_x509_certificates(chain.read_bytes())
    authority = ec.generate_private_key(ec.SECP256R1())
    above = AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    asked = AccessDescription(OCSP, UniformResourceIdentifier(ocsp))
    certified = []
    for old, public, more in (
        (leaf, leaf.public_key(), AuthorityInformationAccess([asked])),
        (root, authority.public_key(), None),
    ):
        builder = (
            CertificateBuilder(old.issuer, old.subject, public, old.serial_number)
            .not_valid_before(old.not_valid_before_utc)
            .not_valid_after(old.not_valid_after_utc)
            .add_extension(above, critical=False)
        )
        kept = (e for e in old.extensions if not isinstance(e.value, KEY_IDENTIFIERS))
        for extension in kept:
            builder = builder.add_extension(extension.value, critical=extension.critical)
        assert isinstance(public, ec.EllipticCurvePublicKey)
        subject = SubjectKeyIdentifier.from_public_key(public)
        builder = builder.add_extension(subject, critical=False)
        if more is not None:
            builder = builder.add_extension(more, critical=False)
        signed = builder.sign(authority, hashes.SHA256())
        certified.append(signed.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(b"".join(certified))
    return chain, key
