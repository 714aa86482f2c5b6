"""Which of the 468 points of the MediaPipe face mesh lie where on a face.

The numbers are those of the mesh's canonical model. "Right" is the person's right, which is
the left of the picture; contours run from the left of the picture to its right.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

POINTS = 468

OUTER_UPPER_LIP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
RIGHT_CORNER, LEFT_CORNER = 61, 291

RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263

FACE_OVAL = tuple(
    int(point)
    for point in (
        "10 338 297 332 284 251 389 356 454 323 361 288 397 365 379 378 400 377 152 148 176 149 "
        "150 136 172 58 132 93 234 127 162 21 54 103 67 109"
    ).split()
)

# The chin and the skin under the lower lip: they go wherever the jaw goes.
CHIN = (200, 199, 175, 201, 421, 208, 428, 32, 262, 194, 418, 152, 148, 377, 176, 400)
# Between the lower lip and the chin: half with the lip, half with the jaw.
UNDER_LIP = (18, 83, 313, 182, 406)
# How much of the jaw's way the jaw line and the lower cheeks go along.
JAW = MappingProxyType(
    {149: 0.75, 378: 0.75, 150: 0.6, 379: 0.6, 136: 0.42, 365: 0.42, 172: 0.25, 397: 0.25}
    | {58: 0.1, 288: 0.1, 211: 0.5, 431: 0.5, 210: 0.45, 430: 0.45, 214: 0.25, 434: 0.25}
    | {212: 0.3, 432: 0.3, 202: 0.45, 422: 0.45, 204: 0.6, 424: 0.6}
)
# How much of the way of the corners of the mouth the cheeks beside them go along.
CHEEKS = MappingProxyType(
    {57: 0.55, 287: 0.55, 186: 0.6, 410: 0.6, 92: 0.6, 322: 0.6, 216: 0.35, 436: 0.35}
    | {206: 0.25, 426: 0.25, 205: 0.1, 425: 0.1, 207: 0.2, 427: 0.2}
    | {165: 0.5, 391: 0.5, 167: 0.5, 393: 0.5, 164: 0.5}
)
# Of those, the skin between the nose and the upper lip, which goes along with that lip too.
OVER_LIP = (164, 165, 391, 167, 393, 92, 322)

BROWS = tuple(
    int(point)
    for point in "70 63 105 66 107 46 53 52 65 55 300 293 334 296 336 276 283 282 295 285".split()
)
NOSE_BASE = (1, 2, 98, 327, 97, 326)
# Bone that speech does not move: nose, forehead, cheekbones, temples, the corners of the eyes.
STILL = tuple(
    int(point)
    for point in (
        "4 5 195 6 168 9 8 151 10 50 280 101 330 118 347 119 348 120 349 36 266 129 358 234 454 "
        "93 323 132 361 127 356 162 389 21 251 54 284 103 332 67 297 109 338 123 352 147 376 187 "
        "411 33 133 362 263 145 374 159 386"
    ).split()
)
# Where skin is plain: both cheeks twice, and the tip of the nose.
PLAIN_SKIN = (50, 280, 205, 425, 4)
RIGHT_CHEEK, LEFT_CHEEK = 50, 280
LIP_SKIN = (0, 17, 37, 267, 84, 314)


@dataclass(frozen=True)
class EyeContours:
    """The points of one eye: both lid margins, and the skin just under the brow."""

    upper_lid: tuple[int, ...]
    lower_lid: tuple[int, ...]
    under_brow: tuple[int, ...]


RIGHT_EYE = EyeContours(
    upper_lid=(33, 246, 161, 160, 159, 158, 157, 173, 133),
    lower_lid=(33, 7, 163, 144, 145, 153, 154, 155, 133),
    under_brow=(225, 224, 223, 222, 221),
)
LEFT_EYE = EyeContours(
    upper_lid=(362, 398, 384, 385, 386, 387, 388, 466, 263),
    lower_lid=(362, 382, 381, 380, 374, 373, 390, 249, 263),
    under_brow=(441, 442, 443, 444, 445),
)
EYES = (RIGHT_EYE, LEFT_EYE)
