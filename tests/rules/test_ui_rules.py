"""What the front end promises by the way it is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "ui").glob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_b4_pages_never_write_markdown_and_never_allow_scripts(source: Path) -> None:
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in ("st", "components")
    }
    # Plain markdown already loads remote pictures; st.html without scripts does not run any.
    assert not called & {"markdown", "write", "caption", "link_button", "iframe"}
    assert "unsafe_allow" not in source.read_text()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_what_is_typed_becomes_state_in_one_place_and_is_never_a_password(source: Path) -> None:
    text = source.read_text()
    assert ("text_input(" in text) == (source.name == "fields.py")
    assert 'type="password"' not in text or "<input" in text


def test_the_server_is_set_up_for_strangers() -> None:
    config = (ROOT / ".streamlit" / "config.toml").read_text()
    for line in (
        'showErrorDetails = "none"',
        'toolbarMode = "minimal"',
        "enableXsrfProtection = true",
        "maxUploadSize = 12",
        "allowedHosts = [",
        "gatherUsageStats = false",
        "magicEnabled = false",
        "enableStaticServing = true",
        "postScriptGC = false",
    ):
        assert f"\n{line}" in config
