"""`python -m tests.engine.contact_sheet [FILE]`: what mouths and eyes do in finished videos.

One JPEG for people to look at, and on the screen the numbers of each class of sounds.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talkingphoto.foundation import settings
from tests.engine.takes import ANN, ASTRONAUT, NEURAL, Studio, Take
from tests.support import film, lips
from tests.support.film import Picture
from tests.support.landmarks import Landmarker, Points

SHEET = settings.PROJECT_ROOT / "docs" / "quality" / "contact-sheet.jpg"
# Every class of sounds that has a shape of its own, each more than once.
SENTENCE = (
    "Papa and Mama bought a big palm. Whose blue shoes do you choose? "
    "We see these three green leaves. Five of the very few found a view."
)
_SIDE, _CAPTION, _GAP = 236, 34, 4
_AWAKE = 0.93  # of the usual height of the eyes: no blink, so that each picture shows one thing
_MOST_BYTES = 600_000


@dataclass(frozen=True)
class Kind:
    """A class of sounds: its symbols, and which of its frames shows it best."""

    name: str
    symbols: str
    best: Callable[[lips.Watched], lips.Series]


@dataclass(frozen=True)
class Shot:
    """One frame to show, and the words below it."""

    frame: int
    caption: str


KINDS = (
    Kind("p b m", "pbm", lambda watched: -watched.gaps),
    Kind("open a", "\u0251a\u00e6I", lambda watched: watched.gaps),
    Kind("o u w", "ou\u028aOw\u0254", lambda watched: -watched.widths),
    Kind("e i", "ie\u026aA", lambda watched: watched.widths + watched.gaps),
    Kind("f v", "fv", lambda watched: -watched.gaps),
)


def main(arguments: Sequence[str]) -> int:
    """The sheet is written and the numbers printed."""
    target = Path(arguments[0]) if arguments else SHEET
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder))
        takes = {
            "astronaut": studio.take(ASTRONAUT, SENTENCE, NEURAL),
            "drawn face": studio.take(ANN, SENTENCE, NEURAL),
        }
        for name, take in takes.items():
            sys.stdout.write("\n".join([*_numbers(name, take), ""]))
        rows = [row for name, take in takes.items() for row in _rows(name, take)]
    target.parent.mkdir(parents=True, exist_ok=True)
    size = target.write_bytes(_jpeg(np.concatenate(rows)))
    assert size < _MOST_BYTES, f"{size} bytes are too many for a file in git"
    sys.stdout.write(f"{target}: {size} bytes\n")
    return 0


def shots(take: Take) -> list[Shot]:
    """The frame before the speech, the best of each class of sounds, and a blink."""
    watched = take.watched
    found = [Shot(0, "rest")]
    for kind in KINDS:
        frames = np.concatenate(_frames(take, kind))
        frames = frames[watched.eyes[frames] > _AWAKE * np.median(watched.eyes)]
        found.append(Shot(int(frames[np.argmax(kind.best(watched)[frames])]), kind.name))
    found.append(Shot(int(np.argmin(watched.eyes)), "blink"))
    return found


def _frames(take: Take, kind: Kind) -> list[lips.Frames]:
    """The frames of each sound of that class."""
    return [
        take.watched.during(take.begins + each.start, take.begins + each.end)
        for each in lips.without_marks(take.said.phonemes)
        if each.symbol in kind.symbols
    ]


def _numbers(name: str, take: Take) -> list[str]:
    """Lines for people: what each class of sounds looks like in numbers."""
    watched = take.watched
    lines = [f"{name}: rest gap {watched.gaps[0]:.3f} width {watched.widths[0]:.3f}"]
    for kind in KINDS:
        sounds = _frames(take, kind)
        best = [frames[np.argmax(kind.best(watched)[frames])] for frames in sounds]
        gaps, widths = watched.gaps[best], watched.widths[best]
        lines.append(
            f"  {kind.name:7} {len(best):2} sounds"
            f"  gap median {np.median(gaps):.3f} ({gaps.min():.3f} to {gaps.max():.3f})"
            f"  width median {np.median(widths):.3f} ({widths.min():.3f} to {widths.max():.3f})"
        )
    lines.append(f"  blinks {lips.blinks(watched)} in {take.seconds:.1f} s")
    return lines


def _rows(name: str, take: Take) -> list[Picture]:
    """The faces with their captions, and below them the mouths alone."""
    landmarker = Landmarker()
    wanted = shots(take)
    kept = {shot.frame for shot in wanted}
    pictures = {n: p for n, (_, p) in enumerate(film.pictures(take.path)) if n in kept}
    box = landmarker.only_face(pictures[0])
    faces, mouths = [], []
    for shot in wanted:
        picture = pictures[shot.frame]
        points = landmarker.look(picture, box).points
        gap, width = take.watched.gaps[shot.frame], take.watched.widths[shot.frame]
        caption = f"{name}: {shot.caption}\ngap {gap:.3f}  width {width:.3f}"
        faces.append(_captioned(_around(picture, points[[10, 152, 234, 454]], 1.25), caption))
        mouths.append(_around(picture, points[[61, 291]], 1.7)[_SIDE // 6 : -_SIDE // 6])
    return [np.concatenate(faces, axis=1), np.concatenate(mouths, axis=1)]


def _around(picture: Picture, points: Points, times: float) -> Picture:
    """A square around those points, that many times their spread, at the sheet's size."""
    side = float(np.ptp(points, axis=0).max()) * times
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2 - side / 2
    scale = (_SIDE - _GAP) / side
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    size = (_SIDE - _GAP, _SIDE - _GAP)
    cut = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC)
    return np.asarray(cv2.copyMakeBorder(cut, 0, _GAP, 0, _GAP, 0, value=(255,) * 3), np.uint8)


def _captioned(picture: Picture, caption: str) -> Picture:
    label = Image.new("RGB", (picture.shape[1], _CAPTION), "white")
    ImageDraw.Draw(label).text((2, 2), caption, "black", ImageFont.load_default(13), spacing=2)
    return np.concatenate([np.asarray(label, np.uint8), picture])


def _jpeg(sheet: Picture) -> bytes:
    written = io.BytesIO()
    Image.fromarray(sheet[:, :, ::-1]).save(written, "JPEG", quality=86, optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
