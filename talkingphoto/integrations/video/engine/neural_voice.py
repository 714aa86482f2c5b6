"""The English voice: hibari-tts's own "heart", which is in its package, with exact durations."""

from __future__ import annotations

import importlib.resources
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import english, spoken
from talkingphoto.integrations.video.engine.spoken import Phoneme, Speech

# The tensor of the model that holds how long each symbol lasts, and its unit: together they are
# exactly the length of the audio (checked for every sentence below).
_DURATIONS = b"/Cast_32_output_0"
_UNIT_SECONDS = 0.025
# What is heard comes two units before its symbol's turn: hiss and vowels fit their symbols best
# 50 ms earlier (r 0.59 and 0.54; 0.12 and 0.05 where they stand). Kokoro, which the model learnt
# from, takes three units off the same way in the time stamps of its own package.
_EARLY_UNITS = 2
_SENTENCE_PAUSE_SECONDS = 0.35
_STRESS = frozenset("ˈˌ")
_LENGTHENS = frozenset("ːʰʲ̃ᵝ")
_PAUSES = frozenset(' ;:,.!?—…"()“”→↓↗↘')

_NOTHING = port.EngineFailure(
    "text_unspeakable",
    "user_input",
    "There is nothing in the text that this voice can read. Write it in words.",
)
_STUMBLED = port.EngineFailure(
    "text_unspeakable",
    "user_input",
    "This voice cannot read a number or sign in the text. Write it in words.",
)


@dataclass(frozen=True)
class _Timed:
    symbol: str
    units: int


class NeuralVoice:
    """American English, female, 24 kHz; warm once made."""

    def __init__(self) -> None:
        # 0.3 s and 80 MB that only who speaks needs: not at the import of this module.
        import hibari
        from hibari import dsp

        self._synthesis = dsp.synth
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder, "heart.onnx")
            original = importlib.resources.files(hibari).joinpath("assets", "hibari.onnx")
            model.write_bytes(original.read_bytes() + _output(_DURATIONS))
            # A path is what it takes; once the session is made, the file is not read again.
            self._reader = hibari.Hibari(voice="heart", model=str(model), threads=2)
        self.say("Ready.", seed=0)

    def say(self, text: str, *, seed: int) -> Speech:
        """The text as speech, the same for the same seed; EngineFault when no word is in it."""
        rng = np.random.default_rng(seed)
        sentences = [s for s in self._phonemized(text) if not _PAUSES.issuperset(s)]
        if not sentences:
            raise port.EngineFault(_NOTHING)
        parts = [spoken.trimmed(self._sentence(sentence, rng)) for sentence in sentences]
        return spoken.joined(parts, pause_seconds=_SENTENCE_PAUSE_SECONDS)

    def _phonemized(self, text: str) -> list[str]:
        """The text's sentences in the model's alphabet."""
        try:
            sentences = self._reader.phonemize(english.written_out(text))
        except (ValueError, IndexError, KeyError) as error:
            # Its reading of numbers fails so on digits it does not know.
            raise port.EngineFault(_STUMBLED) from error
        return [
            "".join(symbol for symbol in sentence if symbol in self._reader.vocab)
            for sentence in sentences
        ]

    def _sentence(self, symbols: str, rng: np.random.Generator) -> Speech:
        """One sentence, silence around it included."""
        inputs = {
            "ids": np.asarray([self._reader.ids(symbols)], dtype=np.int64),
            "speed": np.ones(1, dtype=np.float32),
        }
        *spectrum, durations = self._reader.sess.run(None, inputs)
        samples: NDArray[np.float32] = self._synthesis(*(part[0] for part in spectrum), rng)
        units = [int(unit) for unit in durations.ravel()]
        length = len(samples) / self._reader.sample_rate
        assert abs(sum(units) * _UNIT_SECONDS - length) < _UNIT_SECONDS, "durations miss the audio"
        timed = [_Timed(s, u) for s, u in zip(f" {symbols} ", units, strict=True)]
        return Speech(samples, self._reader.sample_rate, _phonemes(timed))


def _output(name: bytes) -> bytes:
    """What makes a tensor an output of a model when it is appended to the model's file.

    Protobuf merges messages that follow one another, so this is a ModelProto{graph{output{name,
    type{tensor_type{elem_type: INT64}}}}} (onnx.proto3: fields 7, 12, 1, 2, 1, 1).
    """
    value = _field(1, name) + _field(2, _field(1, b"\x08\x07"))
    return _field(7, _field(12, value))


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(payload)]) + payload


def _phonemes(timed: list[_Timed]) -> tuple[Phoneme, ...]:
    """Sounds and pauses with their seconds: a stress mark belongs to the sound after it, what
    lengthens to the sound before it."""
    made: list[Phoneme] = []
    start = units = 0
    stress = ""
    for item in timed:
        units += item.units
        if item.symbol in _STRESS:
            stress = item.symbol
            continue
        symbol = spoken.PAUSE if item.symbol in _PAUSES else stress + item.symbol
        begin = _seconds(start)
        if made and (item.symbol in _LENGTHENS or symbol == made[-1].symbol == spoken.PAUSE):
            last = made.pop()
            begin = last.start
            symbol = last.symbol + ("" if symbol == spoken.PAUSE else item.symbol)
        made.append(Phoneme(symbol, begin, _seconds(units)))
        start, stress = units, ""
    return tuple(made)


def _seconds(units: int) -> float:
    return max(units - _EARLY_UNITS, 0) * _UNIT_SECONDS
