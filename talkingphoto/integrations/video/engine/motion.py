"""What a speaker does besides the mouth: small turns and nods of the head, blinks, the brows.

All of it follows from the speech and a seed. Amplitudes were set by eye for a restrained
speaker; the head stays within three degrees, where the warp of one photo still convinces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

FRAMES_PER_SECOND = 25

# Slow wandering of the head: amplitude in radians (shifts in eye distances) and rate in hertz.
YAW_DRIFT, PITCH_DRIFT, ROLL_DRIFT = (0.036, 0.23), (0.016, 0.31), (0.015, 0.19)
RIGHT_DRIFT, DOWN_DRIFT = (0.006, 0.17), (0.006, 0.27)
# Stress nods the head; a phrase turns it to one side or the other.
NOD, NOD_DOWN = 0.026, 0.011
PHRASE_YAW, PHRASE_ROLL, PHRASE_SECONDS = 0.015, 0.007, 0.8
# A listener's head moves by this part of a speaker's.
QUIET = 0.45
NOD_SECONDS, PHRASE_SMOOTH_SECONDS, LOUDNESS_SMOOTH_SECONDS = 0.09, 0.30, 0.24
EASE_SECONDS = 0.6

# In a pause up to this long the face stays a speaker's; activity from there on is speech.
HELD_SECONDS, SPOKEN_FROM = 0.8, 0.5

BROW_ON_STRESS, BROW_DRIFT, BROW_SECONDS = 0.50, (0.12, 0.25), 0.12

# About 16 a minute. People blink 17 times at rest, 26 in conversation (Bentivoglio et al., 1997).
FIRST_BLINK_SECONDS = (0.9, 1.45)
BLINK_APART_SECONDS = (2.6, 5.0)
# However short the clip, it has at most one blink in so many seconds: 30 a minute.
FEWEST_SECONDS_PER_BLINK = 2.0
NO_BLINK_AT_END_SECONDS = 0.5
# A lid falls twice as fast as it rises.
LID_FALLS_SECONDS, LID_RESTS_SECONDS, LID_RISES_SECONDS = 0.08, 0.04, 0.16


class Speaking(Protocol):
    """What of an articulation moves the head: one value a frame, each (n,)."""

    @property
    def accents(self) -> Series:
        """How stressed the moment is, about 0 to 1."""

    @property
    def loudness(self) -> Series:
        """How loud, 0 to 1."""

    @property
    def activity(self) -> Series:
        """1 while there is speech, 0 at rest."""


@dataclass(frozen=True)
class Motion:
    """What each frame shows besides the sounds.

    `head` (n, 5) is as HeadPose; the others are (n,), 0 to 1: how far the lids are down and the
    brows up, and how far the face has left the photo's own expression for that of a speaker.
    """

    head: NDArray[np.float32]
    blink: NDArray[np.float32]
    brow: NDArray[np.float32]
    speaking: NDArray[np.float32]


def motion(articulation: Speaking, *, eye_distance: float, seed: int) -> Motion:
    """The same for the same seed; both ends are at rest, with open eyes."""
    chance = np.random.default_rng(seed)
    frames = len(articulation.activity)
    seconds = np.arange(frames) / FRAMES_PER_SECOND
    ease = _eased(seconds)
    head = _head(articulation, seconds, eye_distance, chance) * ease[:, None]
    brow = BROW_ON_STRESS * _smoothed(articulation.accents, BROW_SECONDS)
    brow = np.clip(brow + _drift(seconds, BROW_DRIFT, chance), 0, 1) * ease
    blink = _lids(seconds, blink_starts(frames / FRAMES_PER_SECOND, chance))
    speaking = _held(articulation.activity)
    return Motion(*(part.astype(np.float32) for part in (head, blink, brow, speaking)))


def blink_starts(duration: float, chance: np.random.Generator) -> tuple[float, ...]:
    """When the blinks of a clip of that many seconds begin: 6 to 30 a minute from 2 seconds on."""
    starts: list[float] = []
    start = float(chance.uniform(*FIRST_BLINK_SECONDS))
    most = int(duration / FEWEST_SECONDS_PER_BLINK)
    while start < duration - NO_BLINK_AT_END_SECONDS and len(starts) < most:
        starts.append(start)
        start += float(chance.uniform(*BLINK_APART_SECONDS))
    return tuple(starts)


def _held(activity: Series) -> Series:
    """The activity, its short pauses filled: a smile does not flash up at a comma."""
    held = np.array(activity, np.float64)
    spoken = np.flatnonzero(held >= SPOKEN_FROM)
    for before, after in pairwise(spoken):
        if after - before <= HELD_SECONDS * FRAMES_PER_SECOND:
            held[before + 1 : after] = np.maximum(held[before + 1 : after], 1.0)
    return held


def _lids(seconds: Series, starts: tuple[float, ...]) -> Series:
    down = np.zeros_like(seconds)
    for start in starts:
        since = seconds - start
        falling = since / LID_FALLS_SECONDS
        rising = 1 - (since - LID_FALLS_SECONDS - LID_RESTS_SECONDS) / LID_RISES_SECONDS
        down = np.maximum(down, np.clip(np.minimum(falling, rising), 0, 1))
    return np.asarray(down * down * (3 - 2 * down))


def _head(
    articulation: Speaking, seconds: Series, eye_distance: float, chance: np.random.Generator
) -> Series:
    loudness = articulation.loudness
    lively = QUIET + (1 - QUIET) * np.clip(_smoothed(loudness, LOUDNESS_SMOOTH_SECONDS), 0, 1)
    nod = np.clip(_smoothed(articulation.accents, NOD_SECONDS), 0, 1)
    turn = _smoothed(_sides(seconds, chance) * np.clip(loudness, 0, 1), PHRASE_SMOOTH_SECONDS)
    yaw = _drift(seconds, YAW_DRIFT, chance) * lively + PHRASE_YAW * turn
    pitch = _drift(seconds, PITCH_DRIFT, chance) * lively - NOD * nod
    roll = _drift(seconds, ROLL_DRIFT, chance) * lively + PHRASE_ROLL * turn
    right = _drift(seconds, RIGHT_DRIFT, chance) * eye_distance
    down = (_drift(seconds, DOWN_DRIFT, chance) + NOD_DOWN * nod) * eye_distance
    return np.stack([yaw, pitch, roll, right, down], axis=1)


def _sides(seconds: Series, chance: np.random.Generator) -> Series:
    """For every moment the side the phrase turns to, -1 to 1."""
    corners = np.arange(0, len(seconds) / FRAMES_PER_SECOND + 2 * PHRASE_SECONDS, PHRASE_SECONDS)
    sides = chance.choice([-1.0, 1.0], len(corners)) * chance.uniform(0.3, 1.0, len(corners))
    return np.interp(seconds, corners, sides)


def _drift(
    seconds: Series, amplitude_and_rate: tuple[float, float], chance: np.random.Generator
) -> Series:
    """A slow wave that does not seem to repeat, within the amplitude."""
    amplitude, rate = amplitude_and_rate
    wave, weights = np.zeros_like(seconds), 0.0
    for harmonic in (1, 2, 3):
        weight = float(chance.uniform(0.5, 1.0)) / harmonic
        hertz = rate * harmonic * float(chance.uniform(0.8, 1.25))
        wave += weight * np.sin(2 * np.pi * (hertz * seconds + float(chance.uniform())))
        weights += weight
    return amplitude / weights * wave


def _eased(seconds: Series) -> Series:
    """0 at the first and the last frame, 1 from EASE_SECONDS within."""
    if not len(seconds):
        return seconds
    part = np.clip(np.minimum(seconds, seconds[-1] - seconds) / EASE_SECONDS, 0, 1)
    return np.asarray(part * part * (3 - 2 * part))


def _smoothed(values: Series, sigma_seconds: float) -> Series:
    """The values under a Gaussian window of that standard deviation."""
    sigma = sigma_seconds * FRAMES_PER_SECOND
    reach = int(np.ceil(3 * sigma))
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(np.asarray(values, np.float64), reach, "edge")
    return np.convolve(padded, window / window.sum(), "valid")
