"""How loud speech is, made the same for every voice, and its samples at another rate.

ITU-R BS.1770-4: K-weighting (annex 1), gated blocks of 400 ms (annex 1), true peak by four-fold
oversampling (annex 2). The filters are applied to the whole signal's spectrum, which numpy does
in a few milliseconds; padded by a second, their tails have died out and the result is the same.
"""

from __future__ import annotations

import math

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_Wave = NDArray[np.float64]

# What streaming services play speech at.
TARGET_LUFS = -16.0
MOST_TRUE_PEAK = -1.5
_CLOSE_ENOUGH = 0.05
_MOST_ROUNDS = 12
# Below the limit, for what the smoothed gain adds between samples.
_MARGIN = 0.2
_LOOK_AHEAD_SECONDS = 0.005
_OVERSAMPLING = 4
# Peaks are looked for in blocks, which overlap by what the edge of a block may ring into.
_PEAK_BLOCK = 31 * 1024
_PEAK_MARGIN = 512
_BLOCK_SECONDS = 0.4
_STEP_SECONDS = 0.1
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
# The K-weighting's two filters as analogue prototypes, so that they can be made at any rate:
# (Hz, Q, gain in dB) of the shelf and (Hz, Q) of the high pass (the values of libebur128, which
# give the standard's coefficients at 48 kHz).
_SHELF = (1681.974450955533, 0.7071752369554196, 3.999843853973347)
_HIGH_PASS = (38.13547087602444, 0.5003270373238773)
_SHELF_POWER = 0.4996667741545416


def integrated(samples: Samples, sample_rate: int) -> float:
    """The gated loudness in LUFS; minus infinity for silence. Less than a block is one block."""
    weighted = _k_weighted(samples.astype(np.float64), sample_rate)
    block, step = round(_BLOCK_SECONDS * sample_rate), round(_STEP_SECONDS * sample_rate)
    energy = np.concatenate([[0.0], np.cumsum(weighted**2)])
    block = min(block, len(weighted))
    starts = np.arange(0, len(weighted) - block + 1, step)
    power = (energy[starts + block] - energy[starts]) / max(block, 1)
    power = power[power > _power(_ABSOLUTE_GATE)]
    if not len(power):
        return -math.inf
    gate = _lufs(float(power.mean())) + _RELATIVE_GATE
    return _lufs(float(power[power > _power(gate)].mean()))


def true_peak(samples: Samples) -> float:
    """The highest level between and at the samples, in dBTP; minus infinity for silence."""
    peak = float(_peaks(samples.astype(np.float64)).max(initial=0.0))
    return 20 * math.log10(peak) if peak else -math.inf


def normalised(samples: Samples, sample_rate: int) -> Samples:
    """The samples at -16 LUFS, their peaks turned down smoothly where they pass -1.5 dBTP.

    Silence stays silence.
    """
    highest = float(np.abs(samples).max(initial=0.0))
    if not highest:
        return samples
    # Raised first: the gate of the measurement would take a very quiet recording for silence.
    wave = samples.astype(np.float64) / highest
    gain = 0.0
    made: Samples = wave.astype(np.float32)
    for _ in range(_MOST_ROUNDS):
        missing = TARGET_LUFS - integrated(made, sample_rate)
        if not math.isfinite(missing) or abs(missing) < _CLOSE_ENOUGH:
            break
        # Limiting makes it quieter, so that the gain is looked for in rounds.
        gain += missing
        made = _limited(wave * 10 ** (gain / 20), sample_rate)
    return made


def resampled(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """The same sound at another rate, in Hz, not shifted in time and not clipped."""
    if source_rate == target_rate:
        return samples
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples[None], dtype=np.float32), format="fltp", layout="mono"
    )
    frame.sample_rate = source_rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=target_rate)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in frames]).astype(np.float32)


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _k_weighted(wave: _Wave, sample_rate: int) -> _Wave:
    """The wave as loud as ears hear it."""
    length = _fast_length(len(wave) + sample_rate)
    z = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)
    response = _shelf(z, sample_rate) * _high_pass(z, sample_rate)
    return np.fft.irfft(np.fft.rfft(wave, length) * response, length)[: len(wave)]


