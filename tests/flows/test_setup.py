"""`make` on machines that lack something: one line that names the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from talkingphoto.foundation import settings


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout on a machine with hardly a program: what `programs` holds is what there is."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "programs").mkdir()
    shutil.copy(settings.PROJECT_ROOT / "bin" / "setup", tmp_path / "bin" / "setup")
    for name in ("dirname", "cat"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / "programs" / name).symlink_to(found)
    return tmp_path


def add_program(machine: Path, name: str, source: str) -> None:
    program = machine / "programs" / name
    program.write_text(f"#!/bin/sh\n{source}\n")
    program.chmod(0o755)


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(machine / "bin" / "setup"), str(machine / "stamp")],
        env={"PATH": str(machine / "programs")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_machine_without_a_fitting_python_is_told_which_to_install(machine: Path) -> None:
    add_program(machine, "python3", "exit 1")  # As an older one answers the question.
    add_program(machine, "python3.12", "echo 'no such version' >&2; exit 127")
    refused = set_up(machine)
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in refused.stderr
    assert "apt-get install" in refused.stderr
    assert not (machine / "stamp").exists()


def test_a_python_without_venv_is_told_the_package(machine: Path) -> None:
    without_venv = f'case "$2" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'
    add_program(machine, "python3", without_venv)
    refused = set_up(machine)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"python3-venv is missing for Python {version}:"
        f" apt-get install python{version}-venv (as root)"
    ]
    assert not (machine / ".venv").exists()


def test_make_alone_prints_help_and_installs_nothing(machine: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(settings.PROJECT_ROOT / name, machine / name)
    asked = subprocess.run(
        ["make"], cwd=machine, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    for target in ("setup", "run", "test", "check", "demo", "bench"):
        assert f"make {target} " in asked.stdout
    assert not (machine / ".venv").exists()


@pytest.mark.parametrize("fetched", [True, False])
def test_nothing_is_ready_while_the_face_models_are_missing(machine: Path, fetched: bool) -> None:
    for name in ("rm", "touch"):
        found = shutil.which(name)
        assert found is not None
        (machine / "programs" / name).symlink_to(found)
    python = machine / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    # All is installed already, and the models are to be had or not.
    without_models = f'case "$*" in *engine.models*) exit {int(not fetched)};; *) exit 0;; esac'
    python.write_text(f"#!/bin/sh\n{without_models}\n")
    python.chmod(0o755)
    ended = set_up(machine)
    assert (ended.returncode == 0) == fetched
    assert (machine / "stamp").exists() == fetched
    assert ended.stdout.endswith("Ready\n") == fetched


@pytest.mark.parametrize("there", [True, False])
def test_make_sets_up_again_when_the_face_models_were_deleted(machine: Path, there: bool) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(settings.PROJECT_ROOT / name, machine / name)

    def planned() -> list[str]:
        asked = subprocess.run(
            ["make", "-n", "setup"], cwd=machine, capture_output=True, text=True, check=True
        )
        return [line for line in asked.stdout.splitlines() if "bin/setup" in line]

    (machine / "models").mkdir()
    (machine / "models" / "NOTICE").touch()
    [first] = planned()
    stamp = machine / first.split('"')[1]
    stamp.parent.mkdir()
    stamp.touch()
    if not there:
        (machine / "models" / "NOTICE").unlink()
    assert bool(planned()) != there
