"""A finished file is opened as a player would, before anybody pays for it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from talkingphoto.integrations.video import playback
from tests.support.pocket_engine import write_video


def test_a_video_that_plays_is_seen_with_its_length_and_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    write_video(path, seed=7)
    seen = playback.look(path)
    assert seen is not None
    assert (seen.width, seen.height) == (64, 64)
    assert seen.seconds == pytest.approx(0.4)
    assert Image.open(io.BytesIO(seen.poster)).size == (64, 64)


def test_half_a_video_no_video_and_a_silent_one_do_not_play(tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    write_video(path, seed=7)
    whole = path.read_bytes()
    for damaged in (b"", b"no video", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert playback.look(path) is None
    write_video(path, seed=7, sound=False)
    assert playback.look(path) is None
    assert playback.look(tmp_path / "nowhere.mp4") is None
