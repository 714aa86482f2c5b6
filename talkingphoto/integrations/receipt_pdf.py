"""A receipt as a PDF of one page; the same facts always give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

_FONTS = Path(__file__).parent / "fonts"
_LEFT, _WIDTH, _SUM = 20, 170, 45


@dataclass(frozen=True)
class ReceiptPage:
    """All that is printed, in words."""

    number: str
    seller: str
    buyer: Sequence[str]
    paid_on: str
    paid_with: str
    lines: Sequence[tuple[str, str]]
    sums: Sequence[tuple[str, str]]
    note: str
    at: datetime


def render(page: ReceiptPage) -> bytes:
    """The receipt, ready to be kept."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(page.at)
    pdf.set_title(f"Receipt {page.number}")
    pdf.set_author(page.seller)
    pdf.add_font("receipt", "", _FONTS / "dejavu-sans-regular.ttf")
    pdf.add_font("receipt", "B", _FONTS / "dejavu-sans-bold.ttf")
    pdf.set_margins(_LEFT, 20)
    pdf.add_page()
    _line(pdf, page.seller, size=11, bold=True)
    pdf.ln(8)
    _line(pdf, f"Receipt {page.number}", size=18, bold=True)
    pdf.ln(4)
    for label, value in (("Paid on", page.paid_on), ("Paid with", page.paid_with)):
        if value:
            _line(pdf, f"{label} {value}")
    pdf.ln(6)
    _line(pdf, "Billed to", bold=True)
    for row in page.buyer:
        _line(pdf, row)
    pdf.ln(6)
    _rows(pdf, page.lines)
    _rule(pdf)
    _rows(pdf, page.sums)
    pdf.ln(8)
    _line(pdf, page.note, size=8)
    return bytes(pdf.output())


def _line(pdf: FPDF, words: str, *, size: int = 10, bold: bool = False) -> None:
    pdf.set_font("receipt", "B" if bold else "", size)
    pdf.multi_cell(_WIDTH, size * 0.55, words, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _rows(pdf: FPDF, rows: Sequence[tuple[str, str]]) -> None:
    pdf.set_font("receipt", "", 10)
    for label, amount in rows:
        pdf.cell(_WIDTH - _SUM, 7, label)
        pdf.cell(_SUM, 7, amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _rule(pdf: FPDF) -> None:
    pdf.line(_LEFT, pdf.get_y() + 1, _LEFT + _WIDTH, pdf.get_y() + 1)
    pdf.ln(3)
