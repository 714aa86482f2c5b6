"""What speech is to the engine: samples, and which sound is heard from when to when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# The symbol of a pause: between words, at a comma, before and after the speech.
PAUSE = "_"
# What is quieter than this share of the loudest moment is silence (-40 dB).
_SILENCE = 0.01
_WINDOW_SECONDS = 0.01
# Kept around what is heard: a soft attack and the end of a breath are below the threshold.
_BEFORE_SECONDS = 0.01
_AFTER_SECONDS = 0.04
# A stop is closed, and silent, for up to this long before it is heard.
_CLOSURE_SECONDS = 0.08
_FADE_SECONDS = 0.005


@dataclass(frozen=True)
class Phoneme:
    """One sound or pause and its place in the speech, in seconds.

    `symbol` is IPA, or misaki's alphabet for the neural voice, led by a stress mark if stressed.
    """

    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """Mono samples between -1 and 1, and phonemes that follow one another from 0 to their end."""

    samples: NDArray[np.float32]
    sample_rate: int
    phonemes: tuple[Phoneme, ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.sample_rate


class Voice(Protocol):
    """Who reads a text aloud."""

    def say(self, text: str, *, seed: int) -> Speech:
        """The text as speech, the same for the same seed (0 or more)."""


def trimmed(speech: Speech) -> Speech:
    """The speech without the silence around it: it starts and ends with what is heard."""
    start, end = _heard(speech)
    first, last = (round(t * speech.sample_rate) for t in (start, end))
    samples = speech.samples[first:last].copy()
    fade = min(round(_FADE_SECONDS * speech.sample_rate), len(samples) // 2)
    # A cut through breath would click.
    samples[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    offset, length = first / speech.sample_rate, len(samples) / speech.sample_rate
    kept = [
        Phoneme(p.symbol, max(p.start - offset, 0.0), min(p.end - offset, length))
        for p in speech.phonemes
        if p.end > offset and p.start - offset < length
    ]
    return Speech(samples, speech.sample_rate, _contiguous(kept, length))


def joined(parts: list[Speech], *, pause_seconds: float) -> Speech:
    """The parts one after another, with a pause of that length between them."""
    rate = parts[0].sample_rate
    gap = np.zeros(round(pause_seconds * rate), dtype=np.float32)
    samples: list[NDArray[np.float32]] = []
    phonemes: list[Phoneme] = []
    length = 0
    for part in parts:
        if samples:
            samples.append(gap)
            phonemes.append(Phoneme(PAUSE, length / rate, (length + len(gap)) / rate))
            length += len(gap)
        offset = length / rate
        moved = (replace(p, start=p.start + offset, end=p.end + offset) for p in part.phonemes)
        phonemes.extend(moved)
        samples.append(part.samples)
        length += len(part.samples)
    return Speech(np.concatenate(samples), rate, _contiguous(phonemes, length / rate))


def _heard(speech: Speech) -> tuple[float, float]:
    """From when to when something is heard, in seconds, with what is kept around it."""
    window = round(_WINDOW_SECONDS * speech.sample_rate)
    power = np.convolve(speech.samples.astype(np.float64) ** 2, np.ones(window) / window, "same")
    loud = np.flatnonzero(power > power.max() * _SILENCE**2)
    if not len(loud):
        return 0.0, speech.seconds
    start, end = loud[0] / speech.sample_rate, (loud[-1] + 1) / speech.sample_rate
    sounds = (p.start for p in speech.phonemes if p.symbol != PAUSE)
    closed = max(next(sounds, start), start - _CLOSURE_SECONDS)
    return (
        max(min(start - _BEFORE_SECONDS, closed), 0.0),
        min(end + _AFTER_SECONDS, speech.seconds),
    )


def _contiguous(phonemes: list[Phoneme], length: float) -> tuple[Phoneme, ...]:
    """The phonemes with rounding taken out: each starts where the one before ends."""
    made: list[Phoneme] = []
    for index, phoneme in enumerate(phonemes):
        start = made[-1].end if made else 0.0
        last = index == len(phonemes) - 1
        made.append(Phoneme(phoneme.symbol, start, length if last else max(phoneme.end, start)))
    return tuple(made)
