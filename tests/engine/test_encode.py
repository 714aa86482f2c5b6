"""The mp4 itself: what a browser and a phone need to play it, and what happens when it fails."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from talkingphoto.integrations.video import mp4
from talkingphoto.integrations.video.engine import encode
from talkingphoto.integrations.video.port import EngineFault
from tests.support import small_mp4

FLAT = np.full((small_mp4.HEIGHT, small_mp4.WIDTH, 3), (40, 90, 200), np.uint8)


def boxes(path: Path) -> list[str]:
    """The names of the outermost boxes, in the order of the file."""
    content, at, names = path.read_bytes(), 0, []
    while at < len(content):
        names.append(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    return names


def test_what_is_needed_to_begin_comes_before_the_pictures(tmp_path: Path) -> None:
    names = boxes(small_mp4.written(tmp_path / "video.mp4"))
    assert names[0] == "ftyp"
    assert names.index("moov") < names.index("mdat")


def test_the_streams_are_those_that_every_browser_plays(tmp_path: Path) -> None:
    with av.open(str(small_mp4.written(tmp_path / "video.mp4"))) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        picture, sound = video.codec_context, audio.codec_context
        assert (picture.name, picture.profile, picture.pix_fmt) == ("h264", "High", "yuv420p")
        assert (picture.width, picture.height) == (small_mp4.WIDTH, small_mp4.HEIGHT)
        assert (float(video.average_rate or 0), video.frames) == (25.0, 50)
        # BT.709 for primaries, transfer and matrix (ITU-T H.273), and the usual range.
        assert (picture.color_primaries, picture.color_trc, picture.colorspace) == (1, 1, 1)
        assert picture.color_range == 1
        assert (sound.name, sound.profile, sound.sample_rate) == ("aac", "LC", 48_000)
        assert sound.layout.name == "mono"
        assert "AI-generated" in container.metadata["comment"]


def test_sound_and_picture_begin_together_and_lie_side_by_side(tmp_path: Path) -> None:
    with av.open(str(small_mp4.written(tmp_path / "video.mp4"))) as container:
        packets = [p for p in container.demux() if p.size]
        begins: dict[str, list[float]] = {"video": [], "audio": []}
        for p in packets:
            begins[p.stream.type].append(float((p.pts or 0) * p.time_base))
        assert abs(min(begins["video"]) - min(begins["audio"])) < 0.04
        runs = "".join(p.stream.type[0] for p in packets)
    # Half a second of pictures without any sound would make a player wait.
    assert "v" * 13 not in runs and "a" * 25 not in runs


def test_a_tone_comes_back_at_its_time_and_loudness(tmp_path: Path) -> None:
    silent, tone = np.zeros(24_000, np.float32), small_mp4.tone(1.0)
    with encode.Encoder(tmp_path / "v.mp4", width=320, height=240) as encoder:
        for picture in small_mp4.pictures(38):
            encoder.write(picture)
        encoder.finish(np.concatenate([silent, tone]))
    with av.open(str(tmp_path / "v.mp4")) as container:
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    loud = np.abs(heard) > 0.1
    assert np.argmax(loud) / 48_000 == pytest.approx(0.5, abs=0.03)
    assert np.sqrt((heard[30_000:60_000] ** 2).mean()) == pytest.approx(0.3 / 2**0.5, abs=0.02)


def test_colours_come_back_as_they_were(tmp_path: Path) -> None:
    with encode.Encoder(tmp_path / "v.mp4", width=320, height=240) as encoder:
        for _ in range(5):
            encoder.write(FLAT.copy())
        encoder.finish(small_mp4.tone(0.2))
    with av.open(str(tmp_path / "v.mp4")) as container:
        seen = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert np.abs(seen.astype(int) - FLAT).max() <= 4


def test_the_same_pictures_make_the_same_file(tmp_path: Path) -> None:
    sums = {
        hashlib.sha256(small_mp4.written(tmp_path / f"{k}.mp4").read_bytes()).digest()
        for k in range(3)
    }
    assert len(sums) == 1


def test_a_picture_that_cannot_be_coded_ends_it_with_its_fault_and_no_file(tmp_path: Path) -> None:
    sink, before = tmp_path / "v.mp4", threading.active_count()
    with pytest.raises(ValueError), encode.Encoder(sink, width=320, height=240) as encoder:
        # More than ever wait: a coder that has given up must not leave us standing.
        for _ in range(40):
            encoder.write(np.zeros((240, 320), np.uint8))
        encoder.finish(small_mp4.tone())
    assert not sink.exists()
    assert threading.active_count() == before


def test_a_video_left_half_way_leaves_no_file(tmp_path: Path) -> None:
    sink = tmp_path / "v.mp4"
    with pytest.raises(RuntimeError), encode.Encoder(sink, width=320, height=240) as encoder:
        encoder.write(FLAT.copy())
        raise RuntimeError("nobody wants it any more")
    assert not sink.exists()


def test_the_facts_of_a_video_are_found_by_opening_it(tmp_path: Path) -> None:
    path = small_mp4.written(tmp_path / "video.mp4")
    facts = mp4.facts(path)
    assert (facts.width, facts.height, facts.size) == (320, 240, path.stat().st_size)
    assert facts.seconds == pytest.approx(small_mp4.SECONDS, abs=0.05)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", [b"", b"no video", b"\x00\x00\x00\x08ftyp"])
def test_what_is_no_video_has_no_facts(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    with pytest.raises(EngineFault):
        mp4.facts(path)
