"""The marks: seen on any picture, small, the brand's only where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import marks

SIZES = [(540, 540), (540, 960), (960, 540), (720, 720), (1080, 1920)]
PHONE = 375
BACKGROUNDS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "skin": (140, 170, 215),
    "grey": (128, 128, 128),
}


def stamped(
    colour: tuple[int, int, int], *, width: int, height: int, watermark: str | None = None
) -> NDArray[np.uint8]:
    """A picture of one colour with the marks on it."""
    frame = np.full((height, width, 3), colour, np.uint8)
    for stamp in marks.stamps(width=width, height=height, watermark=watermark):
        stamp.press(frame)
    return frame


def luminance(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The relative luminance of WCAG 2.2, from pixels with blue first."""
    value = pixels[..., ::-1] / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def touched(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the picture is not as it was."""
    return np.asarray((frame != frame[0, 0]).any(axis=2))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_the_ai_mark_can_be_read_on_any_background(background: str) -> None:
    frame = stamped(BACKGROUNDS[background], width=720, height=720)
    stamp = marks.stamps(width=720, height=720, watermark=None)[0]
    tall, wide = stamp.kept.shape[:2]
    mark = luminance(frame[stamp.top : stamp.top + tall, stamp.left : stamp.left + wide])
    letters, plate = np.percentile(mark, 99), np.median(mark)
    assert (letters + 0.05) / (plate + 0.05) >= 4.5


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_ai_mark_is_small_bottom_left_and_readable_on_a_phone(width: int, height: int) -> None:
    rows, columns = np.nonzero(touched(stamped((255, 255, 255), width=width, height=height)))
    assert columns.max() < width / 2 and rows.min() > height * 0.75
    assert columns.min() > 0 and rows.max() < height - 1
    assert len(np.unique(rows)) < 0.09 * min(width, height)
    letters = marks.stamps(width=width, height=height, watermark=None)[0].kept.shape[0]
    # 9 pixels of capitals and tails and the plate's rim, where a phone shows the picture as wide.
    assert letters * PHONE / min(width, height) >= 14


def test_only_a_free_video_carries_the_brand() -> None:
    free = touched(stamped((90, 120, 90), width=540, height=540, watermark="TalkingPhoto"))
    paid = touched(stamped((90, 120, 90), width=540, height=540))
    assert paid[:, :270].any() and not paid[:, 270:].any()
    assert free[:, 270:].sum() > 500
    assert (free[:, :270] == paid[:, :270]).all()


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_the_brand_is_seen_on_any_background(background: str) -> None:
    frame = stamped(BACKGROUNDS[background], width=540, height=540, watermark="TalkingPhoto")
    light = luminance(frame[:, 270:])
    assert (light.max() + 0.05) / (light.min() + 0.05) >= 3


def test_a_long_brand_stays_within_its_half() -> None:
    seen = touched(stamped((0, 0, 0), width=540, height=960, watermark="A brand " * 6))
    assert not seen[:, 250:270].any()
    assert seen[:, 270:].any()
