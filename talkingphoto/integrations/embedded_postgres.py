"""A PostgreSQL of our own below the data folder, for machines where DATABASE_URL names none.

It listens on a socket only, outlives the process that started it, and may be asked for by any
number of processes at once. `ensure` also repairs what a kill or a power cut left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.pq import PGconn, Ping

from talkingphoto.foundation import errors
from talkingphoto.integrations import postgres_programs

DATABASE = "talkingphoto"
# A socket's path is limited to about a hundred bytes, so it cannot live below any project.
_SOCKETS = Path("/tmp")  # noqa: S108 - each folder in it is checked to be ours alone
_LOG = "postgres.log"
_MARKER = ".postgres.elsewhere"
_PORT = 5432  # Only a part of the socket's name: no address is listened on.
_MAX_CONNECTIONS = 200
_WAIT_SECONDS = 60
_BIGGEST_LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class ServerStatus:
    """What is known of the server without starting anything."""

    running: bool
    pid: int | None
    data_folder: Path
    socket: Path
    version: str | None


class EmbeddedPostgres:
    """The server whose data belong to `folder`; not `durable` is faster and for tests only."""

    def __init__(self, folder: Path, binaries: Path | None = None, *, durable: bool = True) -> None:
        self._folder = folder.resolve()
        self._binaries = binaries
        self._durable = durable

    @functools.cached_property
    def _programs(self) -> postgres_programs.Programs:
        return postgres_programs.find(self._binaries)

    @property
    def url(self) -> str:
        """The SQLAlchemy address of our database, whether or not its server runs."""
        socket = _socket(self._home(make=False))
        return f"postgresql+psycopg://postgres@/{DATABASE}?host={socket}&port={_PORT}"

    def ensure(self) -> str:
        """The server answers and holds our database, reached by the address returned."""
        with self._alone():
            home = self._home(make=True)
            if not _answers(home):
                self._start(home)
            _create_database(home)
        return self.url

    def status(self) -> ServerStatus:
        """Whether the server answers, and where its things are; nothing is started or made."""
        home = self._home(make=False)
        running = _answers(home)
        return ServerStatus(
            running=running,
            pid=_recorded_pid(home) if running else None,
            data_folder=_cluster(home),
            socket=_socket(home),
            version=_server_version(home) if running else None,
        )

    def stop(self) -> bool:
        """No server runs on our data; True when one did."""
        if not self._folder.is_dir():
            return False
        with self._alone():
            home = self._home(make=False)
            if not _answers(home):
                return False
            self._programs.run(
                "pg_ctl", "-D", str(_cluster(home)), "-m", "fast", "-w", "-t", str(_WAIT_SECONDS),
                "stop",
            )  # fmt: skip
            with contextlib.suppress(OSError):
                _socket(home).rmdir()
            return True

    def discard(self) -> None:
        """The server is stopped and its data are deleted for good."""
        self.stop()
        home = self._home(make=False)
        for folder in (_cluster(home), _socket(home)):
            shutil.rmtree(folder, ignore_errors=True)
        (home / _LOG).unlink(missing_ok=True)
        if home != self._folder:
            home.rmdir()
            (self._folder / _MARKER).unlink()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process is starting or stopping this server."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / ".postgres.lock").open("w")
        except OSError as fault:
            raise errors.Unavailable(
                "database.folder",
                f"cannot write in {self._folder} ({fault.strerror}): let TALKINGPHOTO_DATA name"
                " a folder of yours",
            ) from fault
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _home(self, *, make: bool) -> Path:
        """Where the data live: our folder, or root's when the server's account cannot enter it."""
        marker = self._folder / _MARKER
        if marker.exists():
            return Path(marker.read_text().strip())
        if not make or _cluster(self._folder).exists():
            return self._folder
        if self._programs.can_reach(self._folder):
            return self._folder
        # A random part, so that a new checkout in the same place does not find the old one's data.
        name = f"data-{secrets.token_hex(5)}"
        elsewhere = postgres_programs.ROOTS_FOLDER.resolve() / name
        postgres_programs.make_public_folder(elsewhere)
        marker.write_text(f"{elsewhere}\n")
        return elsewhere

    def _start(self, home: Path) -> None:
        for folder in (_cluster(home), _socket(home)):
            self._make_private(folder)
        log = home / _LOG
        if log.exists() and log.stat().st_size > _BIGGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        self._give_away(log)
        if not (_cluster(home) / "PG_VERSION").exists():
            self._create_cluster(home)
        self._check_version(home)
        _clear_remains(home)
        try:
            self._programs.run(
                "pg_ctl", "-D", str(_cluster(home)), "-l", str(log), "-w", "-t",
                str(_WAIT_SECONDS), "-o", self._options(home), "start",
            )  # fmt: skip
        except errors.Unavailable as fault:
            last = (log.read_text(errors="replace").strip().splitlines() or ["it is empty"])[-1]
            raise errors.Unavailable(
                "database.not_started",
                f"the embedded PostgreSQL did not start; the last line of {log} is: {last}",
            ) from fault

    def _options(self, home: Path) -> str:
        chosen = {
            "listen_addresses": "''",
            "port": str(_PORT),
            "unix_socket_directories": str(_socket(home)),
            "unix_socket_permissions": "0700",
            "max_connections": str(_MAX_CONNECTIONS),
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Shown in the title of every process of this server: see _processes.
            "cluster_name": _socket(home).name,
        }
        if not self._durable:
            chosen |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return " ".join(f"-c {name}={value}" for name, value in chosen.items())

    def _create_cluster(self, home: Path) -> None:
        cluster = _cluster(home)
        if any(cluster.iterdir()):
            raise errors.Unavailable(
                "database.foreign_folder",
                f"{cluster} is not empty and holds no PostgreSQL data: move it away",
            )
        # Made beside and renamed at the end: a killed initdb must not look like a database.
        fresh = home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._make_private(fresh)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        self._programs.run(
            "initdb", "-D", str(fresh), "-U", "postgres", "-E", "UTF8", f"--locale={locale}",
            "--auth=trust", "--no-instructions", "--data-checksums",
            *([] if self._durable else ["--no-sync"]),
        )  # fmt: skip
        fresh.replace(cluster)

    def _make_private(self, folder: Path) -> None:
        """The folder is a real one that only the server's account can enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if not self._is_ours(folder):
            raise errors.Unavailable(
                "database.folder_of_another",
                f"{folder} belongs to another account: delete it, or run as its owner",
            )
        folder.chmod(0o700)
        self._give_away(folder)

    def _is_ours(self, folder: Path) -> bool:
        account = self._programs.account
        owners = {os.geteuid(), account.pw_uid if account else os.geteuid()}
        return not folder.is_symlink() and folder.stat().st_uid in owners

    def _give_away(self, path: Path) -> None:
        account = self._programs.account
        if account:
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)

    def _check_version(self, home: Path) -> None:
        made_by = (_cluster(home) / "PG_VERSION").read_text().strip()
        if self._programs.version.split(".")[0] != made_by:
            raise errors.Unavailable(
                "database.other_version",
                f"{_cluster(home)} was made by PostgreSQL {made_by} and {self._programs.folder}"
                f" holds {self._programs.version}: let TALKINGPHOTO_PG_BIN name version {made_by}",
            )


