"""The mouth moves with the speech: closed where lips meet, open where a vowel is heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingphoto.integrations.video.engine import articulation, speech, spoken, visemes
from talkingphoto.integrations.video.engine.articulation import (
    FPS,
    LEAD_SECONDS,
    OPEN,
    PRESS,
    ROUND,
    TAIL_SECONDS,
    WIDTH,
    Articulation,
)
from talkingphoto.integrations.video.engine.spoken import Phoneme, Speech
from talkingphoto.integrations.video.engine.visemes import Contact

SENTENCES = {
    "en-heart": "Peter picked a peck of pickled peppers, maybe jumping up past Mumbai's lamps.",
    "espeak:de": "Papa pflückt Äpfel, Mama backt Brot und bummelt am Bahnhof.",
    "espeak:ru": "Мама и папа были дома, пили воду и пели.",
    "espeak:fr": "Maman et papa ont bu un bon café au petit bar.",
}
RATE = 24_000
WORDS = st.lists(
    st.tuples(st.sampled_from([*"pbmfvtskaiuɑə_", "ˈA", "ˈO", "tʃ"]), st.floats(0.012, 0.3)),
    min_size=1,
    max_size=40,
)


def moved(made: Speech) -> Articulation:
    return articulation.articulate(made, frames=articulation.frame_count(made))


def speech_of(*sounds: tuple[str, float]) -> Speech:
    """A hum with these sounds in it: each with its length in seconds."""
    phonemes: list[Phoneme] = []
    at = 0.0
    for symbol, seconds in sounds:
        phonemes.append(Phoneme(symbol, at, at + seconds))
        at += seconds
    time = np.arange(max(round(at * RATE), 1)) / RATE
    samples = (0.3 * np.sin(2 * np.pi * 140 * time) + 0.001).astype(np.float32)
    return Speech(samples, RATE, tuple(phonemes))


def frames_near(phoneme: Phoneme) -> list[int]:
    """The frames within the sound, and one at each side of it."""
    start, end = (phoneme.start + LEAD_SECONDS) * FPS, (phoneme.end + LEAD_SECONDS) * FPS
    return list(range(max(int(start), 0), int(np.ceil(end)) + 1))


def contact(phoneme: Phoneme) -> set[Contact]:
    return {viseme.contact for viseme in visemes.sound(phoneme.symbol).visemes}


@pytest.mark.parametrize("voice_id", SENTENCES)
def test_every_p_b_and_m_has_a_frame_with_closed_lips(voice_id: str) -> None:
    made = speech.voice(voice_id).say(SENTENCES[voice_id], seed=0)
    mouth = moved(made)
    closing = [p for p in made.phonemes if set("pbm") & set(p.symbol)]
    assert len(closing) >= 8
    for phoneme in closing:
        shapes = mouth.shapes[frames_near(phoneme)]
        closed = (shapes[:, OPEN] <= 0.02) & (shapes[:, PRESS] >= 0.9)
        assert closed.any(), phoneme


@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_lips_close_for_p_b_and_m_between_any_sounds(sounds: list[tuple[str, float]]) -> None:
    made = speech_of(*sounds)
    mouth = moved(made)
    for phoneme in made.phonemes:
        shapes = mouth.shapes[frames_near(phoneme)]
        if Contact.LIPS in contact(phoneme):
            assert ((shapes[:, OPEN] <= 0.02) & (shapes[:, PRESS] >= 0.9)).any(), phoneme
        if Contact.TEETH in contact(phoneme):
            assert shapes[:, OPEN].min() <= 0.1, phoneme


@settings(max_examples=100, deadline=None)
@given(WORDS)
def test_a_mouth_stays_a_mouth(sounds: list[tuple[str, float]]) -> None:
    mouth = moved(speech_of(*sounds))
    parts = mouth.shapes
    assert np.isfinite(parts).all()
    assert parts[:, [OPEN, ROUND, 3, 4, PRESS]].min() >= -1e-9 and parts.max() <= 1.06
    assert parts[:, WIDTH].min() >= -1.0
    for curve in (mouth.accents, mouth.loudness, mouth.activity):
        assert len(curve) == len(parts) and curve.min() >= 0.0 and curve.max() <= 1.5


def test_the_mouth_rests_before_and_after_the_speech() -> None:
    made = speech_of(("ˈɑ", 0.3), ("t", 0.1), ("i", 0.3))
    mouth = moved(made)
    assert len(mouth.shapes) == np.ceil((LEAD_SECONDS + 0.7 + TAIL_SECONDS) * FPS)
    for frames in (mouth.shapes[:3], mouth.shapes[-3:]):
        assert np.abs(frames).max() < 0.02
    assert mouth.activity[0] < 0.1 < 0.9 < mouth.activity[12]


def test_a_mouth_is_moved_in_time_with_what_is_heard() -> None:
    mouth = moved(speech_of(("_", 0.5), ("ˈɑ", 0.2), ("_", 0.5)))
    opened = mouth.shapes[:, OPEN]
    middle = float((opened * np.arange(len(opened))).sum() / opened.sum()) / FPS
    assert middle == pytest.approx(LEAD_SECONDS + 0.6, abs=0.03)


def test_open_vowels_are_far_more_open_than_anything_else() -> None:
    sounds = {"ɑ": 0.0, "i": 0.0, "u": 0.0, "s": 0.0, "f": 0.0, "p": 0.0}
    for symbol in sounds:
        mouth = moved(speech_of(("t", 0.08), (f"ˈ{symbol}", 0.15), ("t", 0.08)))
        middle = round((LEAD_SECONDS + 0.155) * FPS)
        sounds[symbol] = float(mouth.shapes[middle, OPEN])
    order = sorted(sounds, key=lambda symbol: -sounds[symbol])
    assert order == ["ɑ", "i", "u", "s", "f", "p"]
    assert sounds["ɑ"] > 0.8 and sounds["ɑ"] > 2 * sounds["i"]


def test_lips_are_round_in_a_consonant_before_a_rounded_vowel() -> None:
    round_ahead, spread_ahead = (
        moved(speech_of(("k", 0.12), (f"ˈ{vowel}", 0.2))).shapes[round(LEAD_SECONDS * FPS) + 2]
        for vowel in ("u", "i")
    )
    assert round_ahead[ROUND] > 0.3 > spread_ahead[ROUND]
    assert round_ahead[WIDTH] < 0 < spread_ahead[WIDTH]


def test_a_diphthong_moves_from_one_vowel_to_the_other() -> None:
    for symbol in ("ˈI", "ˈaɪ"):
        mouth = moved(speech_of(("h", 0.05), (symbol, 0.3), ("t", 0.05)))
        early, late = (round((LEAD_SECONDS + at) * FPS) for at in (0.11, 0.26))
        assert mouth.shapes[early, OPEN] > 1.5 * mouth.shapes[late, OPEN]
        assert mouth.shapes[late, WIDTH] > mouth.shapes[early, WIDTH]


def test_a_stressed_vowel_opens_more_and_is_an_accent() -> None:
    stressed, plain = (
        moved(speech_of(("t", 0.1), (symbol, 0.15), ("t", 0.1))) for symbol in ("ˈɑ", "ɑ")
    )
    assert stressed.shapes[:, OPEN].max() > 1.1 * plain.shapes[:, OPEN].max()
    assert stressed.accents.max() > 0.9 and plain.accents.max() == 0.0


def test_a_quiet_vowel_opens_less_than_a_loud_one() -> None:
    made = speech_of(("ˈɑ", 0.2), ("t", 0.1), ("ˈɑ", 0.2))
    made.samples[round(0.28 * RATE) :] *= 0.1
    mouth = moved(made)
    loud, quiet = (mouth.shapes[round((LEAD_SECONDS + at) * FPS), OPEN] for at in (0.1, 0.4))
    assert quiet < 0.9 * loud
    assert mouth.loudness[round((LEAD_SECONDS + 0.1) * FPS)] > 0.9


def test_the_lips_part_again_between_two_closures() -> None:
    made = speech_of(("m", 0.09), ("ˈɑ", 0.09), ("m", 0.09), ("ɑ", 0.09))
    mouth = moved(made)
    first = [k for k in frames_near(made.phonemes[1]) if k <= (LEAD_SECONDS + 0.18) * FPS]
    assert mouth.shapes[first, OPEN].max() > 0.3


def test_a_long_pause_closes_the_mouth_and_a_gap_between_words_does_not() -> None:
    for gap, closes in ((0.4, True), (0.05, False)):
        mouth = moved(speech_of(("ˈɑ", 0.2), (spoken.PAUSE, gap), ("ˈɑ", 0.2)))
        middle = round((LEAD_SECONDS + 0.2 + gap / 2) * FPS)
        assert bool(mouth.shapes[middle, OPEN] < 0.02) is closes