def _shelf(z: NDArray[np.complex128], sample_rate: int) -> NDArray[np.complex128]:
    hertz, q, decibels = _SHELF
    k = math.tan(math.pi * hertz / sample_rate)
    high = 10 ** (decibels / 20)
    band = high**_SHELF_POWER
    zeros: NDArray[np.complex128] = (high + band * k / q + k * k) + 2 * (k * k - high) * z
    zeros += (high - band * k / q + k * k) * z**2
    return zeros / _poles(z, k, q)


def _high_pass(z: NDArray[np.complex128], sample_rate: int) -> NDArray[np.complex128]:
    hertz, q = _HIGH_PASS
    k = math.tan(math.pi * hertz / sample_rate)
    # The standard leaves this filter's numerator at 1, -2, 1.
    zeros: NDArray[np.complex128] = (1 - 2 * z + z**2) * (1 + k / q + k * k)
    return zeros / _poles(z, k, q)


def _poles(z: NDArray[np.complex128], k: float, q: float) -> NDArray[np.complex128]:
    poles: NDArray[np.complex128] = (1 + k / q + k * k) + 2 * (k * k - 1) * z
    poles += (1 - k / q + k * k) * z**2
    return poles


def _fast_length(least: int) -> int:
    """A length of at least that much which a Fourier transform is quick at."""
    step = 1 << max(least.bit_length() - 4, 0)
    return -(-least // step) * step


def _peaks(wave: _Wave) -> _Wave:
    """For each sample the highest magnitude from it to the next, found by oversampling."""
    padded = np.pad(wave, (_PEAK_MARGIN, _PEAK_MARGIN + _PEAK_BLOCK))
    highest = np.zeros(len(wave) + _PEAK_BLOCK)
    for start in range(0, len(wave), _PEAK_BLOCK):
        part = padded[start : start + _PEAK_BLOCK + 2 * _PEAK_MARGIN]
        fine = np.fft.irfft(np.fft.rfft(part), len(part) * _OVERSAMPLING) * _OVERSAMPLING
        most = np.abs(fine).reshape(-1, _OVERSAMPLING).max(axis=1)
        highest[start : start + _PEAK_BLOCK] = most[_PEAK_MARGIN:-_PEAK_MARGIN]
    return highest[: len(wave)]


def _limited(wave: _Wave, sample_rate: int) -> Samples:
    """The wave with peaks over the limit turned down around them, and never more than needed
    for the highest peak within the look-ahead."""
    most = 10 ** ((MOST_TRUE_PEAK - _MARGIN) / 20)
    peaks = _peaks(wave)
    if peaks.max(initial=0.0) > most:
        wanted = most / np.maximum(peaks, most)
        reach = round(_LOOK_AHEAD_SECONDS * sample_rate)
        lowest = _lowest(np.pad(wanted, 2 * reach, mode="edge"), 2 * reach + 1)
        # The mean of a window of minima that all reach the peak is at most what the peak needs.
        window = np.hanning(2 * reach + 3)[1:-1]
        wave = wave * np.convolve(lowest, window / window.sum(), "valid")
        wave = wave * min(1.0, 10 ** (MOST_TRUE_PEAK / 20) / _peaks(wave).max())
    return wave.astype(np.float32)


def _lowest(curve: _Wave, window: int) -> _Wave:
    """The lowest value in each window, found by doubling its length."""
    length = 1
    while 2 * length <= window:
        curve = np.minimum(curve[:-length], curve[length:])
        length *= 2
    rest = window - length
    return np.minimum(curve[: len(curve) - rest], curve[rest:])
