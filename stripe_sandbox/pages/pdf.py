"""A PDF of plain rows, written by hand: one built-in font, no dependency."""

from dataclasses import dataclass

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
# The width of a digit in Helvetica, for what stands at the right.
_DIGIT_WIDTH = 0.556
_LONGEST = 84


@dataclass(frozen=True)
class Row:
    """One line of text, with a sum at the right if it has one, and room above it."""

    text: str
    right: str = ""
    size: int = 11
    gap: int = 0


def document(rows: list[Row]) -> bytes:
    """A PDF that opens; rows that do not fit one page go on the next."""
    pages = _pages(rows)
    count = len(pages)
    first_page = 4
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(count))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(pages):
        parts.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] "
            "/Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {first_page + 2 * number + 1} 0 R >>".encode()
        )
        parts.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    return _assembled(parts)


def _pages(rows: list[Row]) -> list[bytes]:
    pages: list[list[bytes]] = [[]]
    height = _HEIGHT - _MARGIN
    for row in rows:
        height -= row.gap + int(row.size * 1.6)
        if height < _MARGIN:
            pages.append([])
            height = _HEIGHT - _MARGIN - int(row.size * 1.6)
        pages[-1].append(_text(row.text[:_LONGEST], row.size, _MARGIN, height))
        if row.right:
            left = _WIDTH - _MARGIN - int(len(row.right) * _DIGIT_WIDTH * row.size)
            pages[-1].append(_text(row.right, row.size, left, height))
    return [b"\n".join(page) for page in pages]


def _text(text: str, size: int, x: int, y: int) -> bytes:
    # Signs the built-in font does not have become question marks rather than a broken file.
    shown = text.encode("cp1252", "replace")
    for sign in (b"\\", b"(", b")"):
        shown = shown.replace(sign, b"\\" + sign)
    return f"BT /F1 {size} Tf {x} {y} Td (".encode() + shown + b") Tj ET"


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
