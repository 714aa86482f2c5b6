"""Who imports whom: the contracts hold, notice a breach, and cover every module."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import source

CONFIG = ".importlinter"
# (a file, a line added to it, the contract that must object)
BREACHES = {
    "a rule that asks the network": ("talkingphoto/billing/catalog.py", "import requests", "quiet"),
    "a rule that knows Stripe": ("talkingphoto/billing/payments.py", "import stripe", "stripe"),
    "a service that knows Flask": ("services/payment_service.py", "import flask", "flask"),
    "a service that asks its sibling": (
        "services/payment_service.py",
        "from services import auth_service",
        "siblings",
    ),
    "a foundation that knows a rule": (
        "talkingphoto/foundation/ids.py",
        "from talkingphoto.billing import catalog",
        "downward",
    ),
    "a catalog that knows the ledger": (
        "talkingphoto/billing/catalog.py",
        "from talkingphoto.billing import ledger",
        "billing",
    ),
    "a product that knows the sandbox": (
        "web/billing.py",
        "import stripe_sandbox",
        "sandbox-apart",
    ),
    "a sandbox that knows the product": (
        "stripe_sandbox/ids.py",
        "import talkingphoto",
        "sandbox-knows-stripe",
    ),
    "a route that draws a page": ("web/billing.py", "import streamlit", "streamlit"),
}
# What stands above the packages: single files that import-linter does not read.
ENTRIES = {
    "app.py": {"ui"},
    "app_with_payments.py": {"ui"},
    "front.py": {"ui.headers", "ui.uploads", "streamlit.starlette", "starlette.middleware"},
    "webhook_app.py": {"services.webhook_service"},
}


def contracts() -> configparser.ConfigParser:
    """The contracts as they are written."""
    parser = configparser.ConfigParser()
    parser.read(source.ROOT / CONFIG)
    return parser


def lint(folder: Path, *only: str) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the tree in that folder."""
    chosen = [argument for name in only for argument in ("--contract", name)]
    # It looks for packages where it is started before it looks anywhere else.
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", *chosen],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which a breach may be planted."""
    folder = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
    for package in (*source.PRODUCT, "stripe_sandbox"):
        shutil.copytree(source.ROOT / package, folder / package, ignore=ignored)
    shutil.copy(source.ROOT / CONFIG, folder)
    return folder


def test_imports_point_where_the_contracts_say() -> None:
    linted = lint(source.ROOT)
    assert linted.returncode == 0, linted.stdout
    assert " 0 broken" in linted.stdout


@pytest.mark.parametrize("breach", BREACHES)
def test_a_planted_breach_is_found(breach: str, copy: Path) -> None:
    name, line, contract = BREACHES[breach]
    path = copy / name
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        linted = lint(copy, contract)
    finally:
        path.write_text(before)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert " 1 broken" in linted.stdout


def test_every_contract_has_a_breach_that_it_finds() -> None:
    named = {section.rpartition(":")[2] for section in contracts().sections() if ":" in section}
    assert named == {contract for _, _, contract in BREACHES.values()}


def test_every_module_has_its_place_in_the_layers() -> None:
    layers = contracts()["importlinter:contract:downward"]["layers"].replace("|", " ").split()
    present = {
        f"talkingphoto.{path.stem}"
        for path in (source.ROOT / "talkingphoto").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").is_file()) and path.stem != "__init__"
    }
    assert {layer for layer in layers if layer.startswith("talkingphoto.")} == present
    assert set(source.PRODUCT) - {"talkingphoto"} == {la for la in layers if "." not in la}


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_file_only_opens_the_door(entry: str) -> None:
    tree = ast.parse((source.ROOT / entry).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == ENTRIES[entry]
    assert not any(isinstance(node, ast.Import | ast.FunctionDef) for node in ast.walk(tree))


def test_both_streamlit_entries_do_the_same_so_that_one_may_be_copied_over_the_other() -> None:
    one, other = (
        ast.parse((source.ROOT / name).read_text()).body[1:]
        for name in ("app.py", "app_with_payments.py")
    )
    assert [ast.dump(node) for node in one] == [ast.dump(node) for node in other]
