"""How the mouth moves while speech is heard: smooth curves at the video's frames.

Each sound pulls the mouth towards its shape, neighbours overlap (a weighted form of Cohen and
Massaro's dominance functions, 1993), and what eyes check is then made certain: lips meet for
p, b and m in at least one frame, the lower lip meets the teeth for f and v.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import spoken, visemes
from talkingphoto.integrations.video.engine.spoken import Speech
from talkingphoto.integrations.video.engine.visemes import Contact, Viseme

Curve = NDArray[np.float64]

FPS = 25
# Five and eight frames: the face is seen at rest before and after.
LEAD_SECONDS = 0.2
TAIL_SECONDS = 0.32
OPEN, WIDTH, ROUND, UPPER, TONGUE, PRESS = range(6)

_RATE = 200
# Lips are seen to move a little before they are heard.
_AHEAD_SECONDS = 0.01
# How far a sound reaches into its neighbours: the jaw is quick, lip rounding is planned early.
_JAW_SECONDS = 0.026
_LIPS_SECONDS = 0.045
# A pause shorter than this is the gap between two words, in which the mouth does not rest.
_REST_SECONDS = 0.12
# Longer than a frame, so that a frame falls into it wherever the frames begin.
_LEAST_CONTACT_SECONDS = 1 / FPS + 2.5 / _RATE
_MOST_CONTACT_SECONDS = 0.08
# The rest of the sound is the way there and back, so that a short vowel between two is seen.
_CONTACT_SHARE = 0.7
_CONTACT_RAMP_SECONDS = 0.035
_ACCENT_SECONDS = 0.09
_ACTIVITY_SECONDS = 0.12
_LOUD_PERCENTILE = 92


@dataclass(frozen=True)
class Articulation:
    """The mouth at each frame: `shapes` (n, 6) in the order of `visemes.Shape`, and what drives
    the head: `accents` (n,), about 1 on a stressed vowel; `loudness` (n,), 1 is loud; `activity`
    (n,), from 0 at rest to 1 while speaking."""

    shapes: NDArray[np.float64]
    accents: Curve
    loudness: Curve
    activity: Curve


@dataclass(frozen=True)
class _Segment:
    start: float
    end: float
    viseme: Viseme
    stress: float


def frame_count(speech: Speech) -> int:
    """How many frames the speech takes with the rest before and after it."""
    return math.ceil(round((LEAD_SECONDS + speech.seconds + TAIL_SECONDS) * FPS, 6))


def articulate(speech: Speech, *, frames: int) -> Articulation:
    """The mouth at k/FPS for each frame k; the speech begins at LEAD_SECONDS."""
    grid = np.arange(math.ceil(frames / FPS * _RATE) + _RATE) / _RATE
    loudness = _loudness(speech, grid)
    segments = list(_segments(speech))
    curves = _blended(segments, loudness, grid)
    for contact in (Contact.TEETH, Contact.LIPS):
        _touch(curves, [s for s in segments if s.viseme.contact is contact], grid)
    at = np.arange(frames) / FPS
    seen = [np.interp(at + _AHEAD_SECONDS, grid, curve) for curve in curves.T]
    return Articulation(
        shapes=np.stack(seen, axis=1),
        accents=np.interp(at, grid, _accents(segments, grid)),
        loudness=np.interp(at, grid, loudness),
        activity=np.interp(at, grid, _activity(segments, grid)),
    )


def _segments(speech: Speech) -> Iterator[_Segment]:
    """What is seen, in order, at the video's times; short pauses are left to their neighbours."""
    yield _Segment(-1.0, LEAD_SECONDS, visemes.REST, 0.0)
    for phoneme in speech.phonemes:
        start, end = phoneme.start + LEAD_SECONDS, phoneme.end + LEAD_SECONDS
        sound = visemes.sound(phoneme.symbol)
        if phoneme.symbol == spoken.PAUSE and end - start >= _REST_SECONDS:
            yield _Segment(start, end, visemes.REST, 0.0)
        for index, viseme in enumerate(sound.visemes):
            step = (end - start) / len(sound.visemes)
            yield _Segment(start + index * step, start + (index + 1) * step, viseme, sound.stress)
    yield _Segment(LEAD_SECONDS + speech.seconds, math.inf, visemes.REST, 0.0)


