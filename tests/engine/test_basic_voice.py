"""The process that speaks other languages: what it does wrong stays in it, and it ends."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine.basic_voice import BasicVoice

MODULE = "talkingphoto.integrations.video.engine.espeak_process"
# Each leaves its process id in the file that is its argument, and then goes wrong in its own way.
TELL = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); "
FAILINGS = {
    "hangs": TELL + "time.sleep(60)",
    "hangs and hears nothing": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    + TELL
    + "time.sleep(60)",
    "is killed": TELL + "os.kill(os.getpid(), 9)",
    "crashes": TELL + "os.kill(os.getpid(), 11)",
    "fails": TELL + "sys.exit(3)",
    "says nothing": TELL,
    "writes nonsense": TELL + "sys.stdout.buffer.write(bytes(range(256)) * 9)",
    "breaks off": TELL + "sys.stdout.write('\\xff')",
    "talks without end": TELL + "[sys.stdout.write('x' * 9999) for _ in iter(int, 1)]",
}


def fault(voice: BasicVoice) -> port.EngineFailure:
    with pytest.raises(port.EngineFault) as caught:
        voice.say("Guten Tag", seed=0)
    return caught.value.failure


def wait_until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.02)


def alive(pid: int) -> bool:
    # Who is killed by another stays as a zombie until somebody asks for it.
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("failing", FAILINGS)
def test_a_child_that_goes_wrong_is_a_fault_that_may_pass_and_leaves_no_process(
    failing: str, tmp_path: Path
) -> None:
    told = tmp_path / "pid"
    child = (sys.executable, "-c", FAILINGS[failing], str(told))
    started = time.monotonic()
    failure = fault(BasicVoice("de", child=child, timeout_seconds=1.0))
    assert (failure.code, failure.kind) == ("voice_failed", "transient")
    assert not alive(int(told.read_text()))
    assert time.monotonic() - started < 15


def test_a_child_that_cannot_be_started_is_a_fault_that_may_pass() -> None:
    failure = fault(BasicVoice("de", child=("/nowhere/python",)))
    assert (failure.code, failure.kind) == ("voice_failed", "transient")


def test_a_language_that_espeak_does_not_speak_is_a_fault() -> None:
    assert fault(BasicVoice("xx-none")).code == "voice_failed"


def test_markup_and_phoneme_codes_in_a_text_are_read_and_not_obeyed() -> None:
    plain = BasicVoice("de").say("Hallo", seed=0).seconds
    for text in ('<break time="30s"/> Hallo', "[[h@l'oU]] Hallo"):
        assert plain < BasicVoice("de").say(text, seed=0).seconds < 15


def test_the_longest_text_is_read_in_time() -> None:
    started = time.monotonic()
    made = BasicVoice("de").say("Neunundneunzig " * 40, seed=0)
    assert made.seconds > 30
    assert time.monotonic() - started < 10


def test_a_child_ends_when_its_parent_is_killed() -> None:
    # Its input is held open here, so that it would wait for its text.
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", {MODULE!r}, "de"])
print(child.pid, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", script]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Its limits are set after it has asked to end with its parent.
        limits = Path(f"/proc/{child}/limits")
        wait_until(lambda: re.search(r"Max core file size +0 +0 ", limits.read_text()) is not None)
        parent.kill()
        wait_until(lambda: not alive(child))


def test_only_the_child_loads_the_library() -> None:
    script = """
import sys
from talkingphoto.integrations.video.engine import speech
speech.voice("espeak:de").say("Hallo", seed=0)
assert "espeakng_loader" not in sys.modules
assert "espeak" not in open("/proc/self/maps").read()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
