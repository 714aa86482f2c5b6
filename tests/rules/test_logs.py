"""What may never be read in a log."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from talkingphoto.foundation import logs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The other tests log as they did."""
    yield
    logs.configure(level="warning")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was written, one JSON object a line."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


SECRETS = (
    "sk_live_51HxYzAbCdEfGh",
    "rk_test_51HxYzAbCdEfGh",
    "whsec_0123456789abcdef",
    "postgresql://app:hunter2@db:5432/x",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_d3_keys_and_passwords_are_cut_out_wherever_they_stand(
    capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    logs.configure(level="info")
    structlog.get_logger().info("said", plain=secret, nested={"deep": [f"x {secret} y"]})
    written = capsys.readouterr().err
    assert "***" in written
    for part in (secret, "51HxYzAbCdEfGh", "0123456789abcdef", "hunter2"):
        assert part not in written


def test_d3_a_trace_holds_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info")
    password = "a password that was typed"
    try:
        raise ValueError(len(password))
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(capsys)
    assert line["event"] == "failed" and "ValueError" in json.dumps(line["exception"])
    assert password not in json.dumps(line)


def test_v6_a_line_break_in_a_value_does_not_make_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(level="info")
    structlog.get_logger().info("said", name='x\n{"level": "forged"}')
    (line,) = lines(capsys)
    assert line["level"] == "info"


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="error")
    structlog.get_logger().warning("quiet")
    assert capsys.readouterr().err == ""
