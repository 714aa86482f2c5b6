"""What is seen between the lips: teeth, tongue and the dark behind them.

A photo that shows teeth gives its own, still on the skull while the lips slide over them. For a
closed mouth teeth are made once, from the light and the skin of the photo. All lengths are in
mouths (see mouth.py), colours are BGR.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from talkingphoto.integrations.video.engine import mesh
from talkingphoto.integrations.video.engine.mouth import Mouth, MouthPose
from talkingphoto.integrations.video.engine.warp import (
    CUBIC,
    NOTHING,
    Floats,
    Pixels,
    resampled,
    smoothstep,
)

# Half a row of teeth from the middle: incisors, canine, premolars, foreshortened by the arch.
UPPER_WIDTHS = (0.150, 0.118, 0.112, 0.085, 0.065)
LOWER_WIDTHS = (0.092, 0.096, 0.098, 0.085, 0.070)
# How far each tooth ends above the row's lowest line, by its place from the middle.
UPPER_STEPS = (0.000, 0.012, 0.004, 0.022, 0.034)
LOWER_STEPS = (0.000, 0.002, 0.004, 0.016, 0.030)
TOOTH_HEIGHT = 0.24
# The biting edge is this far under the line between the closed lips.
UPPER_EDGE_UNDER_LINE = 0.052
LOWER_EDGE_OVER_LIP = 0.020
# No two teeth are alike: widths, edges and brightness differ by about this much.
UNEVEN_WIDTH, UNEVEN_EDGE, UNEVEN_LIGHT = 0.035, 0.0045, 0.030
TEXELS_PER_PIXEL = 1.5
HALF_ROW = 0.56
# The fixed seed of the unevenness: the same person has the same teeth in every video.
UNEVEN_SEED = 11

# A tooth's brightness from that of the skin beside it, both 0 to 255: between the two whites.
OF_SKIN, PLUS = 0.70, 88.0
TOOTH_TINT = (0.90, 0.99, 1.06)
TOOTH_TAKES_SKIN_TINT = 0.30
CAVITY = (20.0, 15.0, 36.0)
TONGUE = (96.0, 88.0, 158.0)
GUM = (110.0, 100.0, 170.0)
# The skin brightness that CAVITY, TONGUE and GUM were chosen at.
USUAL_SKIN = 165.0

LIP_SHADOW, LIP_SHADOW_REACH = 0.52, 0.06
CORNER_SHADOW, CORNER_SHADOW_REACH = 0.70, 0.20
# Rounded lips stand out and keep the light off the teeth.
ROUNDED_SHADOW = 0.30
# Light in the mouth comes through skin and off the tongue: shadows are warm (BGR).
SHADOW_TINT = (1.10, 1.04, 0.90)
# Photographed teeth carry their own light; this much shadow is added as the mouth moves away.
SHADE_ON_PHOTO, SHADE_WHEN_NARROW = 0.22, 1.8
LOWER_TEETH_FROM, LOWER_TEETH_OVER = 0.16, 0.18


@dataclass(frozen=True)
class _Light:
    """The skin's colour (BGR) and how much brighter the light is to the right, per mouth."""

    skin: Floats
    lips: Floats
    slope: float

    @property
    def level(self) -> float:
        """How bright the face is lit, 1 at the skin the constants were chosen at."""
        return float(np.clip(self.skin.mean() / USUAL_SKIN, 0.45, 1.15))


