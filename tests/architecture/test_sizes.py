"""Small by the numbers: a file of 400 lines, a function of 40."""

from __future__ import annotations

from tests.support import source

LONGEST_FILE = 400
LONGEST_FUNCTION = 40


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {file.name: len(file.text.splitlines()) for file in source.files()}
    assert lengths
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    long = {}
    for file in source.files():
        for function in source.functions(file.tree):
            assert function.end_lineno is not None
            lines = function.end_lineno - function.lineno + 1
            if lines > LONGEST_FUNCTION:
                long[f"{file.name}: {function.name}"] = lines
    assert long == {}
