"""Pictures and sound become one mp4 that every browser plays and may begin before it is all there.

H.264 High, yuv420p, BT.709, 25 pictures a second, beside AAC-LC of 48 kHz, one channel.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

FPS = 25
SAMPLE_RATE = 48_000
COMMENT = "AI-generated video (TalkingPhoto)"
_AUDIO_BITS_A_SECOND = 128_000
_AUDIO_FRAME = 1024  # AAC-LC codes so many samples at once.
# Pictures that wait for the encoder: enough to keep it busy, and at 1080p still only 25 MB.
_WAITING = 4
# Without macroblock trees: with them x264's AVX-512 code chooses a little differently from run to
# run, and the same photo, text and seed must be the same file. It costs 40 % of half a megabit.
_VIDEO_OPTIONS = {
    "crf": "20",
    "preset": "veryfast",
    "profile": "high",
    "x264-params": "mbtree=0",
}
_BT709 = 1  # The number of ITU-R BT.709 in ITU-T H.273, for primaries, transfer and matrix alike.
_LIMITED_RANGE = 1
_THREADS = 2

Frame = NDArray[np.uint8]
Samples = NDArray[np.float32]


class Encoder:
    """An mp4 in the making: `write` every picture, then `finish` with the sound of all of them.

    The pictures are coded in a thread of its own while the next ones are drawn. Left without
    `finish`, no file remains.
    """

    def __init__(self, sink: Path, *, width: int, height: int) -> None:
        self._sink = sink
        self._container = av.open(
            str(sink), "w", format="mp4", container_options={"movflags": "+faststart"}
        )
        self._container.metadata["comment"] = COMMENT
        self._video = _video_stream(self._container, width=width, height=height)
        self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        self._audio.bit_rate = _AUDIO_BITS_A_SECOND
        self._frames: queue.Queue[Frame | None] = queue.Queue(_WAITING)
        # Coded pictures are kept until the sound is known, so that the two lie side by side in
        # the file: about 10 MB for the longest video.
        self._packets: list[Any] = []
        self._fault: BaseException | None = None
        self._finished = False
        self._thread = threading.Thread(target=self._code, name="encoder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._finished:
            return
        self._end_of_frames()
        self._container.close()
        self._sink.unlink(missing_ok=True)

    def write(self, frame: Frame) -> None:
        """The picture (height, width, 3; blue first) is on its way and must not change any more."""
        self._require_no_fault()
        self._frames.put(frame)

    def finish(self, samples: Samples) -> None:
        """The file is complete: `samples` of 48 kHz between -1 and 1 begin with picture 0."""
        self._end_of_frames()
        self._require_no_fault()
        sound = list(_coded_sound(self._audio, samples))
        for packet in sorted([*self._packets, *sound], key=_due):
            self._container.mux(packet)
        self._container.close()
        self._finished = True

    def _end_of_frames(self) -> None:
        if self._thread.is_alive():
            self._frames.put(None)
            self._thread.join()

    def _require_no_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _code(self) -> None:
        number = 0
        # Pictures after a fault are taken and dropped: nobody may wait for room in the queue.
        while (frame := self._frames.get()) is not None:
            if self._fault is None:
                self._keep(_picture, frame, number)
                number += 1
        if self._fault is None:
            self._keep(lambda: None)

    def _keep(self, picture: Callable[..., av.VideoFrame | None], *arguments: Any) -> None:
        try:
            self._packets += self._video.encode(picture(*arguments))
        except Exception as fault:  # noqa: BLE001 - told to whoever writes next
            self._fault = fault


def _video_stream(container: Any, *, width: int, height: int) -> Any:
    stream = container.add_stream("libx264", rate=FPS, options=_VIDEO_OPTIONS)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.time_base = Fraction(1, FPS)
    context = stream.codec_context
    context.thread_count = _THREADS
    context.color_range = _LIMITED_RANGE
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    return stream


def _picture(frame: Frame, number: int) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(frame, format="bgr24").reformat(
        format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
    )
    picture.pts, picture.time_base = number, Fraction(1, FPS)
    return picture


def _coded_sound(stream: Any, samples: Samples) -> Iterator[Any]:
    for start in range(0, len(samples), _AUDIO_FRAME):
        part = np.ascontiguousarray(samples[None, start : start + _AUDIO_FRAME], np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _due(packet: Any) -> float:
    return float(packet.dts * packet.time_base)
