"""Voices for other languages: espeak-ng in a process of its own, plainly synthetic."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import spoken
from talkingphoto.integrations.video.engine.spoken import Phoneme, Speech

_CHILD = (sys.executable, "-m", "talkingphoto.integrations.video.engine.espeak_process")
_TIMEOUT_SECONDS = 25.0
# espeak-ng times a stop from its release; the closure before it, in which the lips meet, is in
# the time of the sound before. Quiet was found from 40 ms before p and b to their start.
_STOPS = frozenset("pbtdkɡ")
_CLOSURE_SECONDS = 0.04
# Marks that espeak-ng may report apart from the sound they belong to.
_MODIFIERS = "ːˑʲʰʷ\u0303\u0329\u032a"
_STOPPED = port.EngineFailure(
    "voice_failed", "transient", "The voice stopped before it was done. Please try again."
)
_NOTHING = port.EngineFailure(
    "text_unspeakable",
    "user_input",
    "There is nothing in the text that this voice can read. Write it in words.",
)


class BasicVoice:
    """One language of espeak-ng; each text is read by a child process that ends with it."""

    def __init__(
        self,
        language: str,
        *,
        child: Sequence[str] = _CHILD,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._child = (*child, language)
        self._timeout_seconds = timeout_seconds

    def say(self, text: str, *, seed: int) -> Speech:
        """The text as speech, the same whatever the seed; EngineFault when no word is in it."""
        answer = self._answer(text.encode())
        size = int.from_bytes(answer[:4], "little")
        try:
            head = json.loads(answer[4 : 4 + size])
            rate = int(head["rate"])
            starts = [(str(symbol), int(sample)) for symbol, sample in head["phonemes"]]
            pcm = np.frombuffer(answer[4 + size :], dtype="<i2")
        except (ValueError, KeyError, TypeError) as error:
            raise port.EngineFault(_STOPPED) from error
        phonemes = _phonemes(starts, rate=rate, length=len(pcm))
        if all(phoneme.symbol == spoken.PAUSE for phoneme in phonemes):
            raise port.EngineFault(_NOTHING)
        samples = (pcm / 32768).astype(np.float32)
        return spoken.trimmed(Speech(samples, rate, _with_closures(phonemes)))

    def _answer(self, text: bytes) -> bytes:
        """What the child wrote; it has ended, whatever it did."""
        try:
            ran = subprocess.run(
                self._child,
                input=text,
                capture_output=True,
                timeout=self._timeout_seconds,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise port.EngineFault(_STOPPED) from error
        return ran.stdout


def _phonemes(starts: list[tuple[str, int]], *, rate: int, length: int) -> tuple[Phoneme, ...]:
    """Sounds and pauses from 0 to the end; names of languages, "(en)", are not sounds."""
    made: list[Phoneme] = []
    at = 0
    for (name, _), (_, following) in itertools.pairwise([("", 0), *starts, ("", length)]):
        start, at = at, min(max(following, at), length)
        symbol = spoken.PAUSE if _is_pause(name) else name
        if symbol == spoken.PAUSE and start == at:
            continue
        last = made[-1].symbol if made else ""
        if symbol == last == spoken.PAUSE:
            made[-1] = Phoneme(symbol, made[-1].start, at / rate)
        elif last and last != spoken.PAUSE and not symbol.strip(_MODIFIERS):
            made[-1] = Phoneme(last + symbol, made[-1].start, at / rate)
        else:
            made.append(Phoneme(symbol, start / rate, at / rate))
    return tuple(made)


def _is_pause(name: str) -> bool:
    return not name.strip("ˈˌ_") or name.startswith("(")


def _with_closures(phonemes: tuple[Phoneme, ...]) -> tuple[Phoneme, ...]:
    """Stops begin with their closure, for which the sound before gives half its time at most."""
    made = list(phonemes)
    for index in range(1, len(made)):
        before, stop = made[index - 1], made[index]
        if stop.symbol.strip("ˈˌ")[:1] in _STOPS:
            start = stop.start - min(_CLOSURE_SECONDS, (before.end - before.start) / 2)
            made[index - 1] = replace(before, end=start)
            made[index] = replace(stop, start=start)
    return tuple(made)
