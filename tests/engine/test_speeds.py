"""How long making takes is learned from what was made, and known to every process."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkingphoto.integrations.video.speeds import Speeds


def test_what_was_made_moves_the_guess_for_its_tier_only(tmp_path: Path) -> None:
    speeds = Speeds(tmp_path / "speeds.json")
    before = speeds.of("720p"), speeds.of("1080p")
    for _ in range(20):
        speeds.learn("720p", making_seconds=30, video_seconds=10)
    assert speeds.of("720p") == pytest.approx(3.0, rel=0.01)
    assert before[0] < 3.0
    assert speeds.of("1080p") == before[1]
    # The page that tells a guess is another process than the worker that made the video.
    assert Speeds(tmp_path / "speeds.json").of("720p") == speeds.of("720p")


def test_one_slow_video_does_not_make_every_guess_slow(tmp_path: Path) -> None:
    speeds = Speeds(tmp_path / "speeds.json")
    usual = speeds.of("540p")
    speeds.learn("540p", making_seconds=usual * 20, video_seconds=10)
    assert usual < speeds.of("540p") < usual * 2


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"540p": "fast"}', '{"540p": null}'])
def test_a_damaged_file_is_only_a_guess_lost(damage: str, tmp_path: Path) -> None:
    (tmp_path / "speeds.json").write_text(damage)
    speeds = Speeds(tmp_path / "speeds.json")
    assert 0 < speeds.of("540p") < 5
    speeds.learn("540p", making_seconds=5, video_seconds=10)
    assert 0 < speeds.of("540p") < 5
