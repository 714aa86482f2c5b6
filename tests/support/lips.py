"""What a mouth does in a finished video, and whether that is what is being said.

Lengths are shares of the distance between the outer corners of the eyes. A lag is positive when
the mouth comes after the sound.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.support import film
from tests.support.landmarks import Landmarker, Points

Series = NDArray[np.float64]
Frames = NDArray[np.intp]

FRAME_SECONDS = 1 / 25
CLOSED_SOUNDS = frozenset("pbm")
# Open vowels, and the diphthongs that begin as one (A-sounds of Misaki's alphabet: I, W).
OPEN_SOUNDS = frozenset("ɑaɐɒæʌɔIW")  # noqa: RUF001
_MIDDLE_SOUNDS = frozenset("eɛɜəᵊɚɝoOAYɪiuʊQ")  # noqa: RUF001
_LIP_PAIRS = ((82, 87), (13, 14), (312, 317))
_EYES = ((159, 145, 33, 133), (386, 374, 263, 362))
_STRESS_MARKS = frozenset("ˈˌ")
# Between two words of one breath; a mouth does not close for it.
_WORD_GAP_SECONDS = 0.09
# A lid has come down when the eye is under this share of its usual height, up again above that:
# speech alone moves the share between 0.93 and 1.04, a blink takes it to 0.57-0.81.
_SHUT, _OPEN = 0.87, 0.91
_LAGS = np.arange(-0.24, 0.2401, 0.01)


class Sounded(Protocol):
    """A phoneme: its IPA symbol, and when it begins and ends in seconds of the speech."""

    @property
    def symbol(self) -> str:
        """The IPA symbol."""

    @property
    def start(self) -> float:
        """When it begins."""

    @property
    def end(self) -> float:
        """When it ends."""


@dataclass(frozen=True)
class Heard:
    """A phoneme without marks: its symbol, and its seconds of the speech."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class Watched:
    """A face through a whole film: one value a frame of each."""

    times: Series
    gaps: Series
    widths: Series
    eyes: Series
    scores: Series

    def during(self, start: float, end: float) -> Frames:
        """The numbers of the frames on the screen within half a frame of those seconds."""
        near = FRAME_SECONDS / 2
        return np.flatnonzero((self.times >= start - near) & (self.times <= end + near))


def watch(path: Path, landmarker: Landmarker) -> Watched:
    """The face of every frame, each measured in the same crop: where the first frame has it."""
    rows = []
    box = None
    for second, picture in film.pictures(path):
        box = box or landmarker.only_face(picture)
        seen = landmarker.look(picture, box)
        rows.append((second, *_measures(seen.points), seen.score))
    times, gaps, widths, eyes, scores = np.array(rows, np.float64).T
    return Watched(times, gaps, widths, eyes, scores)


def gap(points: Points) -> float:
    """How far the inner edges of the lips are apart, as a share of the eye distance."""
    return _measures(points)[0]


def _measures(points: Points) -> tuple[float, float, float]:
    between_eyes = _apart(points, 33, 263)
    gaps = [_apart(points, upper, lower) for upper, lower in _LIP_PAIRS]
    eyes = [
        _apart(points, top, low) / _apart(points, outer, inner) for top, low, outer, inner in _EYES
    ]
    width = _apart(points, 61, 291)
    return float(np.mean(gaps)) / between_eyes, width / between_eyes, float(np.mean(eyes))


def _apart(points: Points, one: int, other: int) -> float:
    return float(np.hypot(*(points[one] - points[other])))


def without_marks(sounds: Sequence[Sounded]) -> list[Heard]:
    """The phonemes by their first letters; a mark of its own lends its time to the sound it is of.

    A stress mark stands before its sound, other marks after it; the short gap between two words
    belongs to the first.
    """
    heard: list[Heard] = []
    stressed_at: float | None = None
    for each in sounds:
        letter = next((sign for sign in each.symbol if not _is_mark(sign)), "")
        gap = not letter.isalpha() and each.end - each.start < _WORD_GAP_SECONDS
        if not letter and each.symbol[0] in _STRESS_MARKS:
            stressed_at = each.start if stressed_at is None else stressed_at
        elif heard and (not letter or gap):
            heard[-1] = Heard(heard[-1].symbol, heard[-1].start, each.end)
        else:
            heard.append(
                Heard(letter, each.start if stressed_at is None else stressed_at, each.end)
            )
            stressed_at = None
    return heard


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) in ("Lm", "Mn")


