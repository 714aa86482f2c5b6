"""What part of a photo becomes the video, how large, and which tiers it is enough for."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import faces, framing, networks, photo
from tests.engine import pictures

PHOTO = photo.decoded(pictures.PORTRAIT)
# A place on the mesh: the tip of the nose.
NOSE = 1


@pytest.fixture(scope="module")
def finder() -> faces.FaceFinder:
    """The networks, loaded once."""
    return faces.FaceFinder()


@pytest.fixture(scope="module")
def landmarks(finder: faces.FaceFinder) -> networks.Points:
    """Those of the portrait."""
    return finder.find(PHOTO).landmarks


def face_at(left: float, top: float, width: float) -> networks.Points:
    """Landmarks of which only the outline matters: a face a fifth taller than it is wide."""
    points = np.zeros((468, 3))
    points[:, 0] = np.linspace(left, left + width, 468)
    points[:, 1] = np.linspace(top, top + 1.2 * width, 468)
    points[:, 2] = np.linspace(-width / 4, width / 4, 468)
    return points


def grey(width: int, height: int) -> networks.Picture:
    """A photo of nothing."""
    return np.full((height, width, 3), 120, np.uint8)


@pytest.mark.parametrize("tier", port.SHORT_SIDE)
def test_the_head_fills_a_frame_of_the_tier_s_size(
    finder: faces.FaceFinder, landmarks: networks.Points, tier: port.Tier
) -> None:
    side = port.SHORT_SIDE[tier]
    framed = framing.framed(PHOTO, landmarks, short_side=side)
    assert framed.image.shape == (side, side, 3)
    assert framed.upscale == pytest.approx(side / (2.6 * 178), rel=0.03)
    assert np.ptp(framed.landmarks[:, 0]) == pytest.approx(side / 2.6, rel=0.02)
    middle = framed.landmarks[:, :2].mean(axis=0) / side
    assert middle == pytest.approx([0.5, 0.5], abs=0.06)


@pytest.mark.parametrize("side", [240, 540, 720])
def test_landmarks_go_where_the_pixels_go(
    finder: faces.FaceFinder, landmarks: networks.Points, side: int
) -> None:
    framed = framing.framed(PHOTO, landmarks, short_side=side)
    again = finder.find(framed.image).landmarks
    assert np.abs(again - framed.landmarks)[:, :2].mean() < 0.004 * side
    # Depth is in the same pixels.
    assert np.ptp(framed.landmarks[:, 2]) == pytest.approx(np.ptp(landmarks[:, 2]) * framed.upscale)


@pytest.mark.parametrize("short_side", [100, 360, 1080])
def test_a_mark_in_the_photo_is_found_at_its_landmark_to_a_quarter_of_a_pixel(
    short_side: int,
) -> None:
    marked = grey(400, 400)
    marked[148:153, 218:223] = 250  # Its middle is the pixel (220, 150).
    face = face_at(150, 100, 120)
    face[NOSE, :2] = 220, 150
    framed = framing.framed(marked, face, short_side=short_side)
    weight = np.clip(framed.image[:, :, 0].astype(float) - 150, 0, None)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    found = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    assert found == pytest.approx(framed.landmarks[NOSE, :2], abs=0.25)


def test_the_photo_and_its_landmarks_stay_as_they_were(landmarks: networks.Points) -> None:
    before, points = PHOTO.copy(), landmarks.copy()
    framing.framed(PHOTO, landmarks, short_side=720)
    assert np.array_equal(PHOTO, before)
    assert np.array_equal(landmarks, points)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((400, 600), (540, 810)),  # A large face: the photo's own framing.
        ((600, 400), (810, 540)),
        ((300, 900), (540, 960)),  # Taller than 9:16, and wider than 16:9.
        ((900, 300), (960, 540)),
    ],
)
def test_a_photo_full_of_face_keeps_its_own_framing(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    face = face_at(size[0] / 2 - 110, size[1] / 2 - 130, 220)
    framed = framing.framed(grey(*size), face, short_side=540)
    height, width = framed.image.shape[:2]
    assert (width, height) == pytest.approx(expected, abs=2)


@settings(max_examples=100, deadline=None)
@given(
    size=st.tuples(st.integers(160, 2048), st.integers(160, 2048)),
    place=st.tuples(st.floats(-0.1, 1), st.floats(-0.1, 1)),
    part=st.floats(0.03, 1.2),
    short_side=st.sampled_from([90, 180]),
)
def test_every_frame_is_even_within_the_photo_and_between_tall_and_wide(
    size: tuple[int, int], place: tuple[float, float], part: float, short_side: int
) -> None:
    face = face_at(place[0] * size[0], place[1] * size[1], part * min(size))
    # White beyond every edge would be seen: each pixel of the frame is one of the photo.
    framed = framing.framed(grey(*size), face, short_side=short_side)
    height, width = framed.image.shape[:2]
    assert width % 2 == height % 2 == 0
    assert min(width, height) == pytest.approx(short_side, abs=1)
    assert 9 / 16 - 0.02 <= width / height <= 16 / 9 + 0.03
    assert (np.abs(framed.image.astype(int) - 120) <= 1).all()


@pytest.mark.parametrize(
    ("side", "tiers"),
    [
        (2000, ("540p", "720p", "1080p")),
        (540, ("540p", "720p", "1080p")),  # 1080p enlarges this twice, and the next a bit more.
        (539, ("540p", "720p")),
        (240, ("540p", "720p")),  # 720p enlarges this three times.
        (239, ("540p",)),
        (160, ("540p",)),
    ],
)
def test_a_tier_is_offered_while_the_photo_s_pixels_are_enough(
    side: int, tiers: tuple[port.Tier, ...]
) -> None:
    face = face_at(side * 0.25, side * 0.2, side * 0.5)
    assert framing.allowed_tiers(grey(side, side), face) == tiers


def test_a_small_face_in_a_large_photo_counts_by_its_own_pixels() -> None:
    # 2.6 widths of 100 pixels: 260 to be shown.
    assert framing.allowed_tiers(grey(2000, 2000), face_at(500, 500, 100)) == ("540p", "720p")


def test_the_edges_of_an_enlarged_crop_are_brought_back() -> None:
    edge = grey(200, 200)
    edge[:, 100:] = 180
    framed = framing.framed(edge, face_at(20, 20, 160), short_side=540)
    # Enlarged by itself a step from 120 to 180 overshoots by 5 at most.
    assert framed.upscale == pytest.approx(2.7)
    assert framed.image.max() > 187
    assert framed.image.min() < 113
    same = framing.framed(edge, face_at(20, 20, 160), short_side=200)
    assert np.array_equal(same.image, edge)


def test_a_preview_is_the_crop_at_most_480_pixels_wide(landmarks: networks.Points) -> None:
    shown = Image.open(io.BytesIO(framing.preview_jpeg(PHOTO, landmarks)))
    assert shown.format == "JPEG"
    assert shown.width == shown.height == pytest.approx(2.6 * 178, rel=0.03)
    large = np.repeat(np.repeat(PHOTO, 2, axis=0), 2, axis=1)
    assert Image.open(io.BytesIO(framing.preview_jpeg(large, landmarks * 2))).size == (480, 480)
