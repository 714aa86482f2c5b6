"""A photo drawn in the poses of speech."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import mesh
from talkingphoto.integrations.video.engine.animator import Animator
from talkingphoto.integrations.video.engine.head import HeadPose
from talkingphoto.integrations.video.engine.mouth import Mouth
from talkingphoto.integrations.video.engine.visemes import Shape
from talkingphoto.integrations.video.engine.warp import least_stretch
from tests.engine import models_of_faces

STILL = np.zeros(5, np.float32)
REST = Shape(0, 0, 0, 0, 0, 0)
PRESSED = Shape(0, 0.05, 0, 0, 0, 1)
OPEN = Shape(1, 0.05, 0, 0.25, 0, 0)
ROUND = Shape(0.28, -0.85, 1, 0.1, 0, 0)
SPREAD = Shape(0.3, 0.7, 0, 0.2, 0.3, 0)

faces = pytest.mark.parametrize("face", [models_of_faces.smiling, models_of_faces.closed])
poses = some.builds(
    Shape,
    open=some.floats(0, 1),
    width=some.floats(-1, 1),
    round=some.floats(0, 1),
    upper=some.floats(0, 1),
    tongue=some.floats(0, 1),
    press=some.floats(0, 1),
)


@pytest.fixture(scope="module")
def animators() -> dict[str, Animator]:
    return {
        "smiling": Animator(*models_of_faces.smiling()),
        "closed": Animator(*models_of_faces.closed()),
    }


def drawn(
    animator: Animator,
    shape: Shape,
    *,
    activity: float = 1.0,
    blink: float = 0.0,
    head: NDArray[np.float32] = STILL,
) -> NDArray[np.uint8]:
    return animator.draw(np.array(shape), activity=activity, blink=blink, brow=0.0, head=head)


@pytest.mark.parametrize("name", ["smiling", "closed"])
@pytest.mark.parametrize("shape", [REST, OPEN, ROUND])
def test_without_activity_the_frame_is_the_photo(
    animators: dict[str, Animator], name: str, shape: Shape
) -> None:
    image, _ = getattr(models_of_faces, name)()
    frame = drawn(animators[name], shape, activity=0.0)
    assert frame.shape == image.shape
    assert np.abs(frame.astype(int) - image).max() <= 2


def test_the_same_pose_is_the_same_frame_whatever_was_drawn_before() -> None:
    image, landmarks = models_of_faces.smiling()
    turned = np.array((0.03, -0.02, 0.01, 1.0, 1.5), np.float32)
    animator = Animator(image, landmarks)
    first = drawn(animator, OPEN, blink=0.4, head=turned).copy()
    drawn(animator, ROUND)
    assert np.array_equal(drawn(animator, OPEN, blink=0.4, head=turned), first)
    assert np.array_equal(drawn(Animator(image, landmarks), OPEN, blink=0.4, head=turned), first)


@faces
def test_lips_meet_for_p_b_and_m(face: models_of_faces.Face) -> None:
    mouth = Mouth(face()[1])
    pose = mouth.pose(PRESSED, activity=1.0)
    assert (pose.lower - pose.upper)[:, 1].max() < 0.01 * mouth.unit


def test_an_open_vowel_is_at_least_four_times_a_closure_on_a_closed_mouth() -> None:
    mouth = Mouth(models_of_faces.closed()[1])
    closure = mouth.pose(PRESSED, activity=1.0).opening
    assert mouth.pose(OPEN, activity=1.0).opening > max(4 * closure, 0.25 * mouth.unit)


@faces
def test_rounded_vowels_narrow_the_mouth_and_spread_ones_widen_it(
    face: models_of_faces.Face,
) -> None:
    mouth = Mouth(face()[1])
    rounded = mouth.pose(ROUND, activity=1.0).half_width
    assert rounded < 0.75 * mouth.pose(SPREAD, activity=1.0).half_width
    assert rounded < 0.72 * mouth.half_width


def test_rounding_covers_the_teeth_of_a_smile(animators: dict[str, Animator]) -> None:
    """Teeth are what is bright and hardly coloured between the corners of the mouth."""
    _, landmarks = models_of_faces.smiling()
    low, high = (
        edge(landmarks[list(mesh.OUTER_UPPER_LIP + mesh.OUTER_LOWER_LIP), :2], 0).astype(int)
        for edge in (np.min, np.max)
    )

    def teeth(shape: Shape, activity: float) -> int:
        frame = drawn(animators["smiling"], shape, activity=activity)
        mouth = frame[low[1] : high[1], low[0] : high[0]]
        _, saturation, brightness = cv2.split(cv2.cvtColor(mouth, cv2.COLOR_BGR2HSV))
        return int(((saturation < 45) & (brightness > 150)).sum())

    mouth = Mouth(landmarks)
    down = mouth.pose(ROUND, activity=1.0).upper[5, 1] - mouth.upper[5, 1]
    assert down > 0.5 * mouth.gap[5]
    smile = teeth(REST, 0.0)
    assert smile > 100
    assert teeth(ROUND, 1.0) < 0.25 * smile
    assert teeth(PRESSED, 1.0) < 0.25 * smile


def test_the_mouth_opens_dark_on_a_closed_mouth(animators: dict[str, Animator]) -> None:
    _, landmarks = models_of_faces.closed()
    x, y = landmarks[14, :2].astype(int)
    below = round(0.12 * animators["closed"].eye_distance)
    shut = drawn(animators["closed"], PRESSED)[y + below, x].mean()
    wide = drawn(animators["closed"], OPEN)[y + below, x].mean()
    assert wide < 0.6 * shut


@pytest.mark.parametrize("name", ["smiling", "closed"])
def test_a_blink_covers_the_iris_and_gives_it_back(
    animators: dict[str, Animator], name: str
) -> None:
    image, landmarks = getattr(models_of_faces, name)()

    def eye_of(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        x, y = landmarks[[159, 145], :2].mean(0).astype(int)
        return frame[y - 2 : y + 3, x - 3 : x + 4]

    def eye(blink: float) -> NDArray[np.uint8]:
        return eye_of(drawn(animators[name], REST, activity=0.0, blink=blink))

    # The iris is dark; the skin that comes over it is not.
    assert eye(1.0).mean() > eye(0.0).mean() + 40
    assert np.array_equal(eye(0.0), eye_of(image))


@settings(max_examples=12, deadline=None)
@given(
    shape=poses,
    blink=some.floats(0, 1),
    turn=some.tuples(*[some.floats(-0.06, 0.06)] * 3, *[some.floats(-3, 3)] * 2),
)
def test_the_border_of_the_picture_stays_put(
    animators: dict[str, Animator], shape: Shape, blink: float, turn: tuple[float, ...]
) -> None:
    image, _ = models_of_faces.smiling()
    frame = drawn(animators["smiling"], shape, blink=blink, head=np.array(turn, np.float32))
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.abs(frame[edge].astype(int) - image[edge]).max() <= 2


def test_a_face_that_fills_the_picture_does_not_fold_at_the_border() -> None:
    image, landmarks = models_of_faces.smiling()
    left, top = landmarks[:, :2].min(0).astype(int) - 4
    right, bottom = landmarks[:, :2].max(0).astype(int) + 4
    landmarks[:, :2] -= (left, top)
    animator = Animator(image[top:bottom, left:right], landmarks)
    for yaw in (-0.06, 0.06):
        for pitch in (-0.05, 0.05):
            turn = HeadPose(yaw, pitch, 0.03, 2.0, 2.0)
            fields = animator.fields(Mouth(landmarks).pose(OPEN, activity=1.0), brow=0.0, turn=turn)
            assert least_stretch(fields.head, animator.grid_step) > 0.3
            assert least_stretch(fields.lower_face, animator.grid_step) > 0


@settings(max_examples=40, deadline=None)
@given(
    shape=poses,
    activity=some.floats(0, 1),
    brow=some.floats(0, 1),
    turn=some.tuples(*[some.floats(-0.06, 0.06)] * 3, *[some.floats(-3, 3)] * 2),
    name=some.sampled_from(["smiling", "closed"]),
)
def test_no_pose_folds_or_tears_the_face(
    animators: dict[str, Animator],
    shape: Shape,
    activity: float,
    brow: float,
    turn: tuple[float, ...],
    name: str,
) -> None:
    animator = animators[name]
    mouth = Mouth(getattr(models_of_faces, name)()[1])
    fields = animator.fields(mouth.pose(shape, activity=activity), brow=brow, turn=HeadPose(*turn))
    for field in (fields.upper_face, fields.lower_face):
        assert least_stretch(field, animator.grid_step) > 0
