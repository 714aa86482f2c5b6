"""The web application as production runs it: gunicorn, two processes of eight threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from tests.support.sandbox import free_port

ROOT = Path(__file__).parents[2]
_START_SECONDS = 90


class Gunicorn:
    """One gunicorn on a free port; ended by stop()."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        processes: int = 2,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "gunicorn.log"
        metrics = folder / "metrics"
        metrics.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread"),
                *("-w", str(processes), "--threads", "8", "--keep-alive", "75"),
                *("--no-control-socket", "-b", f"127.0.0.1:{self.port}", "webhook_app:app"),
            ],
            cwd=ROOT,
            env={**os.environ, **environment, "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            stdout=subprocess.DEVNULL,
            stderr=self.log.open("a"),
        )
        self._await()

    def stop(self) -> int:
        """Every process has ended; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(40)

    def metric(self, name: str, **labels: str) -> float:
        """A counter's sum over the processes; 0 before its first increment."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for line in requests.get(f"{self.base}/metrics", timeout=10).text.splitlines():
            if line.startswith(name) and all(label in line for label in wanted):
                return float(line.rpartition(" ")[2])
        return 0

    def memory_bytes(self) -> int:
        """What its processes hold in memory together."""
        listed = subprocess.run(
            ["ps", "-eo", "ppid=,rss="], capture_output=True, text=True, check=True
        ).stdout
        rows = (line.split() for line in listed.splitlines())
        return sum(int(rss) * 1024 for parent, rss in rows if int(parent) == self._process.pid)

    def _await(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.base}/healthz", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())
