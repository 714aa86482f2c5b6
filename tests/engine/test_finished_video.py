"""The mp4 that a customer gets, decoded again and judged by what can be seen and heard in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.engine.takes import ANN, ASTRONAUT, BASIC, ENGLISH, GERMAN, NEURAL, Studio, Take
from tests.support import film, lips, tears
from tests.support.landmarks import Landmarker

SPOKEN = {
    f"{voice}-{number}": (voice, text)
    for voice, texts in ((NEURAL, ENGLISH), (BASIC, GERMAN))
    for number, text in enumerate(texts, 1)
}
# Inner lips this near are closed: 0.005 to 0.012 of the eye distance is what closed lips read.
CLOSED = 0.02
ONE_FRAME = 0.04


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("takes"))


@pytest.fixture(scope="module")
def closed_mouth(studio: Studio) -> dict[str, Take]:
    """The drawn face, whose lips are closed, says every sentence."""
    return {name: studio.take(ANN, text, voice) for name, (voice, text) in SPOKEN.items()}


@pytest.fixture(scope="module")
def smile(studio: Studio) -> dict[str, Take]:
    """The astronaut, who shows her teeth, says the first sentence of each voice."""
    first = {name: said for name, said in SPOKEN.items() if name.endswith("-1")}
    return {f"smile {n}": studio.take(ASTRONAUT, text, voice) for n, (voice, text) in first.items()}


@pytest.fixture(scope="module")
def takes(closed_mouth: dict[str, Take], smile: dict[str, Take]) -> dict[str, Take]:
    return closed_mouth | smile


@pytest.fixture(params=SPOKEN)
def spoken(request: pytest.FixtureRequest, closed_mouth: dict[str, Take]) -> Iterator[Take]:
    yield closed_mouth[request.param]


def test_the_face_is_found_in_every_frame(takes: dict[str, Take]) -> None:
    for name, take in takes.items():
        assert take.watched.scores.min() > 0.9, name


def test_every_p_b_and_m_closes_the_lips(spoken: Take) -> None:
    gaps = lips.closures(spoken.watched, spoken.said.phonemes, begins=spoken.begins)
    assert len(gaps) >= 4
    assert max(gaps) < CLOSED, gaps


def test_open_vowels_open_the_mouth_at_least_four_times_as_wide(spoken: Take) -> None:
    sounds = spoken.said.phonemes
    closed = lips.closures(spoken.watched, sounds, begins=spoken.begins)
    opened = lips.openings(spoken.watched, sounds, begins=spoken.begins)
    assert len(opened) >= 4
    assert np.median(opened) >= 4 * np.median(closed), (opened, closed)


def test_lips_that_touch_on_a_smile_come_nearer_than_in_its_vowels(smile: dict[str, Take]) -> None:
    # Between the teeth of a grin the models see lips apart even where they touch.
    for name, take in smile.items():
        closed = lips.closures(take.watched, take.said.phonemes, begins=take.begins)
        opened = lips.openings(take.watched, take.said.phonemes, begins=take.begins)
        assert np.median(opened) > 1.5 * np.median(closed), name


def test_mouth_and_sound_are_together_within_a_frame(takes: dict[str, Take]) -> None:
    lags = {
        name: lips.phoneme_lag(take.watched, take.said.phonemes, begins=take.begins)
        for name, take in takes.items()
    }
    assert max(map(abs, lags.values())) <= ONE_FRAME, lags


@pytest.mark.parametrize("voice", [NEURAL, BASIC])
def test_the_mouth_opens_with_the_loudness_within_a_frame(
    closed_mouth: dict[str, Take], voice: str
) -> None:
    spoken = [take for name, take in closed_mouth.items() if name.startswith(voice)]
    lag = lips.loudness_lag([(take.watched, take.sound) for take in spoken])
    assert abs(lag) <= ONE_FRAME, lag


def test_sound_and_picture_begin_together(takes: dict[str, Take]) -> None:
    for name, take in takes.items():
        assert abs(film.start_offset(take.path)) < ONE_FRAME, name


def test_people_blink_six_to_thirty_times_a_minute(takes: dict[str, Take]) -> None:
    counted = sum(lips.blinks(take.watched) for take in takes.values())
    minutes = sum(take.seconds for take in takes.values()) / 60
    assert 6 <= counted / minutes <= 30


def test_no_frame_has_a_hole_or_a_tear(takes: dict[str, Take]) -> None:
    landmarker = Landmarker()
    for name, take in takes.items():
        worst = tears.TearCheck(take.picture, landmarker).worst(take.path)
        assert worst.share < tears.SMALLEST, (name, worst)


def test_speech_is_as_loud_as_platforms_expect(closed_mouth: dict[str, Take]) -> None:
    for name, take in closed_mouth.items():
        assert film.integrated_loudness(take.path) == pytest.approx(-16, abs=1), name


def test_the_same_seed_makes_the_same_video(studio: Studio, closed_mouth: dict[str, Take]) -> None:
    before = closed_mouth[f"{NEURAL}-1"]
    frames = [frame.copy() for _, frame in film.pictures(before.path)]
    again = studio.take(ANN, ENGLISH[0], NEURAL)
    pairs = zip(frames, film.pictures(again.path), strict=True)
    assert all(np.array_equal(frame, same) for frame, (_, same) in pairs)
