"""A customer's text as a voice may read it: what cannot be heard is left out, and letters have
a script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Symbols that have a spoken name; all others of their kind are emoji and pictures.
_SPOKEN_SYMBOLS = frozenset("°©§¶^")
# Letters and signs written in another form of the same letter: "ﬁ", "Ａ", "𝐛", "㎏".
_OTHER_FORMS = ("<font>", "<wide>", "<narrow>", "<circle>", "<square>", "<compat>")
_VOICES_KNOW = frozenset("²³½¼¾")
_QUOTES = str.maketrans("‘’‛`´", "'''''")
# The end of Latin Extended-A; Romanian's and Vietnamese's letters are bases and marks from it.
_LAST_EUROPEAN = "\u017f"
_JOINERS = "\u200c\u200d"
_VARIATIONS = frozenset(chr(code) for code in range(0xFE00, 0xFE10))


def cleaned(text: str, *, marks: bool) -> str:
    """The text without emoji, control characters and direction marks, in the plain form of each
    letter and digit, with single spaces; lines stay apart.

    `marks`: the script writes vowels as marks, which stay.
    """
    composed = unicodedata.normalize("NFC", text).translate(_QUOTES)
    kept = "".join(_kept(character, marks=marks) for character in composed)
    lines = (" ".join(line.split()) for line in kept.split("\n"))
    return "\n".join(line for line in lines if line)


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit to read."""
    return any(character.isalnum() for character in text)


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(unicodedata.category(character)[0] in "ZC" for character in text)


def letters(text: str) -> Iterator[tuple[str, str]]:
    """Each letter and its script, as Unicode names it: LATIN, CYRILLIC, GREEK.

    Latin letters that no alphabet of a voice has, as those of phonetics, are "PHONETIC".
    """
    for character in text:
        if character.isalpha():
            script = unicodedata.name(character, "UNNAMED").split()[0]
            base = unicodedata.normalize("NFD", character)[0]
            strange = script == "LATIN" and base > _LAST_EUROPEAN and character != "ẞ"
            yield character, "PHONETIC" if strange else script


def word_with(text: str, letter: str) -> str:
    """The word that letter stands in, cut to 20 characters."""
    found = re.search(rf"\w*{re.escape(letter)}\w*", text)
    return found[0][:20] if found else letter


def longest_word(text: str) -> str:
    """The longest run of letters."""
    return max(re.findall(r"[^\W\d_]+", text), key=len, default="")


def sentence_ends(text: str) -> int:
    """How many sentences are followed by another."""
    return len(re.findall(r"[.!?…:।]\s+\S|\n", text))


def _kept(character: str, *, marks: bool) -> str:
    category = unicodedata.category(character)
    if category[0] == "Z" or category == "Cc":
        return "\n" if character in "\n\r\x0b\x0c\x85\u2028\u2029" else " "
    if category[0] == "M" or character in _JOINERS:
        return character if marks and character not in _VARIATIONS and category != "Me" else ""
    if category[0] == "C":
        return ""
    if category[0] == "N":
        return _number(character)
    return _plain(character, category)


def _number(character: str) -> str:
    """Digits as everybody writes them, with raised and circled ones, and numbers of other signs:
    what counts as a digit is not always one that can be calculated with."""
    if character in _VOICES_KNOW:
        return character
    value = unicodedata.numeric(character)
    if value != int(value):
        return unicodedata.normalize("NFKC", character).replace("\u2044", "/")
    digit = unicodedata.category(character) == "Nd"
    return f"{int(value)}" if digit else f" {int(value)} "


def _plain(character: str, category: str) -> str:
    """The common form of a letter or sign; a picture is a gap between words."""
    if unicodedata.decomposition(character).startswith(_OTHER_FORMS) and character != "…":
        plain = unicodedata.normalize("NFKC", character)
        if category[0] == "L" or plain.isascii():
            return plain
    if category in ("So", "Sk") and character not in _SPOKEN_SYMBOLS:
        return " "
    return character
