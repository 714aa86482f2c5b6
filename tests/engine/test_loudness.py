"""All voices are equally loud, by a meter that is not ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkingphoto.integrations.video.engine import loudness, speech
from tests.engine import listening

TEXTS = {
    "en-heart": "Hello there, my name is Emma, and this is how loud I am.",
    "espeak:de": "Guten Tag, so laut bin ich.",
    "espeak:hi": "नमस्ते, आप कैसे हैं?",
}


@pytest.mark.parametrize("voice_id", TEXTS)
def test_a_voice_is_as_loud_as_it_should_be_and_never_peaks(voice_id: str, tmp_path: Path) -> None:
    made = speech.voice(voice_id).say(TEXTS[voice_id], seed=0)
    even = loudness.normalised(made.samples, made.sample_rate)
    level, peak = listening.measured(even, made.sample_rate, tmp_path)
    assert level == pytest.approx(-16.0, abs=0.5)
    assert peak <= -1.5
    assert len(even) == len(made.samples) and even.dtype == np.float32


@pytest.mark.parametrize("gain", [0.001, 0.1, 1.0, 30.0])
def test_how_loud_it_was_before_makes_no_difference(gain: float, tmp_path: Path) -> None:
    made = speech.voice("en-heart").say("One, two, three, four, five.", seed=0)
    even = loudness.normalised(made.samples * np.float32(gain), made.sample_rate)
    level, peak = listening.measured(even, made.sample_rate, tmp_path)
    assert level == pytest.approx(-16.0, abs=0.5) and peak <= -1.5


@pytest.mark.parametrize("sample_rate", [22_050, 24_000, 48_000])
def test_loudness_is_what_the_meter_says(sample_rate: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(size=sample_rate * 4) * np.repeat([0.02, 0.2, 0.0001, 0.1], sample_rate)
    samples = (np.cumsum(noise - noise.mean()) / 40).astype(np.float32)
    level, peak = listening.measured(samples, sample_rate, tmp_path)
    assert loudness.integrated(samples, sample_rate) == pytest.approx(level, abs=0.1)
    assert loudness.true_peak(samples) == pytest.approx(peak, abs=0.2)


def test_a_tone_of_the_standard_has_the_standards_loudness() -> None:
    # BS.1770-4: a sine of 997 Hz at full scale in one channel is at -3.01 LKFS.
    tone = np.sin(2 * np.pi * 997 * np.arange(48_000 * 3) / 48_000).astype(np.float32)
    assert loudness.integrated(tone, 48_000) == pytest.approx(-3.01, abs=0.02)


def test_a_peak_between_two_samples_is_seen() -> None:
    # A quarter of the rate, sampled at 45 degrees: the samples stop 3 dB below the wave.
    wave = np.sin(np.pi / 2 * np.arange(4800) + np.pi / 4).astype(np.float32)
    assert loudness.true_peak(wave) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("length", [0, 1, 7, 100, 5000])
def test_silence_and_scraps_stay_as_long_as_they_are(length: int) -> None:
    for samples in (np.zeros(length, np.float32), np.full(length, 0.1, np.float32)):
        even = loudness.normalised(samples, 24_000)
        assert len(even) == length and np.isfinite(even).all()


@pytest.mark.parametrize(("source", "target"), [(24_000, 48_000), (22_050, 48_000)])
def test_another_rate_is_the_same_sound_at_the_same_time(source: int, target: int) -> None:
    def tone(rate: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        time = np.arange(rate) / rate
        return (np.sin(2 * np.pi * 440 * time) * np.sin(np.pi * time)).astype(np.float32)

    made = loudness.resampled(tone(source), source, target)
    assert abs(len(made) - target) <= 2
    error = made[: target - 2] - tone(target)[: target - 2]
    assert np.abs(error).max() < 0.001
