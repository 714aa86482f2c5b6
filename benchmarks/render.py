"""Videos made by a warm worker of the embedded engine, beside coding the same pictures alone."""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.report import Report, quantile
from talkingphoto.foundation import settings
from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.embedded import EmbeddedEngine
from talkingphoto.integrations.video.engine import encode
from tests.support import film
from tests.support.stack import temporary_folder

TEXT = "Hello! I was only a photo until this morning, and now I can say whatever you write."
VOICE = "en-heart"
ROUNDS = 5
_PHOTO = settings.PROJECT_ROOT / "static" / "img" / "portrait.jpg"
_LONGEST_SECONDS = 300
_LOOK_EVERY_SECONDS = 0.02


@dataclass(frozen=True)
class Round:
    """Wall seconds per second of video: made by the engine, and coded alone."""

    engine: float
    yardstick: float
    wall: float


def at_540p() -> Report:
    """The free tier."""
    return _run("540p")


def at_720p() -> Report:
    """The tier of packs and the first plans."""
    return _run("720p")


def at_1080p() -> Report:
    """The tier of the larger plans."""
    return _run("1080p")


def _run(tier: port.Tier) -> Report:
    load = os.getloadavg()[0]
    with temporary_folder("talkingphoto-bench-") as folder:
        race = _Race(folder, tier)
        try:
            race.make()
            cold_start = race.started_after
            race.make()
            before = race.cpu_seconds()
            rounds = [race.round(ours_first=number % 2 == 0) for number in range(ROUNDS)]
            busy = (race.cpu_seconds() - before) / (ROUNDS * race.video_seconds())
            return _report(
                tier,
                rounds,
                {
                    # From the order until the new process, all loaded, takes it up.
                    "cold_start_seconds": round(cold_start, 2),
                    # Holds also on a machine that has other work, where wall time does not.
                    "cpu_seconds_a_second": round(busy, 2),
                    "peak_rss_mb": race.peak_rss_mb(),
                    "video_seconds": race.video_seconds(),
                    "load_before": round(load, 1),
                },
            )
        finally:
            race.close()


class _Race:
    """The engine with its render process, and the coder alone with that engine's pictures."""

    def __init__(self, folder: Path, tier: port.Tier) -> None:
        self._folder = folder
        self._tier = tier
        self._numbers = count(1)
        self._photo = port.BlobRef(_PHOTO, hashlib.sha256(_PHOTO.read_bytes()).hexdigest())
        self._engine = EmbeddedEngine(folder=folder / "engine")
        self._video = folder / "video.mp4"
        self._frames: list[film.Picture] = []
        self.started_after = 0.0

    def make(self) -> float:
        """Wall seconds from the order to the finished file, which is kept for the yardstick."""
        started = time.perf_counter()
        reference = self._engine.submit(self._request(next(self._numbers)))
        waits = True
        while (state := self._engine.poll(reference)).status not in port.ENDED:
            if waits and state.stage != "waiting":
                waits, self.started_after = False, time.perf_counter() - started
            assert time.perf_counter() - started < _LONGEST_SECONDS, "the engine takes too long"
            time.sleep(_LOOK_EVERY_SECONDS)
        assert state.status == "succeeded", f"no video: {state.error}"
        taken = time.perf_counter() - started
        self._engine.fetch(reference, self._video)
        self._engine.purge(reference)
        return taken

    def round(self, *, ours_first: bool) -> Round:
        """Both did the same video; who begins alternates, so that neither gains."""
        self._frames = self._frames or [picture for _, picture in film.pictures(self._video)]
        if ours_first:
            ours = self.make()
            alone = self._code()
        else:
            alone = self._code()
            ours = self.make()
        return Round(ours / self.video_seconds(), alone / self.video_seconds(), ours)

    def video_seconds(self) -> float:
        """How long the video is."""
        return len(self._frames) / encode.FPS

    def peak_rss_mb(self) -> int:
        """The most memory that the render process has had resident, libraries included."""
        status = Path(f"/proc/{self._engine.process_ids['render']}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) // 1024

    def cpu_seconds(self) -> float:
        """What the render process has computed so far, in seconds of one core."""
        facts = Path(f"/proc/{self._engine.process_ids['render']}/stat").read_text()
        # The name in brackets may hold spaces; utime and stime are the 14th and 15th fields.
        user, system = facts.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """No process of the engine is left."""
        self._engine.close()

    def _code(self) -> float:
        """Wall seconds of FFmpeg coding the same pictures and sound with the same settings."""
        samples = film.sound(self._video).samples
        height, width = self._frames[0].shape[:2]
        started = time.perf_counter()
        with encode.Encoder(self._folder / "alone.mp4", width=width, height=height) as encoder:
            for frame in self._frames:
                encoder.write(frame)
            encoder.finish(samples)
        return time.perf_counter() - started

    def _request(self, number: int) -> port.RenderRequest:
        return port.RenderRequest(
            job_id=f"bench-{number}",
            photo=self._photo,
            text=TEXT,
            language="English",
            voice=VOICE,
            tier=self._tier,
            watermark=None,
            seed=1,
            max_seconds=60,
        )


def _report(tier: port.Tier, rounds: list[Round], more: dict[str, float | int | str]) -> Report:
    walls = [each.wall for each in rounds]
    return Report(
        bench=f"render_{tier}",
        value=round(statistics.median(each.engine for each in rounds), 3),
        unit="wall seconds per second of video",
        yardstick=round(statistics.median(each.yardstick for each in rounds), 3),
        yardstick_is="FFmpeg's libx264 and aac, the same pictures, sound and settings",
        ratio=round(statistics.median(each.engine / each.yardstick for each in rounds), 2),
        rounds=len(rounds),
        p50_ms=round(quantile(walls, 0.50) * 1000),
        p99_ms=round(quantile(walls, 0.99) * 1000),
        more=more,
    )
