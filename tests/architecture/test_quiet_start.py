"""Importing `talkingphoto` touches nothing, and asking for help starts nothing."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import talkingphoto
from tests.support import source
from tests.support.settings_cases import environment

# Told of every file, socket and process from inside the interpreter; reading is allowed, since
# importing is reading.
WATCH = """
import os, sys
touched = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LOUD = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.system",
    "os.fork", "os.exec", "os.posix_spawn", "os.mkdir", "os.rename", "os.remove", "os.link",
    "os.symlink", "os.truncate", "shutil.", "sqlite3.connect", "tempfile.", "smtplib.", "os.kill")
def watch(event, arguments):
    if arguments[:1] in (("/dev/null",), ("file",)):
        return  # croniter asks `file` whether this Python has 64 bits
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        touched.append(f"{event} {arguments[0]}")
    elif event == "open" and str(arguments[0]).endswith(".env"):
        touched.append(f"{event} {arguments[0]}")
    elif event == "socket.bind" and arguments[1][:2] != ("::1", 0):  # urllib3 asks: is there IPv6?
        touched.append(f"{event} {arguments[1]}")
    elif event.startswith(LOUD):
        touched.append(f"{event} {arguments}")
sys.addaudithook(watch)
"""
TELL = """
loaded = [name for name in ("services", "web", "worker", "ui") if name in sys.modules]
sys.stdout.write("\\n".join([*touched, *loaded]))
"""
MODULES = sorted(m.name for m in pkgutil.walk_packages(talkingphoto.__path__, "talkingphoto."))
HELP = [
    "",
    "up",
    "worker",
    "database",
    "database start",
    "catalog",
    "catalog sync",
    "webhooks sync",
    "reconcile",
]


def touched_by(script: str, folder: Path) -> list[str]:
    """What a fresh interpreter touched while it ran this."""
    ran = subprocess.run(
        [sys.executable, "-B", "-c", f"{WATCH}\n{script}\n{TELL}"],
        env=environment({}, folder),
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert list(folder.iterdir()) == []
    return ran.stdout.splitlines()


def test_importing_every_module_below_talkingphoto_touches_nothing(tmp_path: Path) -> None:
    # All in one interpreter, with nothing of a module left that another had imported before.
    assert len(MODULES) > 30
    imports = "\n".join(f"import {name}" for name in MODULES)
    assert touched_by(imports, tmp_path) == []


@pytest.mark.parametrize("command", HELP)
def test_help_starts_no_database_and_connects_to_nothing(command: str, tmp_path: Path) -> None:
    script = f"""
import contextlib, io
from talkingphoto import cli
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    cli.main({[*command.split(), "--help"]!r})
assert "usage: talkingphoto" in said.getvalue()
"""
    assert touched_by(script, tmp_path) == []


def test_looking_at_the_database_starts_none(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "talkingphoto.cli", "database", "status"],
        env=environment({}, tmp_path),
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("not running")
    assert list(tmp_path.iterdir()) == []


def test_the_watch_sees_what_it_looks_for(tmp_path: Path) -> None:
    for loud in (
        f"open({str(tmp_path.parent / 'x')!r}, 'w')",
        "import socket; socket.create_connection(('127.0.0.1', 9)) if 0 else"
        " socket.getaddrinfo('localhost', 1)",
        "import subprocess; subprocess.run(['true'])",
    ):
        assert len(touched_by(loud, tmp_path)) >= 1
