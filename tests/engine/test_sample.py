"""The video on the landing page is one of the engine's, and says what stands below it."""

from __future__ import annotations

import pytest

from talkingphoto.foundation import settings
from talkingphoto.integrations.video import mp4, provenance
from tests.engine import sample
from tests.support import film, lips
from tests.support.landmarks import Landmarker

VIDEO = sample.FOLDER / "sample.mp4"


def test_the_landing_page_shows_the_words_that_are_said() -> None:
    assert sample.WORDS in (settings.PROJECT_ROOT / "ui" / "pricing.py").read_text()


def test_the_sample_is_small_square_and_marked_as_made_by_a_machine() -> None:
    facts = mp4.facts(VIDEO)
    assert facts.size < sample.MOST_BYTES
    assert min(facts.width, facts.height) == 540
    marked = provenance.read_back(VIDEO)
    assert marked is not None
    assert marked.actions[0][1] == provenance.SOURCE_TYPE


def test_the_sample_speaks() -> None:
    watched = lips.watch(VIDEO, Landmarker())
    assert watched.scores.min() > 0.9
    assert watched.gaps.max() > 2 * watched.gaps.min()
    assert film.integrated_loudness(VIDEO) == pytest.approx(-16, abs=1)
