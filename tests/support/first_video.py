"""The path of a first video, step by step, after the first purchase."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.customer import Customer
from tests.support.first_purchase import Step, step
from tests.support.maker import PORTRAIT, Maker

WORDS = "Good morning, team. Here is what changed this week."


def walk(ada: Customer, *, videos_left: int) -> Iterator[Step]:
    """Choose a photo, write two sentences, wait for the video, and play it."""
    maker = Maker(ada)
    maker.opens_the_studio()
    maker.chooses(PORTRAIT)
    yield step("face_found", True, lambda: maker.sees_the_face() > 0)
    maker.writes(WORDS)
    maker.agrees()
    maker.asks_for_it()
    yield step("credits_while_it_is_made", videos_left - 1, lambda: _left(ada, videos_left - 1))
    yield step("video", "ready", lambda: _ending(maker))
    yield step("video_plays", True, lambda: maker.plays().error is None)
    yield step("credits_after_video", videos_left - 1, lambda: _left(ada, videos_left - 1))


def _left(ada: Customer, wanted: int) -> int:
    return ada.videos_left_become(wanted)


def _ending(maker: Maker) -> str:
    said = maker.watches()[-1].words
    return "ready" if "Download" in said else said
