"""Lists of the office in our visual language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ui import kit


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, none: str) -> str:
    """A table of plain texts, or a line that says there is nothing."""
    body = "".join(
        "<tr>" + "".join(f"<td>{kit.esc(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    if not body:
        return kit.empty(none)
    head = "".join(f'<th scope="col">{kit.esc(name)}</th>' for name in heads)
    return (
        '<div class="tp-scroll" tabindex="0" role="region" aria-label="List">'
        f'<table class="tp-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )
