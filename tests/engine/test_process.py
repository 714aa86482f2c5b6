"""The engine's process by itself: its lines, its limits, and that it never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from talkingphoto.integrations.video import children
from talkingphoto.integrations.video.engine import messages
from tests.engine.asking import SHORT, portrait
from tests.engine.test_embedded_engine import is_gone
from tests.support import source
from tests.support.running import wait_until

PARENT = """
import sys
from pathlib import Path
from talkingphoto.integrations.video.embedded import EmbeddedEngine
from tests.engine.asking import LONG, asked, drawing
folder = Path(sys.argv[1])
engine = EmbeddedEngine(folder=folder / "engine")
engine.check(photo=None, text="Hello.", voice="en-heart")
drawing(engine, engine.submit(asked(folder, text=LONG)))
print(*engine.process_ids.values(), flush=True)
sys.stdin.read()
"""
# Prints as a library in C does, as soon as the process has set up where its answers go.
NOISY = """
import ctypes, os, sys, threading, time
from talkingphoto.integrations.video.engine import process
def shout():
    while not os.path.samestat(os.fstat(1), os.fstat(2)):
        time.sleep(0.001)
    libc = ctypes.CDLL(None)
    while True:
        libc.puts(b"INFO: noise")
        libc.fflush(None)
        time.sleep(0.001)
threading.Thread(target=shout, daemon=True).start()
process.main(["check", str(os.getppid()), "1536"])
"""
IMPORT = "from talkingphoto.integrations.video.engine import limits\n"


def test_what_libraries_print_never_gets_among_the_answers(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(portrait())
    told = b"".join(
        messages.command_line(
            messages.Check(number, photo, tmp_path / "clean.jpg", SHORT, "en-heart", 20)
        )
        for number in range(3)
    )
    with (tmp_path / "noise").open("wb") as noise:
        process = subprocess.Popen(
            [sys.executable, "-c", NOISY],
            cwd=source.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=noise,
        )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(told)
    process.stdin.flush()
    answers = [messages.answer(process.stdout.readline()) for _ in range(4)]
    process.stdin.close()
    process.wait(30)
    assert isinstance(answers[0], messages.Ready)
    assert [a.id for a in answers[1:] if isinstance(a, messages.Examined)] == [0, 1, 2]
    assert b"INFO: noise" in (tmp_path / "noise").read_bytes()


def test_a_parent_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=source.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    children = [int(number) for number in parent.stdout.readline().split()]
    assert len(children) == 2 and not any(map(is_gone, children))
    parent.kill()
    parent.wait(30)
    wait_until(lambda: all(map(is_gone, children)))


def test_a_process_that_nobody_speaks_to_any_more_ends(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", children.MODULE, "check", str(os.getpid()), "1536"],
        cwd=source.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0


def test_a_process_is_told_nothing_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_nobody_must_see_this")
    child = children.Child("check", log_file=tmp_path / "log", memory_megabytes=1536)
    assert isinstance(child.hear(timeout_seconds=60), messages.Ready)
    surroundings = Path(f"/proc/{child.process_id}/environ").read_bytes()
    child.end()
    assert b"STRIPE" not in surroundings and b"sk_live" not in surroundings
    with pytest.raises(children.Gone):
        child.hear(timeout_seconds=5)
    assert not child.alive


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("limits.bound_memory(300); bytearray(200 << 20)", 0),
        ("limits.bound_memory(300); bytearray(400 << 20)", 1),
        ("limits.allow_processor(30)", 0),
        ("limits.allow_processor(0)\nwhile True: pass", -signal.SIGXCPU),
        ("limits.end_with(1); sys.exit(3)", 0),
    ],
)
def test_limits_end_the_process_that_goes_beyond_them(script: str, ending: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import sys\n" + IMPORT + script],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == ending, ran.stderr
    assert ("MemoryError" in ran.stderr) == (ending == 1)


def test_a_line_that_is_no_command_ends_the_process_and_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    child = children.Child("check", log_file=tmp_path / "log", memory_megabytes=1536)
    assert isinstance(child.hear(timeout_seconds=60), messages.Ready)
    much = "a" * (messages.LONGEST_LINE + 1)
    child.tell(messages.Check(1, None, tmp_path / "clean.jpg", much, "en-heart", 20))
    with pytest.raises(children.Gone):
        child.hear(timeout_seconds=20)
