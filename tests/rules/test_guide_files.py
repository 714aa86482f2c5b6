"""The guide's list of packages and our locked files agree, and hold nothing but hashed versions."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ("requirements.lock", "requirements-payment.txt")
# As printed in the guide, §3; gunicorn is §5's.
GUIDE = """
streamlit>=1.28.0
stripe>=7.0.0
cryptography>=41.0.0
bcrypt>=4.0.1
PyJWT>=2.8.0
pandas>=2.1.1
plotly>=5.17.0
requests>=2.31.0
python-dotenv>=1.0.0
qrcode>=7.4.2
Pillow>=10.0.0
ipaddress>=1.0.23
""".split()
ENTRY = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
COMMENT = re.compile(r"    #.*")


def pins(name: str) -> dict[str, Version]:
    """The version of every package of a locked file that this machine would install."""
    found: dict[str, Version] = {}
    for line in (ROOT / name).read_text().splitlines():
        entry = ENTRY.fullmatch(line)
        if entry:
            package, version, marker = entry.groups()
            wanted = Requirement(f"{package}; {marker}") if marker else Requirement(package)
            if wanted.marker is None or wanted.marker.evaluate():
                found[canonicalize_name(package)] = Version(version)
    return found


def lacking(requirement: Requirement, seen: set[str]) -> list[str]:
    """What pip would have to fetch for this requirement, here and now."""
    name = canonicalize_name(requirement.name)
    if name in seen:
        return []
    seen.add(name)
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return [str(requirement)]
    if not requirement.specifier.contains(installed.version, prereleases=True):
        return [f"{requirement}, not {installed.version}"]
    needed = [Requirement(text) for text in installed.requires or []]
    return [
        missing
        for other in needed
        if other.marker is None or other.marker.evaluate({"extra": ""})
        for missing in lacking(other, seen)
    ]


@pytest.mark.parametrize("line", GUIDE)
@pytest.mark.parametrize("name", LOCKED)
def test_every_line_of_the_guides_list_is_met_by_a_pin(line: str, name: str) -> None:
    wanted = Requirement(line)
    assert wanted.specifier.contains(pins(name)[canonicalize_name(wanted.name)])


@pytest.mark.parametrize("line", [*GUIDE, "gunicorn"])
def test_installing_the_guides_list_brings_nothing_new(line: str) -> None:
    assert lacking(Requirement(line), set()) == []


def test_what_pip_would_have_to_fetch_is_seen() -> None:
    assert lacking(Requirement("streamlit>=999"), set())
    assert lacking(Requirement("no-such-package-of-anybody"), set())


@pytest.mark.parametrize("name", LOCKED)
def test_p1_a_locked_file_holds_only_versions_and_hashes(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    strange = [
        line
        for line in lines
        if not (ENTRY.fullmatch(line) or HASH.fullmatch(line) or COMMENT.fullmatch(line))
    ]
    assert strange == []
    assert not any(mark in line for line in lines for mark in ("://", " @ ", "index-url", "-e "))


@pytest.mark.parametrize("name", LOCKED)
def test_p1_every_version_is_pinned_to_hashes(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    entries = [number for number, line in enumerate(lines) if ENTRY.fullmatch(line)]
    assert len(entries) > 50
    assert [lines[number] for number in entries if not HASH.fullmatch(lines[number + 1])] == []


def test_both_files_pin_the_same_versions_and_the_payment_file_only_what_runs() -> None:
    everything, payment = pins("requirements.lock"), pins("requirements-payment.txt")
    assert payment.items() <= everything.items()
    assert not {"pytest", "mypy", "ruff", "playwright", "uv"} & set(payment)


@pytest.mark.parametrize("name", LOCKED)
def test_the_lock_meets_what_the_project_asks_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = pins(name)
    for line in [*project["dependencies"], *project["optional-dependencies"]["guide"]]:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate():
            assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), line
