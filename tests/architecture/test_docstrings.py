"""Every public thing says in a sentence what is true of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support import source

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: list[ast.stmt], *, within: str) -> Iterator[tuple[str, Definition]]:
    """The public functions and classes of a module, and the public methods of those classes."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{within}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, within=f"{within}{node.name}.")


def overrides(node: ast.AST) -> bool:
    """True for a method whose parent class says what it does."""
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(d, ast.Name) and d.id in {"override", "overload"} for d in decorators)


def test_every_public_function_and_class_has_a_docstring() -> None:
    silent = [
        f"{file.name}: {name}"
        for file in source.files(*source.PRODUCT, "stripe_sandbox")
        for name, node in public(file.tree.body, within="")
        if not ast.get_docstring(node) and not overrides(node)
    ]
    assert silent == []


def test_every_module_of_ours_has_a_docstring() -> None:
    silent = [
        file.name for file in source.files() if file.tree.body and not ast.get_docstring(file.tree)
    ]
    assert silent == []