def _loudness(speech: Speech, grid: Curve) -> Curve:
    """The level of the speech, 1 where it is loud, 0 where it is silent."""
    window = speech.sample_rate // FPS
    level = np.sqrt(
        np.convolve(speech.samples.astype(np.float64) ** 2, np.ones(window) / window, "same")
    )
    times = np.arange(len(level)) / speech.sample_rate + LEAD_SECONDS
    loud = float(np.percentile(level[level > level.max() / 100], _LOUD_PERCENTILE))
    return np.clip(np.interp(grid, times, level, 0.0, 0.0) / loud, 0.0, 1.0)


def _blended(segments: list[_Segment], loudness: Curve, grid: Curve) -> NDArray[np.float64]:
    """Each part of the mouth as the mean of the shapes around, by nearness and by weight."""
    targets = np.zeros((len(grid), 6))
    weights = np.zeros((len(grid), 6))
    for segment in segments:
        during = _during(segment, grid)
        shape = np.array(segment.viseme.shape)
        if segment.viseme.vowel:
            shape[OPEN] *= _opening(segment, loudness[during])
        targets[during] = shape
        weights[during] = segment.viseme.lips
        weights[during, OPEN] = weights[during, TONGUE] = segment.viseme.jaw
    curves = np.empty_like(targets)
    for part in range(6):
        reach = _JAW_SECONDS if part in (OPEN, UPPER, TONGUE, PRESS) else _LIPS_SECONDS
        pull = _smooth(targets[:, part] * weights[:, part], reach)
        # Where nothing pulls, as in a gap between words, the neighbours' tails still do.
        curves[:, part] = pull / np.maximum(_smooth(weights[:, part], reach), 1e-9)
    return curves


def _opening(segment: _Segment, loudness: Curve) -> float:
    """How far a vowel opens of what it could: stressed and loud ones more."""
    heard = float(loudness.mean()) if len(loudness) else 1.0
    return (0.55 + 0.45 * segment.stress) * min(max(0.7 + 0.35 * heard, 0.65), 1.05)


def _touch(curves: NDArray[np.float64], segments: list[_Segment], grid: Curve) -> None:
    """The lips, or lip and teeth, meet during each of these sounds for at least a frame."""
    for segment in segments:
        length = min(_CONTACT_SHARE * (segment.end - segment.start), _MOST_CONTACT_SECONDS)
        half = max(length, _LEAST_CONTACT_SECONDS) / 2
        centre = (segment.start + segment.end) / 2
        away = np.maximum(np.abs(grid - centre) - half, 0.0) / _CONTACT_RAMP_SECONDS
        share = 0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1.0))
        for part in (OPEN, UPPER, PRESS):
            wanted = segment.viseme.shape[part]
            curves[:, part] += (wanted - curves[:, part]) * share


def _accents(segments: list[_Segment], grid: Curve) -> Curve:
    """A swell at each vowel with the main stress, higher for a longer one."""
    accents = np.zeros_like(grid)
    for segment in segments:
        if segment.viseme.vowel and segment.stress >= 1.0:
            centre, length = (segment.start + segment.end) / 2, segment.end - segment.start
            height = min(max(length / 0.12, 0.4), 1.3)
            accents += height * np.exp(-0.5 * ((grid - centre) / _ACCENT_SECONDS) ** 2)
    return np.minimum(accents, 1.5)


def _activity(segments: list[_Segment], grid: Curve) -> Curve:
    """1 while speaking, 0 at rest, with soft edges."""
    speaking = np.ones_like(grid)
    for segment in segments:
        if segment.viseme is visemes.REST:
            speaking[_during(segment, grid)] = 0.0
    return np.clip(_smooth(speaking, _ACTIVITY_SECONDS), 0.0, 1.0)


def _during(segment: _Segment, grid: Curve) -> slice:
    """The part of the grid a segment takes, at least one step."""
    first = max(round(segment.start * _RATE), 0)
    last = len(grid) if math.isinf(segment.end) else round(segment.end * _RATE)
    return slice(first, max(last, first + 1))


def _smooth(curve: Curve, reach_seconds: float) -> Curve:
    """The curve under a Gaussian of that standard deviation."""
    half = math.ceil(4 * reach_seconds * _RATE)
    bell = np.exp(-0.5 * (np.arange(-half, half + 1) / (reach_seconds * _RATE)) ** 2)
    return np.convolve(np.pad(curve, half, mode="edge"), bell / bell.sum(), "valid")
