"""A finished mp4 as a player sees it: its pictures one by one, its sound, when each begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SOUND_RATE = 48_000


@dataclass(frozen=True)
class Sound:
    """What is heard: mono samples from -1 to 1 at 48 kHz, the first at `start` seconds."""

    samples: NDArray[np.float32]
    start: float

    def loudness(self, times: NDArray[np.float64], window: float = 0.04) -> NDArray[np.float64]:
        """The root mean square around each of those seconds, over a window of that length."""
        energy = np.concatenate([[0.0], np.cumsum(self.samples.astype(np.float64) ** 2)])
        middle = (times - self.start) * SOUND_RATE
        half = window * SOUND_RATE / 2
        first = np.clip(middle - half, 0, len(self.samples)).astype(int)
        last = np.clip(middle + half, 0, len(self.samples)).astype(int)
        return np.asarray(np.sqrt((energy[last] - energy[first]) / (2 * half)))


def pictures(path: Path) -> Iterator[tuple[float, Picture]]:
    """Every frame with the second it is shown at, as BGR."""
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            yield _second(frame), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def sound(path: Path) -> Sound:
    """The whole sound track, decoded."""
    pieces: list[NDArray[np.float32]] = []
    start = 0.0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
        for frame in container.decode(container.streams.audio[0]):
            if not pieces:
                start = _second(frame)
            pieces += [each.to_ndarray()[0] for each in resampler.resample(frame)]
        pieces += [each.to_ndarray()[0] for each in resampler.resample(None)]
    return Sound(np.concatenate(pieces), start)


def start_offset(path: Path) -> float:
    """Seconds by which the first sample is presented after the first frame."""
    with av.open(str(path)) as container:
        first_frame = next(container.decode(container.streams.video[0]))
    return sound(path).start - _second(first_frame)


def integrated_loudness(path: Path) -> float:
    """LUFS of the whole sound track after BS.1770-4, by FFmpeg's ebur128 filter."""
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        graph = av.filter.Graph()
        source = graph.add_abuffer(template=track)
        meter = graph.add("ebur128", "metadata=1")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        found = float("nan")
        for frame in container.decode(track):
            graph.push(frame)
            found = _last_reading(graph, found)
    return found


def _second(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.time is not None, "a frame without a time stamp"
    return float(frame.time)


def _last_reading(graph: av.filter.Graph, found: float) -> float:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return found
        found = float(frame.metadata["lavfi.r128.I"])
