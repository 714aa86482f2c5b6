"""Voices for other languages: espeak-ng in a process of its own, plainly synthetic."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import spoken
from talkingphoto.integrations.video.engine.spoken import Phoneme, Speech

_CHILD = (sys.executable, "-m", "talkingphoto.integrations.video.engine.espeak_process")
_TIMEOUT_SECONDS = 25.0
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
            samples = np.frombuffer(answer[4 + size :], dtype="<i2") / np.float32(32768)
        except (ValueError, KeyError, TypeError) as error:
            raise port.EngineFault(_STOPPED) from error
        phonemes = _phonemes(starts, rate=rate, length=len(samples))
        if all(phoneme.symbol == spoken.PAUSE for phoneme in phonemes):
            raise port.EngineFault(_NOTHING)
        return spoken.trimmed(Speech(samples, rate, phonemes))

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
    named = [("", 0), *starts, ("", length)]
    made: list[Phoneme] = []
    at = 0
    for (name, _), (_, following) in itertools.pairwise(named):
        symbol = name if name.strip("ˈˌː_") and not name.startswith("(") else spoken.PAUSE
        start, at = at, min(max(following, at), length)
        if symbol == spoken.PAUSE and (start == at or (made and made[-1].symbol == symbol)):
            if made and made[-1].symbol == symbol:
                made[-1] = Phoneme(symbol, made[-1].start, at / rate)
            continue
        made.append(Phoneme(symbol, start / rate, at / rate))
    return tuple(made)
