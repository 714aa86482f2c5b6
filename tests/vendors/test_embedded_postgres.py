"""The embedded PostgreSQL against real servers: many starters, kills, deleted and foreign data."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from talkingphoto.foundation import errors
from talkingphoto.integrations import embedded_postgres, postgres_programs
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.running import wait_until

ENSURE = (
    "import sys; from pathlib import Path;"
    "from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres;"
    "print(EmbeddedPostgres(Path(sys.argv[1])).ensure())"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every account may enter; its server is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tp test ", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name).resolve()
        EmbeddedPostgres(Path(name)).discard()


def query(server: EmbeddedPostgres, sql: str) -> list[tuple[object, ...]]:
    host = server.status().socket
    with psycopg.connect(
        f"host={host} user=postgres dbname=talkingphoto", autocommit=True
    ) as connection:
        answer = connection.execute(sql.encode())
        return answer.fetchall() if answer.description else []


def test_eight_racing_starters_get_one_server(folder: Path) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", ENSURE, str(folder)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    urls = {starter.communicate(timeout=60)[0] for starter in starters}

    assert [starter.returncode for starter in starters] == [0] * 8
    assert len(urls) == 1
    log = (folder / "postgres.log").read_text()
    assert log.count("starting PostgreSQL") == 1


def test_the_server_outlives_its_starter_and_is_seen_and_stopped_by_another(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", ENSURE, str(folder)], check=True, capture_output=True)

    seen = EmbeddedPostgres(folder).status()
    assert seen.running
    assert seen.version is not None
    assert seen.version.split(".")[0] == (seen.data_folder / "PG_VERSION").read_text().strip()
    assert seen.pid is not None
    os.kill(seen.pid, 0)

    assert EmbeddedPostgres(folder).stop() is True
    assert EmbeddedPostgres(folder).status().running is False
    assert EmbeddedPostgres(folder).stop() is False


def test_asking_for_the_status_starts_and_makes_nothing(folder: Path) -> None:
    assert EmbeddedPostgres(folder / "absent").status().running is False
    assert EmbeddedPostgres(folder / "absent").stop() is False
    assert not (folder / "absent").exists()


def test_a_committed_row_survives_the_kill_of_the_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.ensure()
    query(server, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
    pid = server.status().pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.status().running)
    assert (server.status().data_folder / "postmaster.pid").exists()

    server.ensure()
    assert server.status().pid != pid
    assert query(server, "SELECT id FROM kept") == [(7,)]


def test_a_committed_row_survives_the_kill_of_every_process_at_once(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.ensure()
    query(server, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")

    for process in embedded_postgres._processes(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    server.ensure()
    assert query(server, "SELECT id FROM kept") == [(7,)]


def test_a_pid_file_naming_another_living_program_does_not_stop_the_start(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.ensure()
    server.stop()
    data = server.status().data_folder
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")

    assert server.status().running is False
    server.ensure()
    assert server.status().running is True


def test_the_server_of_another_data_folder_is_not_mistaken_for_ours(folder: Path) -> None:
    one, other = EmbeddedPostgres(folder / "one"), EmbeddedPostgres(folder / "other")
    try:
        one.ensure()
        # A folder copied while its server runs brings that server's pid along.
        other.status().data_folder.mkdir(parents=True)
        for name in ("PG_VERSION", "postmaster.pid"):
            shutil.copy(one.status().data_folder / name, other.status().data_folder / name)
        assert other.status().running is False
        assert other.stop() is False
        assert one.status().running is True
    finally:
        one.discard()
        other.discard()


def test_data_deleted_under_a_running_server_give_a_new_one(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.ensure()
    query(server, "CREATE TABLE lost (id int)")
    old = server.status().pid
    shutil.rmtree(server.status().data_folder)

    server.ensure()
    assert server.status().pid != old
    assert query(server, "SELECT tablename FROM pg_tables WHERE tablename = 'lost'") == []


def test_a_killed_initdb_leaves_nothing_that_looks_like_a_database(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")

    EmbeddedPostgres(folder).ensure()
    assert not (folder / "postgres.new").exists()


def test_only_the_servers_account_may_enter_and_nothing_listens_on_the_network(
    folder: Path,
) -> None:
    server = EmbeddedPostgres(folder)
    server.ensure()

    for private in (server.status().socket, server.status().data_folder):
        assert private.stat().st_mode & 0o777 == 0o700
    assert query(server, "SHOW listen_addresses") == [("",)]
    assert query(server, "SHOW max_connections") == [("200",)]
    assert query(server, "SHOW fsync") == [("on",)]


def test_a_throw_away_server_does_not_wait_for_the_disk(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    server.ensure()
    assert query(server, "SHOW fsync") == [("off",)]


def test_a_socket_folder_laid_by_another_is_refused(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    socket = server.status().socket
    socket.symlink_to(folder)
    try:
        with pytest.raises(errors.Unavailable, match="belongs to another account"):
            server.ensure()
    finally:
        socket.unlink()


def test_a_folder_closed_to_the_servers_account_still_gives_a_server(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed)
    try:
        server.ensure()
        data = server.status().data_folder
        # Only root has to go elsewhere: any other user runs the server as itself.
        below = postgres_programs.ROOTS_FOLDER if os.geteuid() == 0 else closed
        assert data.is_relative_to(below)
        assert server.ensure().endswith("port=5432")
    finally:
        server.discard()
    assert not data.exists()


def test_a_folder_without_programs_is_named_with_the_remedy(folder: Path) -> None:
    with pytest.raises(errors.Unavailable) as refused:
        EmbeddedPostgres(folder / "data", folder).ensure()
    assert "TALKINGPHOTO_PG_BIN" in refused.value.message
    assert str(folder) in refused.value.message


def test_data_of_another_version_are_refused_in_words(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.ensure()
    server.stop()
    (server.status().data_folder / "PG_VERSION").write_text("12\n")
    with pytest.raises(errors.Unavailable, match="made by PostgreSQL 12"):
        server.ensure()


def test_a_folder_that_is_not_a_database_is_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "letter.txt").write_text("mine")
    with pytest.raises(errors.Unavailable, match="move it away"):
        EmbeddedPostgres(folder).ensure()
    assert (folder / "postgres" / "letter.txt").read_text() == "mine"
