"""A process of its own that reads one text aloud by espeak-ng: text in, samples and phonemes out.

libespeak-ng is GPL-3-or-later, so that it is loaded here and nowhere else; the product talks to
it by its standard input and output. The argument is a language; the answer is four bytes with the
length of what follows (little-endian), JSON {"rate": Hz, "phonemes": [[IPA, start sample]]}, and
16-bit mono samples.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import resource
import signal
import sys
from typing import ClassVar

import espeakng_loader

# Beyond these something is wrong: 600 characters take 0.2 s, 60 MB and less than 5 minutes.
_MOST_SECONDS = 20
_MOST_BYTES = 512 << 20
_MOST_SPEECH_BYTES = 600 * 22_050 * 2
_MOST_TEXT_BYTES = 16_384
# speak_lib.h of espeak-ng 1.52.
_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 1 | 2
_PHONEME_EVENT = 7
_END_OF_EVENTS = 0
_RATE_PARAMETER = 1
_WORDS_PER_MINUTE = 155
_UTF8 = 1
# <sys/prctl.h>: the child is told when its parent ends.
_PR_SET_PDEATHSIG = 1


class _Id(ctypes.Union):
    _fields_: ClassVar = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def main() -> int:
    """Standard output has the speech, and the exit is 0; or it has nothing, and is not."""
    _limit()
    text = sys.stdin.buffer.read(_MOST_TEXT_BYTES)
    samples = bytearray()
    phonemes: list[tuple[str, int]] = []

    def take(wave: ctypes._Pointer[ctypes.c_short], count: int, events: object) -> int:
        if wave and count > 0:
            samples.extend(ctypes.string_at(wave, count * 2))
        phonemes.extend(_sounds(events))
        return int(len(samples) > _MOST_SPEECH_BYTES)

    rate = _speak(sys.argv[1], text, _Callback(take))
    if not samples or len(samples) > _MOST_SPEECH_BYTES:
        return 1
    head = json.dumps({"rate": rate, "phonemes": phonemes}).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, "little") + head + bytes(samples))
    return 0


def _limit() -> None:
    """Whatever happens, this process ends by itself and takes no more than it may."""
    signal.alarm(_MOST_SECONDS)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for limit, most in (
        (resource.RLIMIT_CPU, _MOST_SECONDS),
        (resource.RLIMIT_AS, _MOST_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        # Not every system lets a process choose each of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))


def _speak(language: str, text: bytes, callback: object) -> int:
    """Every sample and event of the text has gone through the callback; the rate in Hz."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate: int = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS_IN_IPA)
    if rate <= 0 or library.espeak_SetVoiceByName(language.encode()):
        sys.exit(f"espeak-ng does not speak {language}")
    library.espeak_SetParameter(_RATE_PARAMETER, _WORDS_PER_MINUTE, 0)
    library.espeak_SetSynthCallback(callback)
    ended = text + b"\0"
    library.espeak_Synth(ended, ctypes.c_size_t(len(ended)), 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return rate


def _sounds(events: object) -> list[tuple[str, int]]:
    """The phonemes among the events, each with the sample it starts at."""
    found: list[tuple[str, int]] = []
    index = 0
    while (event := events[index]).type != _END_OF_EVENTS:  # type: ignore[index]
        if event.type == _PHONEME_EVENT:
            name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "ignore")
            found.append((name, event.sample))
        index += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
