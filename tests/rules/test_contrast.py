"""The palette of the style sheet is readable in both themes: WCAG AA, computed from the sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SHEET = (Path(__file__).resolve().parents[2] / "static" / "theme.css").read_text()
TOKEN = re.compile(r"--([a-z-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
TOKENS = {name: (light, dark) for name, light, dark in TOKEN.findall(SHEET)}
TEXT, EDGE = 4.5, 3.0
PAIRS = [
    *(("ink", back, TEXT) for back in ("bg", "surface", "sunken", "primary-soft")),
    *(("ink", back, TEXT) for back in ("bad-bg", "warn-bg", "good-bg")),
    *(("muted", back, TEXT) for back in ("bg", "surface", "sunken", "primary-soft")),
    *(("primary", back, TEXT) for back in ("bg", "surface", "primary-soft")),
    *(("on-primary", back, TEXT) for back in ("primary", "primary-hover")),
    *(("good-ink", back, TEXT) for back in ("good-bg", "surface", "primary-soft")),
    ("warn-ink", "warn-bg", TEXT),
    *(("bad-ink", back, TEXT) for back in ("bad-bg", "surface", "bg")),
    *(("line-strong", back, EDGE) for back in ("surface", "bg")),
    *(("primary", back, EDGE) for back in ("surface", "sunken")),
]


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(front: str, back: str) -> float:
    low, high = sorted((luminance(front), luminance(back)))
    return (high + 0.05) / (low + 0.05)


def test_the_ratio_is_the_one_of_wcag() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_is_readable(theme: int, front: str, back: str, least: float) -> None:
    assert ratio(TOKENS[front][theme], TOKENS[back][theme]) >= least


def test_no_angle_bracket_starts_a_word_in_the_sheet() -> None:
    # Streamlit's sanitiser drops the whole sheet for one of these, without a word.
    assert not re.search(r"<[A-Za-z/!]", SHEET)


def test_the_theme_of_streamlit_uses_the_same_colours() -> None:
    config = (Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text()
    light, dark = config.split("[theme.light]")[1].split("[theme.dark]")
    for section, theme in ((light, 0), (dark, 1)):
        for key, token in (
            ("primaryColor", "primary"),
            ("backgroundColor", "bg"),
            ("secondaryBackgroundColor", "surface"),
            ("textColor", "ink"),
            ("borderColor", "line"),
        ):
            assert f'\n{key} = "{TOKENS[token][theme]}"' in section
