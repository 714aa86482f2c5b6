"""`python -m tests.engine.sample [FOLDER]`: the video of the landing page, made by the engine."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2

from talkingphoto.foundation import settings
from talkingphoto.integrations.video import provenance
from tests.engine.takes import ASTRONAUT, NEURAL, Studio
from tests.support import film

FOLDER = settings.PROJECT_ROOT / "static" / "sample"
# The words that the landing page shows below it.
WORDS = "Good morning, team. Here is what changed this week."
MOST_BYTES = 700_000
_POSTER_QUALITY = 84


def main(arguments: Sequence[str]) -> int:
    """The video, marked as every video is, and its first picture are in the folder."""
    target = Path(arguments[0]) if arguments else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    video, poster = target / "sample.mp4", target / "poster.jpg"
    with tempfile.TemporaryDirectory() as name:
        made = Studio(Path(name)).take(ASTRONAUT, WORDS, NEURAL).path
        signer = provenance.Provenance(folder=Path(name, "c"), certificate=None, key=None)
        signer.sign(made)
        shutil.copyfile(made, video)
    _, first = next(film.pictures(video))
    assert cv2.imwrite(str(poster), first, [cv2.IMWRITE_JPEG_QUALITY, _POSTER_QUALITY])
    size = video.stat().st_size
    assert size < MOST_BYTES, f"{size} bytes are too many for a landing page"
    sys.stdout.write(f"{video}: {size} bytes; {poster}: {poster.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
