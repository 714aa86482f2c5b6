"""A PDF of plain rows, written by hand: two built-in fonts, no dependency."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
_INNER = _WIDTH - 2 * _MARGIN
_LEADING = 1.4
_NEAR = 90
# Widths of Helvetica from the space on, in thousandths of its size; other signs are like a digit.
_ADVANCES = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_BOLDER = 1.06
# Signs of money that the built-in fonts do not have.
_WRITTEN_OUT = {"₹": "INR "}


@dataclass(frozen=True)
class Row:
    """One line of text, with a sum at the right if it has one, and room above it.

    A row that begins in the ``middle`` leaves the left half free; of a ``near`` one the second text
    stands close to the first; a ``ruled`` one has a line above it. Text that is too long goes on in
    the next line.
    """

    text: str
    right: str = ""
    size: int = 11
    gap: int = 0
    bold: bool = False
    ruled: bool = False
    middle: bool = False
    near: bool = False


@dataclass(frozen=True)
class _Line:
    """What is drawn at one height of a page."""

    row: Row
    text: str
    right: str
    gap: int
    ruled: bool

    @property
    def height(self) -> int:
        """How much of the page it takes, with the room above it."""
        return self.gap + int(self.row.size * _LEADING)


def document(rows: list[Row]) -> bytes:
    """A PDF that opens; rows that do not fit one page go on the next, and each says which it is."""
    pages = _pages(rows)
    count = len(pages)
    first_page = 5
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(count))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        font.format("Helvetica").encode(),
        font.format("Helvetica-Bold").encode(),
    ]
    for number, page in enumerate(pages):
        content = b"\n".join(page)
        parts.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            f"/Contents {first_page + 2 * number + 1} 0 R >>".encode()
        )
        parts.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    return _assembled(parts)


def width_of(text: str, size: int, *, bold: bool = False) -> float:
    """How wide the text is in this size."""
    found = 0.0
    for sign in text:
        advance = _ADVANCES[ord(sign) - 32] if 32 <= ord(sign) < 127 else 556
        # Bold letters are wider than the others; digits and points are not.
        found += advance * (_BOLDER if bold and sign.isalpha() else 1)
    return found * size / 1000


def _pages(rows: list[Row]) -> list[list[bytes]]:
    pages: list[list[bytes]] = [[]]
    height = _HEIGHT - _MARGIN
    for line in (line for row in rows for line in _lines(row)):
        height -= line.height
        if height < _MARGIN:
            pages.append([])
            height = _HEIGHT - _MARGIN - line.height
        pages[-1] += _drawn(line, height)
    for number, page in enumerate(pages, 1):
        words = f"Page {number} of {len(pages)}"
        page.append(_text(words, Row(words, size=9), _at_right(words, 9), _MARGIN // 2))
    return pages


def _lines(row: Row) -> Iterator[_Line]:
    """The row in as many lines as its text needs; its sum stands in the first."""
    left = _INNER / 2 if row.middle else _INNER
    taken = width_of(_writable(row.right), row.size, bold=row.bold) + 18 if row.right else 0
    wrapped = _wrapped(_writable(row.text), left - taken, row)
    for number, text in enumerate(wrapped):
        first = number == 0
        right = _writable(row.right) if first else ""
        yield _Line(row, text, right, row.gap if first else 0, row.ruled and first)


def _wrapped(text: str, room: float, row: Row) -> list[str]:
    lines = [""]
    # A word that is longer than a line is cut.
    for word in re.findall(r"\S{1,60}", text) or [""]:
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, row.size, bold=row.bold) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _drawn(line: _Line, height: int) -> list[bytes]:
    row = line.row
    left = _WIDTH // 2 if row.middle else _MARGIN
    drawn = [_text(line.text, row, left, height)]
    if line.right:
        at = _at_right(line.right, row.size, bold=row.bold)
        at = left + _NEAR if row.near else at
        drawn.append(_text(line.right, row, at, height))
    if line.ruled:
        above = height + int(row.size * 1.25)
        rule = f"0.8 G 0.7 w {left} {above} m {_WIDTH - _MARGIN} {above} l S"
        drawn.append(rule.encode())
    return drawn


def _at_right(text: str, size: int, *, bold: bool = False) -> int:
    return int(_WIDTH - _MARGIN - width_of(text, size, bold=bold))


def _writable(text: str) -> str:
    for sign, instead in _WRITTEN_OUT.items():
        text = text.replace(sign, instead)
    return text


def _text(text: str, row: Row, x: int, y: int) -> bytes:
    # Signs the built-in fonts do not have become question marks rather than a broken file.
    shown = text.encode("cp1252", "replace")
    for sign in (b"\\", b"(", b")"):
        shown = shown.replace(sign, b"\\" + sign)
    font = "F2" if row.bold else "F1"
    return f"BT /{font} {row.size} Tf {x} {y} Td (".encode() + shown + b") Tj ET"


def _assembled(parts: list[bytes]) -> bytes:
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: list[int] = []
    for number, part in enumerate(parts, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n".encode() + part + b"\nendobj\n"
    table = len(written)
    written += f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n".encode()
    written += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    written += (
        f"trailer\n<< /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    )
    return bytes(written)