def _cluster(home: Path) -> Path:
    return home / "postgres"


def _socket(home: Path) -> Path:
    return _SOCKETS / f"tp-pg-{hashlib.sha256(str(_cluster(home)).encode()).hexdigest()[:12]}"


def _connection_string(home: Path, database: str = "postgres") -> str:
    return (
        f"host={_socket(home)} port={_PORT} user=postgres dbname={database} connect_timeout=5"
        " application_name=talkingphoto-launcher"
    )


def _answers(home: Path) -> bool:
    """Whether the server of these data takes connections, waiting for one that is just starting."""
    # The owner is compared so that nobody can offer us a server of theirs under our socket's name.
    if _recorded_pid(home) is None or not _same_owner(_socket(home), _cluster(home)):
        return False
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        # A ping, because a server whose connections are all taken does answer one.
        match PGconn.ping(_connection_string(home).encode()):
            case Ping.OK:
                return True
            case Ping.REJECT:
                time.sleep(0.05)
            case _:
                return False
    return False


def _same_owner(one: Path, other: Path) -> bool:
    try:
        return one.lstat().st_uid == other.lstat().st_uid
    except FileNotFoundError:
        return False


def _recorded_pid(home: Path) -> int | None:
    try:
        return int((_cluster(home) / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _server_version(home: Path) -> str | None:
    try:
        with psycopg.connect(_connection_string(home)) as connection:
            return f"{connection.info.server_version // 10000}." + str(
                connection.info.server_version % 10000
            )
    except psycopg.OperationalError:
        return None


def _create_database(home: Path) -> None:
    try:
        with psycopg.connect(_connection_string(home), autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError as fault:
        raise errors.Unavailable(
            "database.refused", f"the embedded PostgreSQL refused a connection: {fault}"
        ) from fault


def _clear_remains(home: Path) -> None:
    """Nothing a killed server left behind stands in the way of a new one.

    PostgreSQL refuses to start while the pid in its file exists at all, be it a zombie or another
    program's since a reboot. The file may go once no process of the server is left.
    """
    deadline = time.monotonic() + _WAIT_SECONDS / 3
    while living := _processes(home):
        if time.monotonic() > deadline:
            return  # PostgreSQL's own check then says so.
        if _recorded_pid(home) is None:
            # Its data were deleted under it: it would notice and end by itself within a minute.
            _end_at_once(living)
        time.sleep(0.05)
    socket = _socket(home) / f".s.PGSQL.{_PORT}"
    for remains in (_cluster(home) / "postmaster.pid", socket, Path(f"{socket}.lock")):
        remains.unlink(missing_ok=True)


def _end_at_once(processes: set[int]) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGQUIT)


def _processes(home: Path) -> set[int]:
    """The living processes of this server, the postmaster and those it made; no zombies."""
    marks = (f"postgres -D {_cluster(home)} ", f"postgres: {_socket(home).name}: ")
    return {pid for pid, title in _titles() if any(mark in f"{title} " for mark in marks)}


def _titles() -> Iterator[tuple[int, str]]:
    """Every process with its command line, which any account may read."""
    if Path("/proc/self/cmdline").exists():
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                title = (process / "cmdline").read_text(errors="replace")
                yield int(process.name), title.replace("\0", " ")
        return
    listed = subprocess.run(
        ["/bin/ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        pid, _, title = line.strip().partition(" ")
        yield int(pid), title
