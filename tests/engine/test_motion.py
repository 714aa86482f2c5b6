"""The head, the lids and the brows of a speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine.motion import FRAMES_PER_SECOND, Motion, motion


@dataclass(frozen=True)
class Spoken:
    """Speech from 0.3 seconds after the start to 0.3 before the end, stressed twice a second."""

    accents: NDArray[np.float64]
    loudness: NDArray[np.float64]
    activity: NDArray[np.float64]


def spoken(seconds: float) -> Spoken:
    time = np.arange(round(seconds * FRAMES_PER_SECOND)) / FRAMES_PER_SECOND
    speaking = ((time > 0.3) & (time < seconds - 0.3)).astype(np.float64)
    beat = np.maximum(0, np.sin(2 * np.pi * 2 * time)) ** 4
    return Spoken(accents=beat * speaking, loudness=0.8 * speaking, activity=speaking)


def moved(seconds: float, seed: int) -> Motion:
    return motion(spoken(seconds), eye_distance=150.0, seed=seed)


def blinks(blink: NDArray[np.float32]) -> int:
    shut = (blink > 0.5).astype(int)
    return int((np.diff(shut, prepend=0) == 1).sum())


def test_the_same_seed_gives_the_same_motion() -> None:
    first, again = moved(6, 7), moved(6, 7)
    assert np.array_equal(first.head, again.head)
    assert np.array_equal(first.blink, again.blink)
    assert np.array_equal(first.brow, again.brow)


def test_another_seed_gives_another_motion() -> None:
    assert not np.array_equal(moved(6, 7).head, moved(6, 8).head)


@settings(max_examples=40, deadline=None)
@given(seed=some.integers(0, 2**32 - 1), seconds=some.floats(2.0, 45.0))
def test_blinks_come_between_6_and_30_times_a_minute(seed: int, seconds: float) -> None:
    frames = moved(seconds, seed).blink
    a_minute = blinks(frames) * 60 / (len(frames) / FRAMES_PER_SECOND)
    assert 6 <= a_minute <= 30


@settings(max_examples=40, deadline=None)
@given(seed=some.integers(0, 2**32 - 1))
def test_the_head_stays_within_a_few_degrees_and_does_not_jump(seed: int) -> None:
    head = moved(8, seed).head
    turns = np.degrees(head[:, :3])
    assert np.abs(turns).max() < 4
    # 25 frames a second: half a degree a frame would be 12 degrees a second.
    assert np.abs(np.diff(turns, axis=0)).max() < 0.5
    assert np.abs(np.diff(head[:, 3:], axis=0)).max() < 0.01 * 150


def test_a_clip_begins_and_ends_at_rest_with_open_eyes() -> None:
    for seed in range(20):
        clip = moved(5, seed)
        for frame in (0, -1):
            assert np.abs(clip.head[frame]).max() == 0
            assert clip.blink[frame] == clip.brow[frame] == 0


def test_a_blink_shuts_the_eye_for_less_than_half_a_second() -> None:
    for seed in range(20):
        down = moved(10, seed).blink
        assert down.max() == pytest.approx(1, abs=0.05)
        longest = max(len(run) for run in "".join("x" if b > 0 else " " for b in down).split())
        assert 4 <= longest <= 10


def test_stress_raises_the_brows_and_nods_the_head() -> None:
    stressed = spoken(8)
    plain = Spoken(np.zeros_like(stressed.accents), stressed.loudness, stressed.activity)
    with_stress = motion(stressed, eye_distance=150, seed=3)
    without = motion(plain, eye_distance=150, seed=3)
    assert with_stress.brow.mean() > without.brow.mean() + 0.05
    assert with_stress.head[:, 1].mean() < without.head[:, 1].mean()


def test_a_short_pause_keeps_the_face_of_a_speaker_and_a_long_one_does_not() -> None:
    for pause_seconds, kept in ((0.4, True), (1.6, False)):
        said = spoken(6)
        pause = slice(75, 75 + round(pause_seconds * FRAMES_PER_SECOND))
        said.activity[pause] = 0.0
        speaking = motion(said, eye_distance=150, seed=1).speaking
        assert bool(speaking[pause].min() == 1) is kept
        assert speaking[0] == speaking[-1] == 0