def closures(watched: Watched, sounds: Sequence[Sounded], *, begins: float) -> list[float]:
    """The narrowest gap in each p, b and m; the speech begins at that second of the film."""
    return [
        float(watched.gaps[watched.during(begins + each.start, begins + each.end)].min())
        for each in without_marks(sounds)
        if each.symbol in CLOSED_SOUNDS
    ]


def openings(watched: Watched, sounds: Sequence[Sounded], *, begins: float) -> list[float]:
    """The widest gap in each open vowel."""
    return [
        float(watched.gaps[watched.during(begins + each.start, begins + each.end)].max())
        for each in without_marks(sounds)
        if each.symbol in OPEN_SOUNDS
    ]


def blinks(watched: Watched) -> int:
    """How often the lids came down and went up again."""
    usual = float(np.percentile(watched.eyes, 75))
    down, count = False, 0
    for share in watched.eyes / usual:
        if not down and share < _SHUT:
            down, count = True, count + 1
        elif down and share > _OPEN:
            down = False
    return count


def speech_begins(sound: film.Sound, spoken: NDArray[np.float32], rate: int) -> float:
    """The second of the film at which the first sample of that speech is heard."""
    # 8 kHz is enough to place it within an eighth of a millisecond.
    common = 8_000
    heard = _at_rate(sound.samples, film.SOUND_RATE, common)
    said = _at_rate(spoken, rate, common)
    size = 1 << int(np.ceil(np.log2(len(heard) + len(said))))
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    likeness = np.fft.irfft(product, size)
    place = int(np.argmax(np.abs(likeness)))
    return sound.start + (place if place < size // 2 else place - size) / common


def _at_rate(samples: NDArray[np.float32], rate: int, wanted: int) -> Series:
    times = np.arange(int(len(samples) * wanted / rate)) / wanted
    window = max(1, rate // wanted)
    soft = np.convolve(samples, np.ones(window) / window, "same")
    return np.asarray(np.interp(times, np.arange(len(samples)) / rate, soft))


def loudness_lag(films: Sequence[tuple[Watched, film.Sound]]) -> float:
    """Seconds by which the opening of the mouth follows the loudness, over all the films together.

    A single sentence has too few syllables: it may fit as well one syllable later.
    """
    likeness = np.zeros(len(_LAGS))
    for watched, sound in films:
        fine = np.arange(watched.times[0], watched.times[-1], 0.005)
        likeness += _likeness(watched, fine, np.sqrt(sound.loudness(fine)))
    return _peak(likeness)


def phoneme_lag(watched: Watched, sounds: Sequence[Sounded], *, begins: float) -> float:
    """Seconds by which the mouth follows the opening that the phonemes ask for."""
    fine = np.arange(watched.times[0], watched.times[-1], 0.005)
    return _peak(_likeness(watched, fine, expected_opening(sounds, fine - begins)))


def expected_opening(sounds: Sequence[Sounded], seconds: Series) -> Series:
    """What an eye expects: 1 in open vowels, 0 in closures, moving at the pace of a jaw."""
    wanted = np.zeros_like(seconds)
    for each in without_marks(sounds):
        inside = (seconds >= each.start) & (seconds < each.end)
        wanted[inside] = _opening_of(each.symbol)
    # A jaw takes about a tenth of a second: a bell of 35 ms standard deviation.
    step = float(seconds[1] - seconds[0])
    bell = np.exp(-0.5 * (np.arange(-0.12, 0.1201, step) / 0.035) ** 2)
    return np.asarray(np.convolve(wanted, bell / bell.sum(), "same"))


def _opening_of(symbol: str) -> float:
    if symbol in OPEN_SOUNDS:
        return 1.0
    if symbol in _MIDDLE_SOUNDS:
        return 0.55
    return 0.0 if symbol in CLOSED_SOUNDS or not symbol.isalpha() else 0.25


def _likeness(watched: Watched, seconds: Series, expected: Series) -> Series:
    """For each lag: how like the expected opening is what the mouth does so much later."""
    return np.array(
        [
            np.corrcoef(expected, np.interp(seconds + lag, watched.times, watched.gaps))[0, 1]
            for lag in _LAGS
        ]
    )


def _peak(likeness: Series) -> float:
    """The lag of the greatest likeness, between two lags by a parabola."""
    best = int(np.clip(np.argmax(likeness), 1, len(_LAGS) - 2))
    before, peak, after = likeness[best - 1 : best + 2]
    bend = before - 2 * peak + after
    return float(_LAGS[best] + (0.5 * (before - after) / bend if bend else 0.0) * 0.01)
