"""Which mouth belongs to which sound: the table from phonemes to shapes.

Both alphabets are here: IPA as espeak-ng writes it, and misaki's of the English voice, whose
capitals are diphthongs. The shapes are set by eye from phoneticians' descriptions of lips and
jaw; the classes are the usual ones of visual speech (MPEG-4's fifteen, with vowels told apart).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from talkingphoto.integrations.video.engine import spoken


class Shape(NamedTuple):
    """A mouth, each part from 0 to 1; `width` from -1, pursed, to 1, spread.

    open: the gap between the lips. round: the lips forward. upper: the upper lip raised.
    tongue: raised and seen. press: the lips against each other.
    """

    open: float
    width: float = 0.0
    round: float = 0.0
    upper: float = 0.0
    tongue: float = 0.0
    press: float = 0.0


class Contact(enum.Enum):
    """What must be seen however fast the speech is."""

    NONE = "none"
    LIPS = "lips"
    TEETH = "teeth"


@dataclass(frozen=True)
class Viseme:
    """A shape, how much its jaw and its lips resist their neighbours (0 to 1), and what it is."""

    shape: Shape
    jaw: float = 0.7
    lips: float = 0.5
    vowel: bool = False
    contact: Contact = Contact.NONE


@dataclass(frozen=True)
class Sound:
    """What is seen of a phoneme: one shape after another, and how stressed it is (0 to 1)."""

    visemes: tuple[Viseme, ...]
    stress: float


def _vowel(*shape: float) -> Viseme:
    return Viseme(Shape(*shape), jaw=1.0, lips=1.0, vowel=True)


REST = Viseme(Shape(0.0), jaw=1.0, lips=0.6)
_A = _vowel(1.0, 0.05, 0, 0.25)
_AE = _vowel(0.85, 0.45, 0, 0.3)
_UH = _vowel(0.62, 0.05, 0, 0.15)
# Unstressed, and shaped by its neighbours more than any other vowel.
_SCHWA = Viseme(Shape(0.4, 0.05, 0, 0.1, 0.1), jaw=0.7, lips=0.4, vowel=True)
_AW = _vowel(0.8, -0.35, 0.55, 0.15)
_O = _vowel(0.55, -0.6, 0.8, 0.1)
_U = _vowel(0.28, -0.85, 1.0, 0.1)
_OE = _vowel(0.4, -0.55, 0.75, 0.15, 0.1)
_SHORT_U = _vowel(0.38, -0.45, 0.6, 0.1)
_E = _vowel(0.62, 0.35, 0, 0.25, 0.1)
_AY = _vowel(0.5, 0.5, 0, 0.2, 0.2)
_I = _vowel(0.3, 0.7, 0, 0.2, 0.3)
_SHORT_I = _vowel(0.4, 0.4, 0, 0.2, 0.2)
_ER = _vowel(0.4, -0.3, 0.45, 0.2, 0.2)
_W = Viseme(Shape(0.16, -0.9, 1.0), jaw=0.9, lips=1.0)
_P = Viseme(Shape(0.0, 0.05, 0, 0, 0, 1.0), jaw=0.9, lips=0.4, contact=Contact.LIPS)
_F = Viseme(Shape(0.08, 0.15, 0, 0.35), jaw=0.9, lips=0.5, contact=Contact.TEETH)
_TH = Viseme(Shape(0.24, 0.1, 0, 0.15, 0.9), jaw=0.8, lips=0.4)
_T = Viseme(Shape(0.2, 0.15, 0, 0.15, 0.8), jaw=0.6, lips=0.3)
_L = Viseme(Shape(0.32, 0.1, 0, 0.15, 1.0), jaw=0.6, lips=0.3)
_S = Viseme(Shape(0.12, 0.3, 0, 0.25, 0.3), jaw=0.9, lips=0.5)
_SH = Viseme(Shape(0.18, -0.45, 0.7, 0.3, 0.1), jaw=0.9, lips=0.9)
_R = Viseme(Shape(0.24, -0.35, 0.55, 0.2, 0.2), jaw=0.6, lips=0.7)
# Made behind the teeth: the lips already have the next vowel's shape.
_K = Viseme(Shape(0.3, 0.05, 0, 0.1), jaw=0.35, lips=0.15)
_H = Viseme(Shape(0.4, 0.1, 0, 0.1), jaw=0.2, lips=0.1)
_Y = Viseme(Shape(0.24, 0.5, 0, 0.15, 0.3), jaw=0.7, lips=0.7)

_CLASSES: tuple[tuple[str, tuple[Viseme, ...]], ...] = (
    ("ɑaɒɐä", (_A,)),
    ("æ", (_AE,)),
    ("ʌ", (_UH,)),
    ("əᵊᵻɨɘ", (_SCHWA,)),
    ("ɔ", (_AW,)),
    ("oɵɤ", (_O,)),
    ("uɯʉy", (_U,)),
    ("øœɶʏ", (_OE,)),
    ("ʊ", (_SHORT_U,)),
    ("ɛeɜε", (_E,)),
    ("i", (_I,)),
    ("ɪ", (_SHORT_I,)),
    ("ɚɝ", (_ER,)),
    ("wʍɥ", (_W,)),
    ("pbmɓ", (_P,)),
    # Greek and Spanish "β" and Ukrainian "ʋ" come near, as "v" does, and do not close.
    ("fvʋɱɸβ", (_F,)),
    ("θð", (_TH,)),
    ("tdnɾʔɖʈɳɗT", (_T,)),
    ("lɫɭʎɬ", (_L,)),
    ("szɕʑ", (_S,)),
    ("ʃʒʂʐS", (_SH,)),
    ("ʤʧʨʥ", (_T, _SH)),
    ("ʣʦ", (_T, _S)),
    ("rɹɻʀʁɽ", (_R,)),
    ("kɡgŋxɣqχcɟɲɴħʕɰ", (_K,)),
    ("hɦ", (_H,)),
    ("jʝç", (_Y,)),
    ("A", (_AY, _I)),
    ("I", (_A, _SHORT_I)),
    ("O", (_O, _U)),
    ("W", (_A, _SHORT_U)),
    ("Y", (_AW, _I)),
    ("Q", (_SCHWA, _SHORT_U)),
)
_TABLE = {symbol: visemes for symbols, visemes in _CLASSES for symbol in symbols}
_STRESSES = {"ˈ": 1.0, "ˌ": 0.9}
_UNSTRESSED = 0.75


def sound(symbol: str) -> Sound:
    """What is seen of a phoneme: no shapes for a pause, or for what the table does not know."""
    if symbol.startswith(spoken.PAUSE):
        return Sound((), 0.0)
    shapes = [viseme for character in symbol for viseme in _TABLE.get(character, ())]
    stress = max((_STRESSES.get(c, _UNSTRESSED) for c in symbol), default=_UNSTRESSED)
    return Sound(tuple(shapes), stress)


def is_known(symbol: str) -> bool:
    """Whether the table has a shape for it."""
    return bool(sound(symbol).visemes)
