"""The servers the sandbox's benchmarks drive: the sandbox itself, and a route that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.sandbox import free_port

KEY = "sk_test_of_the_benchmarks"
SECRET = "whsec_of_the_benchmarks"  # noqa: S105 - of nobody
_START_SECONDS = 30


@contextmanager
def sandbox(folder: Path, *, webhook_url: str = "") -> Iterator[int]:
    """The port of a sandbox with an empty store, started as the document says."""
    port = free_port()
    command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
    environment = {
        "STRIPE_SANDBOX_WEBHOOK_URL": webhook_url,
        "STRIPE_SANDBOX_WEBHOOK_SECRET": SECRET if webhook_url else "",
    }
    store = folder / "bench.sqlite"
    with _running([*command, "--store", str(store)], environment, folder / "sandbox.log", port):
        yield port


@contextmanager
def no_op(folder: Path) -> Iterator[int]:
    """The port of the same server with one Flask route that answers and does nothing."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.no_op", str(port)]
    with _running(command, {}, folder / "no_op.log", port):
        yield port


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], log: Path, port: int
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _until_it_answers(port, process, log)
        yield
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def _until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok:
                return
        except requests.ConnectionError:
            in_time = process.poll() is None and time.monotonic() < deadline
            assert in_time, f"a server did not start: {log.read_text()}"
            time.sleep(0.05)
