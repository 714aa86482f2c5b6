"""Ears that know nothing of the engine: a recogniser and a loudness meter."""

from __future__ import annotations

import gc
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pocketsphinx
from av.filter import Graph
from numpy.typing import NDArray

from talkingphoto.integrations.video.engine import loudness
from talkingphoto.integrations.video.engine.spoken import Speech

# What the models in pocketsphinx's own package were trained on.
_RECOGNISER_RATE = 16_000
_METER_RATE = 48_000


def recognised(speech: Speech) -> list[str]:
    """The words that PocketSphinx understands."""
    even = loudness.normalised(speech.samples, speech.sample_rate)
    heard = loudness.resampled(even, speech.sample_rate, _RECOGNISER_RATE)
    silence = np.zeros(_RECOGNISER_RATE // 4, dtype=np.float32)
    pcm = (np.clip(np.concatenate([silence, heard, silence]), -1, 1) * 32767).astype("<i2")
    decoder = pocketsphinx.Decoder(samprate=_RECOGNISER_RATE, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return words(found.hypstr) if found else []


def words(text: str) -> list[str]:
    """The words of a text in small letters."""
    return re.findall(r"[a-z']+", text.lower())


def wrong_words(said: list[str], heard: list[str]) -> int:
    """How many words must be put in, left out or changed to make one of the other."""
    row = list(range(len(heard) + 1))
    for index, word in enumerate(said, 1):
        above, row[0] = row[0], index
        for column, other in enumerate(heard, 1):
            kept = above + (word != other)
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, kept)
    return row[-1]


def hiss(speech: Speech, *, step_seconds: float) -> NDArray[np.float64]:
    """How much more there is above 4.5 kHz than in a vowel's range, at each step, as a logarithm:
    high during s and sh, whoever speaks."""
    return np.log(_level(speech, 4500, 11_000, step_seconds)) - np.log(
        _level(speech, 250, 3000, step_seconds)
    )


def _level(speech: Speech, low: int, high: int, step_seconds: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(speech.samples)
    hertz = np.fft.rfftfreq(len(speech.samples), 1 / speech.sample_rate)
    kept = np.where((hertz > low) & (hertz < high), spectrum, 0)
    power = np.fft.irfft(kept, len(speech.samples)) ** 2
    window = np.hanning(speech.sample_rate // 125)
    smooth = np.convolve(power, window / window.sum(), "same")
    level: NDArray[np.float64] = np.sqrt(smooth[:: round(step_seconds * speech.sample_rate)]) + 1e-4
    return level


def measured(samples: NDArray[np.float32], sample_rate: int, folder: Path) -> tuple[float, float]:
    """The loudness in LUFS and the true peak in dBTP, by FFmpeg's meter of EBU R 128."""
    log = folder / "meter.txt"
    _meter(loudness.resampled(samples, sample_rate, _METER_RATE), log)
    # The meter's file is complete when its filters are gone.
    gc.collect()
    values = dict(line.split("=", 1) for line in log.read_text().splitlines() if "=" in line)
    peak = float(values["lavfi.r128.true_peak"])
    return float(values["lavfi.r128.I"]), float(20 * np.log10(peak))


def _meter(samples: NDArray[np.float32], log: Path) -> None:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=_METER_RATE, format="flt", layout="mono", time_base=Fraction(1, _METER_RATE)
    )
    meter = graph.add("ebur128", "metadata=1:peak=true")
    writer = graph.add("ametadata", f"mode=print:file={log}")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(writer)
    writer.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts = _METER_RATE, 0
    source.push(frame)
    source.push(None)
    try:
        while sink.pull():
            pass
    except av.error.EOFError:
        return
