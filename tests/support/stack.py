"""The whole product as a person starts it: by the supervisor, on free ports, with its own data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from talkingphoto.foundation import settings
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.sandbox import free_port

_READY = "TalkingPhoto is running"
_START_SECONDS = 120
_STOP_SECONDS = 60
_LOOK_SECONDS = 0.05
# What a program needs of its surroundings; the settings of whoever started us stay out.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TALKINGPHOTO_PG_BIN")


@dataclass(frozen=True)
class Stack:
    """Where the parts of a running product answer, and the folder it keeps everything in."""

    app: str
    web: str
    sandbox: str
    data: Path


class StackFault(Exception):
    """The product could not be started; the message ends with what it said."""


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Everything runs inside the block; nothing of it is left after it."""
    with temporary_folder("talkingphoto-stack-") as folder:
        try:
            with _supervisor(folder) as stack:
                yield stack
        finally:
            EmbeddedPostgres(folder / "data").discard()


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder that is gone after the block; a server under another account can reach it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settings_of(stack: Stack) -> settings.Settings:
    """The settings its parts run with, for whoever looks into its database."""
    return settings.load(clean_environment(stack.data))


def clean_environment(data: Path) -> dict[str, str]:
    """The environment of a product with its data there and no setting of whoever runs us."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    ours = {"TALKINGPHOTO_DATA": str(data), "TALKINGPHOTO_ENV_FILE": str(data / "no.env")}
    return kept | ours


def die_politely() -> None:
    """Being told to end unwinds this program, so that it stops what it has started."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


@contextmanager
def _supervisor(folder: Path) -> Iterator[Stack]:
    ports = {name: free_port() for name in ("app", "web", "sandbox")}
    data, said = folder / "data", folder / "said.txt"
    command = [sys.executable, "-m", "talkingphoto.cli", "up", "--data", str(data)]
    for name, port in ports.items():
        command += [f"--{name}-port", str(port)]
    with said.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=settings.PROJECT_ROOT,
            env=clean_environment(data),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us: we stop it, once, when we are through with it.
            start_new_session=True,
        )
    try:
        _until_ready(process, said)
        urls = {name: f"http://localhost:{port}" for name, port in ports.items()}
        yield Stack(**urls, data=data)
    finally:
        _stop(process)


def _until_ready(process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while _READY not in said.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackFault(f"the product did not start:\n{said.read_text(errors='replace')}")
        time.sleep(_LOOK_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asked once, then told to hurry, then ended."""
    for ask in (process.terminate, process.terminate, process.kill):
        if process.poll() is None:
            ask()
        try:
            process.wait(_STOP_SECONDS / 2)
        except subprocess.TimeoutExpired:
            continue
        return