class MouthInterior:
    """Draws the inside of the mouth of one photo in any pose."""

    def __init__(self, photo: Pixels, mouth: Mouth, landmarks: Floats) -> None:
        self._mouth = mouth
        self._photo = photo
        self._light = light = _light(photo, landmarks)
        self._texel = 1 / (TEXELS_PER_PIXEL * mouth.unit)
        self._upper_row = _row_of_teeth(self._texel, UPPER_WIDTHS, UPPER_STEPS, light)
        self._lower_row = _row_of_teeth(self._texel, LOWER_WIDTHS, LOWER_STEPS, light)
        self._line = float(np.median(mouth.upper[3:8, 1]))

    def draw(self, uv: Floats, contours: tuple[Floats, Floats], pose: MouthPose) -> Floats:
        """The colours of pixels at `uv`; `contours` are both lips' v in the pixels' columns."""
        unit = np.float32(self._mouth.unit)
        u, v = uv[..., 0] / unit, uv[..., 1] / unit
        upper, lower = contours[0] / unit, contours[1] / unit
        picture = self._cavity(v, upper, lower)
        self._add_tongue(picture, (u, v, lower), pose)
        self._add_lower_teeth(picture, u, v, pose)
        if self._mouth.shows_teeth:
            shade = self._add_photographed_teeth(picture, uv, pose)
        else:
            self._blend(picture, self._upper_row, u, v - self._line / unit - UPPER_EDGE_UNDER_LINE)
            shade = np.ones_like(u)
        dark = shade * (1 - _lit(u, v - upper, pose, float(unit)))
        picture *= 1 - dark[..., None] * np.array(SHADOW_TINT, np.float32)
        return picture

    def _cavity(self, v: Floats, upper: Floats, lower: Floats) -> Floats:
        depth = np.clip((v - upper) / np.maximum(lower - upper, 1e-3), 0, 1)
        colour = np.array(CAVITY, np.float32) * np.float32(self._light.level)
        return np.asarray((0.5 + 0.8 * depth)[..., None] * colour, np.float32)

    def _add_tongue(
        self, picture: Floats, place: tuple[Floats, Floats, Floats], pose: MouthPose
    ) -> None:
        """The tongue lies behind the lower lip, and rises towards the upper teeth for t and l."""
        u, v, lower = place
        opening = pose.opening / self._mouth.unit
        if opening < 0.04:
            return
        top = lower - (0.24 + 0.26 * pose.tongue) * opening - 0.02 + 0.9 * opening * u * u
        cover = smoothstep((v - top) / 0.07 + 0.3) * np.clip(1 - (u / 0.34) ** 4, 0, 1)
        along = np.exp(-0.5 * ((v - top - 0.085) / 0.06) ** 2)
        groove = 1 - 0.14 * np.exp(-0.5 * (u / 0.018) ** 2)
        light = (0.62 + 0.36 * along * np.exp(-0.5 * (u / 0.17) ** 2)) * groove
        colour = (0.7 * np.array(TONGUE, np.float32) + 0.3 * self._light.lips) * np.float32(0.90)
        colour *= np.float32(self._light.level)
        cover = (cover * 0.9)[..., None]
        picture *= 1 - cover
        picture += cover * light[..., None] * colour

    def _add_lower_teeth(self, picture: Floats, u: Floats, v: Floats, pose: MouthPose) -> None:
        """Lower teeth stay behind the lower lip; their tips show when the jaw drops far."""
        unit = self._mouth.unit
        shown = float(np.clip((pose.jaw / unit - LOWER_TEETH_FROM) / LOWER_TEETH_OVER, 0, 1))
        if shown <= 0:
            return
        edge = float(np.median(pose.lower[3:8, 1])) / unit - LOWER_EDGE_OVER_LIP * shown
        self._blend(picture, self._lower_row, u, edge - v, strength=0.75, light=0.58)

    def _blend(
        self, picture: Floats, row: Floats, u: Floats, below_edge: Floats, **how: float
    ) -> None:
        """A row of teeth is laid over the picture, its biting edge where `below_edge` is 0."""
        x = (u + HALF_ROW) / np.float32(self._texel)
        y = (below_edge + TOOTH_HEIGHT) / np.float32(self._texel)
        places = np.stack([x, y], -1).astype(np.float32)
        seen = resampled(row, places, border=NOTHING)
        cover = seen[..., 3:] * np.float32(how.get("strength", 1.0))
        picture *= 1 - cover
        picture += seen[..., :3] * cover * np.float32(how.get("light", 1.0))

    def _add_photographed_teeth(self, picture: Floats, uv: Floats, pose: MouthPose) -> Floats:
        """The photo's own teeth, where they are in the photo; returns how much shadow they take."""
        mouth, unit = self._mouth, np.float32(self._mouth.unit)
        u, v = uv[..., 0], uv[..., 1]
        upper = np.interp(u, mouth.upper[:, 0], mouth.upper[:, 1]).astype(np.float32)
        lower = np.interp(u, mouth.lower[:, 0], mouth.lower[:, 1]).astype(np.float32)
        # What is above the contour in the photo is lip: the first row of teeth is repeated there.
        under_lip = np.maximum(v, np.minimum(upper + 0.022 * unit + 1, (upper + lower) / 2))
        places = mouth.axes.places(np.stack([u, under_lip], -1)).astype(np.float32)
        seen = resampled(self._photo, places, kernel=CUBIC).astype(np.float32)
        cover = np.clip((lower - v) / (0.012 * unit + 0.6) - 0.4, 0, 1)
        cover *= np.clip((mouth.half_width * 0.98 - np.abs(u)) / (0.05 * unit), 0, 1)
        picture *= (1 - cover)[..., None]
        picture += seen * cover[..., None]
        narrow = 1 - pose.half_width / mouth.half_width
        on_photo = pose.away * min(0.9, SHADE_ON_PHOTO + SHADE_WHEN_NARROW * max(0.0, narrow))
        return np.asarray(1 - cover * (1 - on_photo), np.float32)


def _lit(u: Floats, under_lip: Floats, pose: MouthPose, unit: float) -> Floats:
    """The light left under the upper lip, towards the corners and behind rounded lips, 0 to 1."""
    from_lip = 1 - LIP_SHADOW * np.exp(-np.maximum(under_lip, 0) / LIP_SHADOW_REACH)
    from_corner = np.clip((pose.half_width / unit - np.abs(u)) / CORNER_SHADOW_REACH, 0, 1)
    corners = 1 - CORNER_SHADOW + CORNER_SHADOW * np.sqrt(from_corner)
    lit = from_lip * corners * (1 - ROUNDED_SHADOW * pose.round)
    return np.asarray(np.clip(lit, 0.1, 1), np.float32)


