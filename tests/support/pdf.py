"""What a PDF with subset fonts says, letter by letter: its streams, read through its own maps."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:\\.|[^\\()])*)\)\s*Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_MAPPED = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>")


def words_of(pdf: bytes) -> str:
    """Every text that is shown, one a line."""
    streams = [_inflated(found) for found in _STREAM.findall(pdf)]
    maps = [_map(stream) for stream in streams if b"beginbfchar" in stream]
    shown = [text for stream in streams if b" Tf" in stream for text in _SHOWN.findall(stream)]
    # Which font shows a text is not followed: the other's map makes nonsense of it, and no words.
    return "\n".join(_read(raw, one) for raw in shown for one in maps)


def _inflated(raw: bytes) -> bytes:
    try:
        # The last byte of its checksum may look like the end of a line, and be missing here.
        return zlib.decompressobj().decompress(raw)
    except zlib.error:
        return raw


def _map(stream: bytes) -> dict[int, str]:
    return {
        int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
        for glyph, text in _MAPPED.findall(stream)
    }


def _read(raw: bytes, letters: dict[int, str]) -> str:
    plain = _ESCAPED.sub(lambda m: _ESCAPES.get(m.group(1), m.group(1)), raw)
    glyphs = [int.from_bytes(plain[at : at + 2]) for at in range(0, len(plain), 2)]
    return "".join(letters.get(glyph, "") for glyph in glyphs)
