"""Money, symbols and long numbers in English words, where the English voice has none of its own.

hibari-tts 0.2.1 reads numbers, dates, times, units and abbreviations. It drops the currencies
below except the commonest, symbols, and letters with rarer accents; it reads "€3.2bn" as letters
and fails on numbers beyond its names.
"""

from __future__ import annotations

import re
import unicodedata

# sign: (one, many, one hundredth, hundredths); no hundredths where nobody counts them.
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "₺": ("lira", "liras", "kurush", "kurush"),
    "₪": ("shekel", "shekels", "agora", "agorot"),
    "₫": ("dong", "dong", "", ""),
    "₱": ("peso", "pesos", "centavo", "centavos"),
    "₦": ("naira", "naira", "kobo", "kobo"),
    "฿": ("baht", "baht", "satang", "satang"),
    "₿": ("bitcoin", "bitcoins", "", ""),
    "¢": ("cent", "cents", "", ""),
}
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_SYMBOLS = {
    "∞": "infinity",
    "≈": "about",
    "≠": "is not",
    "≤": "at most",
    "≥": "at least",
    "√": "the square root of",
    "∑": "the sum of",
    "∆": "delta",
    "∙": "times",
    "•": ",",
    "·": ",",
    "‰": "per mille",
    "¬": "not",
    "¿": "",
    "¡": "",
}
# The brackets of a link would hide what is in them: hibari reads "[a](b)" as "a".
_SAME = str.maketrans({"−": "-", "⁄": "/", "∕": "/", "[": " ", "]": " ", "{": " ", "}": " "})
_AMOUNT = r"(\d+(?:,\d{3})*(?:[.,]\d+)?|\.\d+)"
_SCALE = r"(?:\s?(hundred|thousand|million|billion|trillion|bn|mn|[kKmMbB])\b)?"
_SIGN = f"([{''.join(_CURRENCIES)}])"
# Between a letter and a sign beside it: "US$5", "5€each".
_BESIDE = re.compile(rf"(?<=[^\W\d_])(?={_SIGN})|(?<={_SIGN})(?=[^\W\d_])")
_RANGE = re.compile(rf"{_SIGN}\s?{_AMOUNT}\s?[-–]\s?(?:{_SIGN}\s?)?(?={_AMOUNT}{_SCALE})")
_BEFORE = re.compile(rf"{_SIGN}\s?{_AMOUNT}{_SCALE}")
_AFTER = re.compile(rf"{_AMOUNT}{_SCALE}\s?{_SIGN}")
_PER = re.compile(
    r"\s?/\s?(?=(?:second|minute|hour|day|night|week|month|year|person|user|piece)\b)"
)
_NAMES = {sign: words[0] for sign, words in _CURRENCIES.items()} | _SYMBOLS
_MIXED = re.compile(r"(?<=\d)([½¼¾])")
_MIXED_WORDS = {"½": " and a half", "¼": " and a quarter", "¾": " and three quarters"}
# hibari names numbers below 10 to the 15th; longer ones are read digit by digit.
_LONG = re.compile(r"\d(?:,?\d){14,}")


# The letters beyond ASCII that hibari has seen in words; it leaves others out.
_READ = frozenset(
    "ÀÁÂÃÄÅÆÇÉÊÌÍÎÏÑÒÓÔÕÖØÚÜÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿĀāĂăąĆćČčĎďĐđĒēĕĖėęěĝĞğġģīĭİıķļĽľŁł"
    "ńņňŋŌōŏőŒœŘřŚśŞşŠšţťūŭŮůŰųŵźŻżŽžơưǎǐǒǔșț"
)
_FOLDED = {"Ð": "D", "Ħ": "H", "ħ": "h", "Ŋ": "Ng", "Ŧ": "T", "ŧ": "t", "ĸ": "k", "ẞ": "SS"}


def written_out(text: str) -> str:
    """The text with its money, rarer symbols and overlong numbers as words or single digits, and
    rarer accents left off."""
    text = _LONG.sub(lambda found: " ".join(found[0].replace(",", "")), text.translate(_SAME))
    text = _BESIDE.sub(" ", text)
    text = _PER.sub(" per ", text)
    text = _RANGE.sub(lambda found: f"{found[2]} to {found[1]}", text)
    text = _BEFORE.sub(lambda found: _money(found[1], found[2], found[3]), text)
    text = _AFTER.sub(lambda found: _money(found[3], found[1], found[2]), text)
    text = _MIXED.sub(lambda found: _MIXED_WORDS[found[1]], text)
    return "".join(character if character.isascii() else _read(character) for character in text)


def _read(character: str) -> str:
    """A letter or symbol as hibari knows it, or its name."""
    if character in _CURRENCIES or character in _SYMBOLS:
        return f" {_NAMES[character]} "
    if character.isalpha() and character not in _READ:
        base = unicodedata.normalize("NFD", character)[0]
        return _FOLDED.get(character, base if base.isascii() or base in _READ else character)
    if unicodedata.category(character) == "Sc" or "\u2200" <= character <= "\u22ff":
        return f" {unicodedata.name(character, '').removesuffix(' SIGN').lower()} "
    return character


def _money(sign: str, amount: str, scale: str | None) -> str:
    """An amount as it is said: "19 dollars and 99 cents", "3.2 billion euros"."""
    one, many, hundredth, hundredths = _CURRENCIES[sign]
    amount = re.sub(r",(\d{1,2})$", r".\1", amount)
    amount = f"0{amount}" if amount.startswith(".") else amount
    if scale:
        return f"{amount} {_SCALES.get(scale.lower(), scale)} {many}"
    whole, _, part = amount.partition(".")
    if len(part) != 2 or not hundredth:
        return f"{amount} {one if amount == '1' else many}"
    main = f"{whole} {one if whole == '1' else many}" if whole.strip("0") else ""
    small = f"{int(part)} {hundredth if part == '01' else hundredths}" if part != "00" else ""
    return " and ".join(words for words in (main, small) if words) or f"0 {many}"