def _light(photo: Pixels, landmarks: Floats) -> _Light:
    skin = np.median(_colours(photo, landmarks, mesh.PLAIN_SKIN), 0).astype(np.float32)
    lips = _colours(photo, landmarks, mesh.LIP_SKIN).mean(0).astype(np.float32)
    left, right = (
        float(_colours(photo, landmarks, (point,)).mean())
        for point in (mesh.RIGHT_CHEEK, mesh.LEFT_CHEEK)
    )
    slope = float(np.clip((right - left) / (right + left + 1), -0.25, 0.25))
    return _Light(skin, lips, slope)


def _colours(photo: Pixels, landmarks: Floats, points: tuple[int, ...]) -> Floats:
    """The mean colour of a few pixels around each point."""
    height, width = photo.shape[:2]
    reach = max(1, round(float(np.ptp(landmarks[:, 0])) / 80))
    found = []
    for point in points:
        x = int(np.clip(landmarks[point, 0], reach, width - 1 - reach))
        y = int(np.clip(landmarks[point, 1], reach, height - 1 - reach))
        patch = photo[y - reach : y + reach + 1, x - reach : x + reach + 1]
        found.append(patch.reshape(-1, 3).mean(0))
    return np.asarray(found, np.float32)


def _row_of_teeth(
    texel: float, widths: tuple[float, ...], steps: tuple[float, ...], light: _Light
) -> Floats:
    """A row of teeth (BGR 0-255, cover 0-1), its biting edge TOOTH_HEIGHT below its top."""
    uneven = np.random.default_rng(UNEVEN_SEED)
    columns = int(2 * HALF_ROW / texel)
    rows = int((TOOTH_HEIGHT + 0.02) / texel)
    u = (np.arange(columns, dtype=np.float32) * texel - HALF_ROW)[None]
    v = (np.arange(rows, dtype=np.float32) * texel - TOOTH_HEIGHT)[:, None]
    shade, cover = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    for side in (-1, 1):
        start = 0.0
        for place, width in enumerate(widths):
            width *= 1 + UNEVEN_WIDTH * float(uneven.standard_normal())
            edge = -steps[place] + UNEVEN_EDGE * float(uneven.standard_normal())
            bright = 1 + UNEVEN_LIGHT * float(uneven.standard_normal())
            across = (side * u - start) / width
            one_shade, one_cover = _tooth(across, v - edge, width, texel)
            shade = np.where((across >= 0) & (across < 1), one_shade * bright, shade)
            cover = np.where((across >= 0) & (across < 1), one_cover, cover)
            start += width
    arch = np.clip(1 - 0.60 * (np.abs(u) / 0.44) ** 2, 0.1, 1) * (1 + 2 * light.slope * u)
    colour = _tooth_colour(v, light) * (shade * arch)[..., None]
    inside = np.clip((0.5 - np.abs(u)) / 0.06, 0, 1)
    row = np.concatenate([colour, (cover * inside)[..., None]], -1).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(row, (0, 0), 0.9), np.float32)


def _tooth(across: Floats, below: Floats, width: float, texel: float) -> tuple[Floats, Floats]:
    """Light (about 1) and cover of one tooth; `across` runs 0 to 1, the edge is at `below` 0."""
    from_middle = np.abs(2 * across - 1)
    rounded_edge = -0.030 * width / 0.15 * np.clip(from_middle - 0.55, 0, 1) ** 2 / 0.2
    cover = smoothstep((rounded_edge - below) / (3 * texel) + 0.5)
    bulge = 1 - 0.20 * np.clip(from_middle, 0, 1) ** 3
    gap = 1 - 0.42 * np.exp(-0.5 * ((1 - from_middle) * width / 2 / 0.0045) ** 2)
    # Thin and clear at the biting edge, in the shade of the gum at the top.
    edge = 1 - 0.12 * np.exp(below / 0.012)
    root = 0.78 + 0.22 * smoothstep((below + TOOTH_HEIGHT) / (0.6 * TOOTH_HEIGHT))
    gloss = 1 + 0.07 * np.exp(
        -0.5 * (((across - 0.42) / 0.16) ** 2 + ((below + 0.075) / 0.035) ** 2)
    )
    return np.asarray(bulge * gap * edge * root * gloss, np.float32), cover


def _tooth_colour(v: Floats, light: _Light) -> Floats:
    """Enamel under this light, yellower to the root, gum above it; (rows, 1, 3)."""
    tint = (light.skin / light.skin.mean()) ** TOOTH_TAKES_SKIN_TINT
    enamel = np.array(TOOTH_TINT, np.float32) * tint
    enamel *= (OF_SKIN * light.skin.mean() + PLUS) / enamel.mean()
    root = enamel * np.array((0.86, 0.95, 0.99), np.float32)
    up = np.clip(-v / TOOTH_HEIGHT, 0, 1)[..., None]
    colour = enamel * (1 - up) + root * up
    gum = np.array(GUM, np.float32) * np.float32(light.level)
    at_gum = smoothstep((up - 0.80) / 0.1)
    return np.asarray(colour * (1 - at_gum) + gum * at_gum, np.float32)
