"""Lists of the office in our visual language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ui import kit


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    none: str,
    numbers: Collection[str] = (),
) -> str:
    """A table of plain texts, or a line that says there is nothing; columns named in `numbers`
    stand on the right."""
    columns = [(name, name in numbers) for name in heads]
    body = ["".join(("<tr>", *map(_cell, columns, row), "</tr>")) for row in rows]
    if not body:
        return kit.empty(none)
    return (
        '<div class="tp-scroll" tabindex="0" role="region" aria-label="List">'
        f"{kit.table(columns, body)}</div>"
    )


def _cell(column: tuple[str, bool], text: str) -> str:
    # A phone has no row of heads, so each value brings its own.
    name, right = column
    style = ' class="tp-right"' if right else ""
    return f'<td{style} data-label="{kit.esc(name)}">{kit.esc(text)}</td>'
