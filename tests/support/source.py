"""Our own source as syntax trees, for the checks that hold it to its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("talkingphoto", "services", "ui", "web", "worker")
ENTRIES = ("app.py", "app_with_payments.py", "front.py", "webhook_app.py")
FOLDERS = (*PRODUCT, "stripe_sandbox", "migrations", "benchmarks", "tests")


@dataclass(frozen=True)
class File:
    """One file of Python of ours."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path as it is written in a message, from the root of the project."""
        return self.path.relative_to(ROOT).as_posix()


@cache
def files(*folders: str) -> tuple[File, ...]:
    """Every file of Python in these folders; with none named, all there are."""
    chosen = [ROOT / name for name in ENTRIES] if not folders else []
    for folder in folders or FOLDERS:
        chosen += sorted((ROOT / folder).rglob("*.py"))
    return tuple(File(path, text, ast.parse(text)) for path, text in _read(chosen))


def _read(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        yield path, path.read_text()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function in the tree, wherever it is nested."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
