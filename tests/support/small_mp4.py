"""A few pictures and a tone as an mp4, for what needs a video and cares not for its sight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import encode

WIDTH, HEIGHT = 320, 240
SECONDS = 2


def pictures(count: int = SECONDS * encode.FPS) -> list[NDArray[np.uint8]]:
    """Pictures (240, 320, 3) of a soft pattern that moves, no two the same."""
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return [
        np.stack([(across + 3 * k) % 256, down % 256, (across + down + 5 * k) % 256], 2).astype(
            np.uint8
        )
        for k in range(count)
    ]


def tone(seconds: float = SECONDS) -> NDArray[np.float32]:
    """440 Hz at 48 kHz."""
    at = np.arange(round(seconds * encode.SAMPLE_RATE)) / encode.SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)


def written(path: Path) -> Path:
    """The file is there, and plays."""
    with encode.Encoder(path, width=WIDTH, height=HEIGHT) as encoder:
        for picture in pictures():
            encoder.write(picture)
        encoder.finish(tone())
    return path
