"""What judges the finished videos is judged itself: by pictures whose faults are known."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import film, lips, synthetic_face, tears
from tests.support.film import Picture
from tests.support.landmarks import Landmarker, Points, Seen

RATE = film.SOUND_RATE


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return Landmarker()


@pytest.fixture(scope="module")
def ann() -> Picture:
    return synthetic_face.portrait()


@pytest.fixture(scope="module")
def seen(landmarker: Landmarker, ann: Picture) -> Seen:
    return landmarker.look(ann, landmarker.only_face(ann))


@pytest.fixture(scope="module")
def check(landmarker: Landmarker, ann: Picture) -> tears.TearCheck:
    return tears.TearCheck(ann, landmarker)


@pytest.mark.parametrize("look", [synthetic_face.ANN, synthetic_face.BEN], ids=["ann", "ben"])
def test_a_drawn_face_is_found_with_closed_lips(
    landmarker: Landmarker, look: synthetic_face.Look
) -> None:
    picture = synthetic_face.portrait(look=look)
    (score, box), *others = landmarker.faces(picture)
    points = landmarker.look(picture, box)
    assert others == []
    assert score > 0.8
    assert points.score > 0.95
    assert lips.gap(points.points) < 0.02


def test_the_landmarks_lie_on_the_drawn_eyes_and_mouth(seen: Seen) -> None:
    # Centimetres of the drawing: the middle of the eyes, and of the lip line.
    scale = 640 * synthetic_face.FACE_SHARE
    drawn = {
        "right eye": (-3.14, 2.62, [33, 133]),
        "left eye": (3.14, 2.62, [362, 263]),
        "mouth": (0.0, -4.19, [13, 14]),
    }
    for name, (x, y, indices) in drawn.items():
        place = np.array([320 + x * scale, 320 - y * scale])
        distance = np.hypot(*(seen.points[indices].mean(axis=0) - place))
        assert distance < 0.05 * _eye_distance(seen.points), name


def test_two_people_are_two_faces(landmarker: Landmarker) -> None:
    assert len(landmarker.faces(synthetic_face.two_people())) == 2


def test_the_drawing_is_the_same_every_time(ann: Picture) -> None:
    assert np.array_equal(ann, synthetic_face.portrait())


def test_the_photo_itself_has_no_tear(check: tears.TearCheck, ann: Picture, seen: Seen) -> None:
    assert check.share(ann, seen.points) == 0


def _hole(level: int) -> Callable[[Picture, Points], None]:
    def spoil(picture: Picture, points: Points) -> None:
        side = round(0.12 * _eye_distance(points))
        x, y = points[50].astype(int)
        picture[y : y + side, x : x + side] = level

    return spoil


def _slit(picture: Picture, points: Points) -> None:
    """A line three pixels high, half as bright, across a cheek."""
    length = round(0.2 * _eye_distance(points))
    x, y = points[50].astype(int)
    line = picture[y : y + 3, x - length : x + length]
    line[:] = line * 0.55


def _seam(picture: Picture, points: Points) -> None:
    """All below the nose is a little brighter, as if pasted from another picture."""
    row = round(float(points[2][1] + 0.05 * _eye_distance(points)))
    picture[row:] = np.clip(picture[row:].astype(int) + 22, 0, 255)


def _wedge(picture: Picture, points: Points) -> None:
    """A triangle between two parts that drew away from each other."""
    across = np.array([0.3, 0.05]) * _eye_distance(points)
    corner = points[205]
    corners = np.array([corner, corner + across, corner + across * (1, 1.8)])
    cv2.fillPoly(picture, [corners.astype(np.int32)], (60, 60, 60))


@pytest.mark.parametrize(
    "spoil",
    [_hole(0), _hole(128), _hole(235), _slit, _seam, _wedge],
    ids=["black hole", "grey hole", "white hole", "slit", "seam", "wedge"],
)
def test_a_planted_tear_is_seen(
    check: tears.TearCheck, ann: Picture, seen: Seen, spoil: Callable[[Picture, Points], None]
) -> None:
    torn = ann.copy()
    spoil(torn, seen.points)
    assert check.share(torn, seen.points) > tears.SMALLEST


def test_one_torn_frame_of_a_film_is_found(
    check: tears.TearCheck, ann: Picture, seen: Seen, tmp_path: Path
) -> None:
    torn = ann.copy()
    _slit(torn, seen.points)
    path = _film(tmp_path / "torn.mp4", [*[ann] * 12, torn, *[ann] * 4], np.zeros(RATE))
    worst = check.worst(path)
    assert worst.share > tears.SMALLEST
    assert worst.second == pytest.approx(12 / 25)


SAID = [
    lips.Heard(symbol, 0.12 * place, 0.12 * (place + 1))
    for place, symbol in enumerate("mɑbiɑptɔmæsnɑbupɑvemɑt")
]


@pytest.mark.parametrize("late", [-0.12, -0.04, 0.0, 0.04, 0.12])
def test_a_mouth_that_comes_late_is_measured_as_late(late: float) -> None:
    watched = _a_mouth(late=late)
    assert lips.phoneme_lag(watched, SAID, begins=0.25) == pytest.approx(late, abs=0.012)


def test_the_loudness_that_a_mouth_follows_gives_its_lag() -> None:
    watched = _a_mouth(late=0.08)
    seconds = np.arange(int(3.3 * RATE)) / RATE
    loud = np.interp(seconds, watched.times, _a_mouth(late=0).gaps)
    noise = np.random.default_rng(1).normal(0, 0.3, len(seconds))
    sound = film.Sound((loud**2 * noise).astype(np.float32), 0.0)
    assert lips.loudness_lag([(watched, sound)]) == pytest.approx(0.08, abs=0.015)


def test_marks_lend_their_time_to_the_sounds_they_belong_to() -> None:
    marked = [
        lips.Heard("p", 0.0, 0.1),
        lips.Heard("\u02c8", 0.1, 0.15),
        lips.Heard("i", 0.15, 0.2),
        lips.Heard("\u02d0", 0.2, 0.3),
        lips.Heard("_", 0.3, 0.32),
        lips.Heard("\u02c8a\u02d0", 0.32, 0.5),
        lips.Heard("_", 0.5, 0.8),
    ]
    assert lips.without_marks(marked) == [
        lips.Heard("p", 0.0, 0.1),
        lips.Heard("i", 0.1, 0.32),
        lips.Heard("a", 0.32, 0.5),
        lips.Heard("_", 0.5, 0.8),
    ]


def test_an_open_mouth_in_a_closure_is_seen() -> None:
    watched = _a_mouth(late=0.0)
    assert max(lips.closures(watched, SAID, begins=0.25)) < 0.03
    assert max(lips.closures(watched, SAID, begins=0.25 + 0.12)) > 0.06


def test_a_blink_is_counted_once() -> None:
    eyes = np.full(100, 0.38)
    for first in (20, 60):
        eyes[first : first + 6] *= [0.9, 0.8, 0.78, 0.8, 0.88, 0.95]
    still = np.zeros(100)
    assert lips.blinks(lips.Watched(np.arange(100) / 25, still, still, eyes, still)) == 2


def test_sound_that_begins_late_is_placed_and_offset(tmp_path: Path, ann: Picture) -> None:
    said = np.random.default_rng(3).normal(0, 0.1, 24_000).astype(np.float32)
    heard = np.zeros(RATE * 2)
    heard[RATE // 2 : RATE // 2 + RATE] = np.repeat(said, 2)
    path = _film(tmp_path / "late.mp4", [ann] * 50, heard, sound_starts=0.1)
    # The encoder's first 1,024 samples, 21 ms, lead into what was given to it.
    assert film.start_offset(path) == pytest.approx(0.1 - 1024 / RATE, abs=0.003)
    begins = lips.speech_begins(film.sound(path), said, 24_000)
    assert begins == pytest.approx(0.6, abs=0.003)


def test_loudness_is_read_as_lufs(tmp_path: Path, ann: Picture) -> None:
    # BS.1770-4: a mono 997 Hz sine of amplitude 1 is -3.01 LUFS.
    tone = 0.1 * np.sin(2 * np.pi * 997 * np.arange(3 * RATE) / RATE)
    path = _film(tmp_path / "tone.mp4", [ann] * 75, tone)
    assert film.integrated_loudness(path) == pytest.approx(-23.0, abs=0.3)


def _eye_distance(points: Points) -> float:
    return float(np.hypot(*(points[263] - points[33])))


def _a_mouth(*, late: float) -> lips.Watched:
    """A mouth that does what SAID asks, beginning at 0.25 s, late by that many seconds."""
    times = np.arange(82) / 25
    fine = np.arange(0, 3.4, 0.005)
    wanted = lips.expected_opening(SAID, fine - 0.25 - late)
    gaps = 0.005 + 0.15 * np.interp(times, fine, wanted)
    still = np.ones_like(times)
    return lips.Watched(times, gaps, still, still, still)


def _film(
    path: Path, frames: list[Picture], samples: NDArray[np.float64], *, sound_starts: float = 0.0
) -> Path:
    """An mp4 of those frames and that mono sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "18", "bf": "0"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(video.encode(None))
        for first in range(0, len(samples), 1024):
            piece = samples[None, first : first + 1024].astype(np.float32)
            sounding = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            sounding.sample_rate = RATE
            sounding.time_base = Fraction(1, RATE)
            sounding.pts = first + round(sound_starts * RATE)
            container.mux(audio.encode(sounding))
        container.mux(audio.encode(None))
    return path
