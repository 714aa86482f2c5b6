"""What is stamped on the pictures: "AI-generated" on all of them, the brand on free ones."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

AI_GENERATED = "AI-generated"
# Of the shorter side. A 540p video fills a phone of 375 pixels, where 1/28 of it is 13 pixels.
_MARK_HEIGHT = 1 / 28
_BRAND_HEIGHT = 1 / 20
_MARGIN = 1 / 36
_WHITE = (255, 255, 255)
# White on this much black keeps a contrast of 7.4 : 1 on a white photo (WCAG asks for 4.5).
_PLATE = (0, 0, 0, 170)
_OPAQUE = 256

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Stamp:
    """A mark rendered once: `colour` already weighted, and how much of the picture stays."""

    top: int
    left: int
    colour: NDArray[np.uint16]
    kept: NDArray[np.uint16]

    def press(self, frame: Frame) -> None:
        """The mark is on the picture (height, width, 3)."""
        height, width = self.kept.shape[:2]
        region = frame[self.top : self.top + height, self.left : self.left + width]
        region[...] = (region * self.kept + self.colour) >> 8


@functools.lru_cache(maxsize=8)
def stamps(*, width: int, height: int, watermark: str | None) -> tuple[Stamp, ...]:
    """The stamps for pictures of that size: the AI mark bottom left, the brand bottom right."""
    short = min(width, height)
    margin = round(short * _MARGIN)
    mark = _plate(AI_GENERATED, size=round(short * _MARK_HEIGHT))
    made = [_stamp(mark, width=width, height=height, margin=margin, side="left")]
    if watermark:
        brand = _lettering(
            watermark, size=round(short * _BRAND_HEIGHT), room=width // 2 - 2 * margin
        )
        made.append(_stamp(brand, width=width, height=height, margin=margin, side="right"))
    return tuple(made)


def _plate(text: str, *, size: int) -> Image.Image:
    """White letters on a dark plate with round corners."""
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(text)
    across, down = round(size * 0.5), round(size * 0.35)
    box = (round(right - left) + 2 * across, round(bottom - top) + 2 * down)
    image = Image.new("RGBA", box)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, box[0] - 1, box[1] - 1), radius=down, fill=_PLATE)
    draw.text((across - left, down - top), text, font=font, fill=_WHITE)
    return image


def _lettering(text: str, *, size: int, room: int) -> Image.Image:
    """White letters with a dark edge, made smaller until they are no wider than `room`."""
    while size > 8 and ImageFont.load_default(size=size).getlength(text) > room:
        size -= 1
    font = ImageFont.load_default(size=size)
    edge = max(1, size // 12)
    left, top, right, bottom = font.getbbox(text, stroke_width=edge)
    image = Image.new("RGBA", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(image).text(
        (-left, -top),
        text,
        font=font,
        fill=(*_WHITE, 220),
        stroke_width=edge,
        stroke_fill=(0, 0, 0, 170),
    )
    return image


def _stamp(
    image: Image.Image, *, width: int, height: int, margin: int, side: Literal["left", "right"]
) -> Stamp:
    pixels = np.asarray(image).astype(np.uint16)
    alpha = pixels[..., 3:] * _OPAQUE // 255
    left = margin if side == "left" else width - image.width - margin
    return Stamp(
        top=height - image.height - margin,
        left=left,
        colour=pixels[..., 2::-1] * alpha,
        kept=(_OPAQUE - alpha).astype(np.uint16),
    )
