"""The overlay is complete, every entry of it is needed, and what cannot be fetched is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract import drift, overlay, removed, spec
from tests.contract.overlay.change import added, optional, required, retyped, values


def test_description_and_overlay_say_what_the_classes_of_the_sdk_say() -> None:
    assert drift.differences() == []
    assert removed.returned() == []


def test_every_entry_of_the_overlay_is_a_difference_without_it() -> None:
    found = drift.differences(spec.schemas())
    needless = [
        change
        for change in overlay.CHANGES
        if not any(_tells(sentence, change) for sentence in found)
    ]
    assert needless == []
    assert all(change.why for change in overlay.CHANGES)


def _tells(sentence: str, change: overlay.Change) -> bool:
    path = sentence.split(":")[0].removesuffix("[]")
    field = change.field.removesuffix("?")
    if change.kind == "retyped" and f".{field}." in path:
        return True
    return path.endswith(f".{field}") and sentence.endswith(f"(schema {change.schema})")


@pytest.mark.parametrize(
    "change",
    [
        added("invoice", "status", "there already", "text"),
        added("invoices", "status", "no such schema", "text"),
        retyped("refund", "amount", "as it is", "whole"),
        retyped("refund", "mood", "no such field", "whole"),
        values("refund", "reason", "fraudulent"),
        *required("refund", "amount"),
        *optional("refund", "charge"),
    ],
    ids=lambda change: f"{change.kind} {change.schema}.{change.field}",
)
def test_an_entry_that_changes_nothing_is_stale(change: overlay.Change) -> None:
    with pytest.raises(overlay.Stale):
        overlay.apply(spec.schemas(), [change])


def test_a_description_that_is_kept_is_not_fetched_again(tmp_path: Path) -> None:
    whole = spec.fetch().read_bytes()
    fetched = []

    def get(scratch: Path) -> bytes:
        fetched.append(scratch)
        return whole

    first = spec.fetch(tmp_path, get)
    assert spec.fetch(tmp_path, get) == first
    assert len(fetched) == 1
    # Half of it, as when a disk was full, is no description.
    first.write_bytes(whole[:1000])
    spec.fetch(tmp_path, get)
    assert (len(fetched), first.read_bytes()) == (2, whole)


def test_another_description_than_the_one_expected_is_refused(tmp_path: Path) -> None:
    with pytest.raises(spec.SpecMissing, match="was written for"):
        spec.fetch(tmp_path, lambda scratch: b"{}")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_fails_is_one_sentence_and_a_failure(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "tests.contract"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("sandbox-contract: Stripe's description")
    assert ended.stdout == ""
