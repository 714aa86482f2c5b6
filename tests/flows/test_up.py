"""`talkingphoto up` with the product itself: up, hurt, healed, and gone without a trace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from talkingphoto import supervisor
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.running import is_alive, spawn
from tests.support.sandbox import free_port

HEALTH = {"web": "/readyz", "app": "/_stcore/health", "sandbox": "/healthz"}


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder for everything the product keeps; its database is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tp-up-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        EmbeddedPostgres(Path(name)).discard()


def status(port: int, path: str) -> int:
    return requests.get(f"http://localhost:{port}{path}", timeout=5).status_code


def descendants(of: int) -> set[int]:
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = {of}
    for _generation in range(4):
        found |= {pid for pid, parent in parents if parent in found}
    return found - {of}


def test_the_product_comes_up_heals_and_leaves_nothing_behind(data: Path) -> None:
    ports = {name: free_port() for name in HEALTH}
    flags = [text for name, port in ports.items() for text in (f"--{name}-port", str(port))]
    running = spawn(
        [sys.executable, "-m", "talkingphoto.cli", "up", *flags],
        data=data,
        said=data / "said.txt",
        environment={},
    )
    try:
        running.wait_for("Ctrl-C stops everything")
        assert {name: status(ports[name], path) for name, path in HEALTH.items()} == {
            "web": 200,
            "app": 200,
            "sandbox": 200,
        }

        master = re.search(r"Listening at: .* \((\d+)\)", (data / "logs" / "web.log").read_text())
        assert master is not None
        os.kill(int(master[1]), signal.SIGKILL)
        running.wait_for(r"✗ web +was ended by SIGKILL; starting it again")
        running.wait_for(r"✓ web .* again")
        assert status(ports["web"], "/readyz") == 200
        ours = descendants(running.process.pid)
    finally:
        code = running.end()

    assert code == 0
    assert len(ours) >= 4
    assert [pid for pid in ours if is_alive(pid)] == []
    assert EmbeddedPostgres(data).status().running is False
    assert all(supervisor.port_is_free(port) for port in ports.values())
