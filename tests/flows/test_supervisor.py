"""`talkingphoto up` over small programs: what it says, restarts and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from talkingphoto import stack
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.running import Running, is_alive, spawn, wait_until
from tests.support.sandbox import free_port

NOT_OURS = "postgresql://nobody@localhost/none"


def pid_behind(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return int(answer.read())


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tp-up-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        EmbeddedPostgres(Path(name)).discard()


Start = Callable[..., Running]


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    """Starts a supervisor over the parts given: a port, `silent`, `breaks` or `refuses`."""
    started: list[Running] = []

    def begin(parts: Mapping[str, int | str], *, database_url: str = NOT_OURS) -> Running:
        running = spawn(
            [sys.executable, "-m", "tests.support.small_stack", json.dumps(parts)],
            data=data,
            said=data / f"said-{len(started)}.txt",
            environment={"DATABASE_URL": database_url} if database_url else {},
        )
        started.append(running)
        return running

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


def test_every_part_is_ticked_and_its_address_printed(start: Start) -> None:
    web, app = free_port(), free_port()
    running = start({"web": web, "worker": "silent", "app": app})
    running.wait_for("Ctrl-C stops everything")
    for step in ("database", "migrations", "web", "worker", "catalog", "app"):
        assert f"✓ {step} " in running.text
    assert running.text.count(f"http://localhost:{web}\n") == 2


def test_a_part_that_is_killed_is_started_again_in_one_line(start: Start) -> None:
    port = free_port()
    running = start({"web": port})
    running.wait_for("Ctrl-C stops everything")
    first = pid_behind(port)

    os.kill(first, signal.SIGKILL)
    running.wait_for(r"✗ web +was ended by SIGKILL; starting it again in 0.5 s")
    running.wait_for(r"✓ web +http://localhost:\d+ again")
    assert pid_behind(port) != first


def test_a_part_that_dies_again_waits_twice_as_long(start: Start) -> None:
    port = free_port()
    running = start({"web": port})
    running.wait_for("Ctrl-C stops everything")
    for pause, times in (("0.5", 1), ("1", 2), ("2", 3)):
        os.kill(pid_behind(port), signal.SIGKILL)
        running.wait_for(rf"starting it again in {pause} s")
        wait_until(lambda times=times: running.text.count(" again\n") == times)  # type: ignore[misc]


def test_a_part_that_fails_at_every_start_ends_the_whole_with_its_reason(start: Start) -> None:
    port = free_port()
    running = start({"web": port, "worker": "breaks"})
    assert running.process.wait(timeout=30) == 1
    last = running.text.splitlines()[-1]
    assert "worker could not be started" in last
    assert "3 times" in last
    assert "the licence has expired" in last
    with pytest.raises(OSError, match="refused"):
        pid_behind(port)


def test_a_part_that_says_it_cannot_run_any_more_ends_the_whole_with_its_sentence(
    start: Start,
) -> None:
    running = start({"web": free_port(), "worker": "refuses"})
    assert running.process.wait(timeout=30) == 1
    assert running.text.splitlines()[-1] == "the store has gone to pieces; move it away"
    # It had run, so its failure was forgiven; its refusal was not.
    assert running.text.count("starting it again") == 1


def test_a_sandbox_whose_store_cannot_be_used_is_not_started_again() -> None:
    refusals = {part.name: part.refusal_status for part in stack.inspect().parts}
    assert refusals.pop("sandbox") == 2
    assert set(refusals.values()) == {None}


def test_ctrl_c_ends_every_part_and_the_database_last(start: Start) -> None:
    port = free_port()
    running = start({"sandbox": free_port(), "web": port, "worker": "silent"}, database_url="")
    running.wait_for("Ctrl-C stops everything")
    web = pid_behind(port)
    database = EmbeddedPostgres(running.data).status().pid
    assert database is not None

    assert running.end(signal.SIGINT) == 0
    assert not is_alive(web)
    wait_until(lambda: not is_alive(database))
    stopped = re.findall(r"✓ (\w+) +stopped", running.text)
    assert stopped == ["web", "worker", "sandbox", "database"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_service_manager_and_a_closed_terminal_end_it_too(
    start: Start, number: signal.Signals
) -> None:
    port = free_port()
    running = start({"web": port})
    running.wait_for("Ctrl-C stops everything")
    web = pid_behind(port)
    assert running.end(number) == 0
    assert not is_alive(web)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal that only Linux sends")
def test_the_parts_of_a_supervisor_that_is_killed_end_too(start: Start) -> None:
    port = free_port()
    first = start({"web": port, "worker": "silent"})
    first.wait_for("Ctrl-C stops everything")
    web = pid_behind(port)
    first.end(signal.SIGKILL)
    wait_until(lambda: not is_alive(web))
    start({"web": port, "worker": "silent"}).wait_for("Ctrl-C stops everything")


def test_a_killed_database_is_started_again(start: Start) -> None:
    running = start({"web": free_port()}, database_url="")
    running.wait_for("Ctrl-C stops everything")
    server = EmbeddedPostgres(running.data)
    first = server.status().pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    running.wait_for(r"✓ database +running again")
    assert server.status().pid not in (None, first)


def test_a_taken_port_is_named_with_the_remedy_before_anything_starts(
    start: Start, data: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = start({"web": port}, database_url="")
        assert running.process.wait(timeout=30) == 1
    assert len(running.text.splitlines()) == 1
    assert f"port {port}, which web needs, is taken" in running.text
    assert "--web-port" in running.text
    assert EmbeddedPostgres(data).status().running is False


def test_two_at_once_on_the_same_data_are_refused(start: Start) -> None:
    start({"web": free_port()}).wait_for("Ctrl-C stops everything")
    second = start({"web": free_port()})
    assert second.process.wait(timeout=30) == 1
    assert "already runs" in second.text


@pytest.mark.parametrize(
    "arguments", [["--help"], ["up", "--help"], ["database", "status"], ["database", "stop"]]
)
def test_asking_starts_no_database_and_makes_no_files(data: Path, arguments: list[str]) -> None:
    asked = spawn(
        [sys.executable, "-m", "talkingphoto.cli", *arguments],
        data=data / "absent",
        said=data / "said.txt",
        environment={},
    )
    assert asked.process.wait(timeout=30) == 0
    assert not (data / "absent").exists()


def test_a_wrong_setting_is_named_and_its_value_is_not_printed(data: Path) -> None:
    asked = spawn(
        [sys.executable, "-m", "talkingphoto.cli", "up"],
        data=data,
        said=data / "said.txt",
        environment={"STRIPE_SECRET_KEY": "sk_wrong_abcdef"},
    )
    assert asked.process.wait(timeout=30) == 2
    assert "STRIPE_SECRET_KEY" in asked.text
    assert "sk_wrong_abcdef" not in asked.text
