"""`talkingphoto up`: every part of the product is started, watched, restarted and stopped here."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from talkingphoto import processes, stack
from talkingphoto.foundation import errors
from talkingphoto.integrations import embedded_postgres

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 15
_DATABASE_LOOK_SECONDS = 2
_BIGGEST_LOG_BYTES = 10_000_000


def up(*, ports: stack.Ports, data: Path | None) -> None:
    """The product ran until it was told to stop, and nothing of it is left running."""
    supervise(stack.plan(os.environ, ports=ports, data=data))


def supervise(planned: stack.Stack) -> None:
    """The parts ran until told to stop; refused when they run already or a port is taken."""
    with _only_one(planned.settings.data):
        _require_free_ports(planned.parts)
        with _told_to_stop() as orders:
            Supervisor(planned, orders).run()


def run_sandbox() -> int:
    """The sandbox ran alone, in the foreground, until it ended; its exit code."""
    planned = stack.plan(os.environ, ports=stack.Ports(), data=None)
    for part in planned.parts:
        if part.name == "sandbox":
            with contextlib.suppress(KeyboardInterrupt):
                return subprocess.run(part.command, env=part.environment, check=False).returncode
            return 0
    raise errors.Conflict(
        "sandbox.not_used", "STRIPE_SECRET_KEY is set, so Stripe is real; unset it for the sandbox"
    )


class _Stopped(Exception):
    """Told to stop."""


@dataclass(frozen=True)
class _Orders:
    stop: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """The whole product on this machine, from the first step to the last."""

    def __init__(self, planned: stack.Stack, orders: _Orders) -> None:
        chosen = planned.settings
        self._stack = planned
        self._orders = orders
        self._logs = chosen.data / "logs"
        self._children = {
            part.name: processes.Child(part, self._logs / f"{part.name}.log")
            for part in planned.parts
        }
        # With DATABASE_URL set the server is not ours to start or stop.
        ours = not chosen.database_url.get_secret_value()
        self._database = (
            embedded_postgres.EmbeddedPostgres(chosen.data, chosen.pg_bin) if ours else None
        )

    def run(self) -> None:
        """Everything was started and kept alive until told to stop; then it was stopped."""
        try:
            self._start()
            self._announce()
            self._watch()
        except _Stopped:
            pass
        finally:
            self._end()

    def _start(self) -> None:
        print("Starting TalkingPhoto", flush=True)
        self._prepare_folders()
        self._ensure_database()
        self._launch("sandbox", "app")
        self._finish(self._stack.migrations)
        self._launch("web", "worker", "renderer")
        self._until_healthy("sandbox")
        self._finish(self._stack.catalog)
        self._until_healthy(*self._children)

    def _prepare_folders(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        for log in self._logs.glob("*.log"):
            if log.stat().st_size > _BIGGEST_LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))
        metrics = stack.metrics_folder(self._stack.settings)
        # Counters of processes that are gone would be added to those of the new ones.
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir()

    def _ensure_database(self) -> None:
        if self._database is None:
            processes.say("✓", "database", "the server that DATABASE_URL names")
            return
        self._database.ensure()
        status = self._database.status()
        processes.say("✓", "database", f"PostgreSQL {status.version} in {status.data_folder}")

    def _launch(self, *names: str) -> None:
        for name in names:
            if name in self._children:
                self._children[name].launch()

    def _until_healthy(self, *names: str) -> None:
        waited_for = [self._children[name] for name in names if name in self._children]
        while not all(child.healthy for child in waited_for):
            self._pause()
            for child in waited_for:
                child.tend()

    def _finish(self, step: stack.Part) -> None:
        """A part that ends by itself ended well; its last line is shown."""
        log = self._logs / f"{step.name}.log"
        log.unlink(missing_ok=True)
        child = processes.Child(step, log)
        child.launch()
        try:
            while child.alive:
                self._pause()
            code = child.exit_code
        finally:
            child.finish()
        last = " ".join(child.last_words(1))
        if code != 0:
            raise errors.Unavailable(
                "up.step_failed", f"{step.name} failed; {log} ends with: {last}"
            )
        processes.say("✓", step.name, last)

    def _pause(self) -> None:
        if self._orders.stop.wait(_LOOK_SECONDS):
            raise _Stopped

    def _announce(self) -> None:
        print("\nTalkingPhoto is running\n")
        for part in reversed(self._stack.parts):
            if part.health:
                print(f"  {part.name:<10} {part.address}")
        print(f"\n  Logs are in {self._logs}. Ctrl-C stops everything.\n", flush=True)

    def _watch(self) -> None:
        looked_at = time.monotonic()
        while True:
            self._pause()
            for child in self._children.values():
                child.tend()
            if time.monotonic() - looked_at > _DATABASE_LOOK_SECONDS:
                self._tend_database()
                looked_at = time.monotonic()

    def _tend_database(self) -> None:
        if self._database is not None and not self._database.status().running:
            processes.say("✗", "database", "stopped; starting it again")
            self._database.ensure()
            processes.say("✓", "database", "running again")

    def _end(self) -> None:
        """Nothing is left: first what takes orders, then the sandbox they call, then the data."""
        print("\nStopping TalkingPhoto", flush=True)
        callers = [child for name, child in self._children.items() if name != "sandbox"]
        sandbox = [child for name, child in self._children.items() if name == "sandbox"]
        for group in (callers, sandbox):
            self._end_together(group)
        if self._database is not None and self._database.stop():
            processes.say("✓", "database", "stopped")

    def _end_together(self, children: list[processes.Child]) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        running = [child for child in children if child.alive]
        for child in running:
            child.ask_to_end()
        while any(child.alive for child in running):
            if time.monotonic() > deadline or self._orders.hurry.is_set():
                break
            time.sleep(_LOOK_SECONDS / 2)
        for child in children:
            child.finish()
        for child in running:
            processes.say("✓", child.part.name, "stopped")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """No other `up` runs on this data folder; the lock ends with us, however we end."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.Conflict(
                "up.running",
                f"TalkingPhoto already runs with the data in {folder}: stop it with Ctrl-C in its"
                " terminal, or choose another folder with --data",
            ) from None
        yield


def _require_free_ports(parts: tuple[stack.Part, ...]) -> None:
    asked: set[int] = set()
    for part in parts:
        if part.port is None:
            continue
        if part.port in asked or not port_is_free(part.port):
            raise errors.Conflict(
                "up.port_taken",
                f"port {part.port}, which {part.name} needs, is taken: stop the program that"
                f" listens there, or choose another, as in"
                f' make run UP="--{part.name}-port {part.port + 1}"',
            )
        asked.add(part.port)


def port_is_free(port: int) -> bool:
    """Whether nothing listens on that port of this machine, in either family of addresses."""
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return False
    with socket.socket() as probe:
        # As the servers do: a connection of the last run that lingers is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def _told_to_stop() -> Iterator[_Orders]:
    """The first signal asks everything to end, the second one does not wait for it."""
    orders = _Orders()

    def obey(_number: int, _frame: FrameType | None) -> None:
        (orders.hurry if orders.stop.is_set() else orders.stop).set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, obey) for number in numbers]
    try:
        yield orders
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
