"""The requests the product sends in a test run: written down by the sandboxes, read at its end.

Every sandbox that a test starts inherits the variable, whichever process starts it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract import params

VARIABLE = "STRIPE_SANDBOX_REQUEST_LOG"
# Where a whole run leaves them, for `make sandbox-contract`.
KEPT = Path(__file__).resolve().parents[2] / ".cache" / "stripe-requests.jsonl"
# The tests' own clients say so with the end of their key: they may send what they like.
_OF_TESTS = "_tests"


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def route(self) -> str:
        """What it asks for, with its ids unnamed."""
        return params.route_of(self.method, self.path) or f"{self.method} {self.path}"


def read(folder: Path) -> list[Request]:
    """The product's distinct requests in a folder of logs."""
    found = {
        _request(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in map(json.loads, file.read_text().splitlines())
        if line["sdk"] and line["key_ends"] != _OF_TESTS
    }
    return sorted(found, key=lambda request: (request.path, request.method, request.pairs))


def kept() -> list[Request]:
    """The product's requests of the last whole test run in this checkout, if any."""
    if not KEPT.is_file():
        return []
    return [_request(line) for line in map(json.loads, KEPT.read_text().splitlines())]


def faults(requests: Iterable[Request]) -> Iterator[tuple[Request, str, str]]:
    """Each thing that the SDK's types do not allow, with the request that says it."""
    for request in requests:
        for path, message in params.faults(request.method, request.path, request.pairs):
            yield request, path, message


def _request(line: dict[str, Any]) -> Request:
    pairs = tuple((name, value) for name, value in line["form"])
    return Request(line["method"], line["path"], pairs)


def _keep(requests: list[Request]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    partial = KEPT.with_suffix(f".{os.getpid()}")
    partial.write_text("".join(f"{json.dumps(_line(request))}\n" for request in requests))
    partial.replace(KEPT)


def _line(request: Request) -> dict[str, Any]:
    return {"method": request.method, "path": request.path, "form": request.pairs}


class Plugin:
    """A test run whose sandboxes write down what the product asks, and that fails on what is wrong.

    With several processes of tests the first makes the folder and looks; the others only write.
    """

    def __init__(self, config: pytest.Config) -> None:
        given: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.looks = given is None
        self.folder = given["request_log"] if given else tempfile.mkdtemp(prefix="stripe-requests-")
        self.said: list[str] = []
        os.environ[VARIABLE] = self.folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["request_log"] = self.folder

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if not self.looks:
            return
        requests = read(Path(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)
        wrong = [f"{one.route}, request, {at}, {said}" for one, at, said in faults(requests)]
        if _is_whole(session.config):
            _keep(requests)
            if not requests and not session.config.option.collectonly:
                wrong.append("the product sent no request to any sandbox in the whole run")
        if requests:
            self.said = [f"{len(requests)} distinct requests of the product to Stripe looked at"]
        if wrong:
            self.said += wrong
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self.said:
            terminalreporter.write_line(line)


def _is_whole(config: pytest.Config) -> bool:
    chosen = config.option.keyword or config.option.markexpr
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen
