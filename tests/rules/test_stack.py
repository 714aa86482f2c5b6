"""What the parts of the product are told when they are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkingphoto import stack
from tests.support.settings_cases import REAL, environment


@pytest.mark.parametrize(
    ("chosen", "days"),
    [
        ({}, "3,5,7"),
        ({"DUNNING_OWNER": "stripe"}, "3,5,7"),
        ({"DUNNING_OWNER": "talkingphoto"}, "off"),
        ({"STRIPE_SANDBOX_RETRY_DAYS": "1", "DUNNING_OWNER": "talkingphoto"}, "off"),
    ],
)
def test_the_sandbox_retries_renewals_only_while_stripe_owns_that(
    chosen: dict[str, str], days: str, tmp_path: Path
) -> None:
    planned = stack.plan(environment(chosen, tmp_path), ports=stack.Ports(), data=None)
    (sandbox,) = (part for part in planned.parts if part.name == "sandbox")
    assert sandbox.environment["STRIPE_SANDBOX_RETRY_DAYS"] == days


def test_every_part_is_told_whose_clock_to_follow(tmp_path: Path) -> None:
    given = environment({"TALKINGPHOTO_CLOCK": "sandbox"}, tmp_path)
    planned = stack.plan(given, ports=stack.Ports(sandbox=12999), data=None)
    for part in planned.parts:
        assert part.environment["TALKINGPHOTO_CLOCK"] == "sandbox"
        assert part.environment["STRIPE_API_BASE"] == "http://127.0.0.1:12999"


def test_beside_real_keys_no_sandbox_is_started(tmp_path: Path) -> None:
    planned = stack.plan(environment(REAL, tmp_path), ports=stack.Ports(), data=None)
    assert [part.name for part in planned.parts] == ["web", "worker", "renderer", "app"]
