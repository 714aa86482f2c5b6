"""The modes of the delivery laboratory: what is done to a webhook on its way, and to which ones.

Each mode has a share of the events in percent, 100 being a switch turned on. Whether a mode meets
an event is drawn from the seed and from the event's place among those of its endpoint, so that the
same seed and the same events lead to the same decisions, whatever the threads do.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from stripe_sandbox import OLDER_VERSIONS, Json
from stripe_sandbox.api import params

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_YEAR_SECONDS = 366 * 24 * 3600


@dataclass(frozen=True)
class Modes:
    """How an endpoint's webhooks are treated; shares are in percent, 0 being never."""

    seed: int = 1
    duplicate: int = 0
    copies: int = 2
    reorder: int = 0
    reorder_ms: int = 1000
    delay: int = 0
    delay_ms: int = 2000
    drop: int = 0
    stale: int = 0
    stale_seconds: int = 600
    two_secrets: int = 0
    older: int = 0
    older_version: str = "2024-06-20"


@dataclass(frozen=True)
class Quirks:
    """What was decided for one event on its way to one endpoint."""

    dropped: bool = False
    copies: int = 1
    wait_ms: int = 0
    stale_seconds: int = 0
    two_secrets: bool = False
    version: str | None = None


USUAL = Quirks()
# What can be done to an event; each is a share of them.
SHARES = ("duplicate", "reorder", "delay", "drop", "stale", "two_secrets", "older")
FIELDS: params.Fields = {
    "seed": params.integer(0, 2**31 - 1),
    **dict.fromkeys(SHARES, params.percent),
    "copies": params.integer(2, 10),
    "reorder_ms": params.integer(1, _MINUTE_MS),
    "delay_ms": params.integer(1, _HOUR_MS),
    "stale_seconds": params.integer(1, _YEAR_SECONDS),
    "older_version": params.choice(*OLDER_VERSIONS),
}


def decide(modes: Modes, place: int) -> Quirks:
    """What happens to the event that has this place among those of its endpoint, counted from 1."""

    def meets(mode: str) -> bool:
        share = int(getattr(modes, mode))
        return _drawn(modes.seed, mode, place) % 100 < share

    held = _drawn(modes.seed, "how long", place) % modes.reorder_ms + 1 if meets("reorder") else 0
    return Quirks(
        dropped=meets("drop"),
        copies=modes.copies if meets("duplicate") else 1,
        wait_ms=held + (modes.delay_ms if meets("delay") else 0),
        stale_seconds=modes.stale_seconds if meets("stale") else 0,
        two_secrets=meets("two_secrets"),
        version=modes.older_version if meets("older") else None,
    )


def written(quirks: Quirks) -> str | None:
    """The quirks as they are stored, without what is as usual; None for none."""
    if quirks == USUAL:
        return None
    usual = asdict(USUAL)
    return json.dumps(
        {name: value for name, value in asdict(quirks).items() if value != usual[name]}
    )


def read(stored: str | None) -> Quirks:
    """The quirks as they were stored."""
    return Quirks(**json.loads(stored)) if stored else USUAL


def stored_modes(text: str) -> Modes:
    """The modes as they were stored."""
    return Modes(**json.loads(text))


def shown(modes: Modes) -> Json:
    """The modes by name, for people and programs."""
    return asdict(modes)


def active(modes: Modes) -> bool:
    """True if any mode can meet an event."""
    return any(getattr(modes, share) for share in SHARES)


def _drawn(seed: int, mode: str, place: int) -> int:
    text = f"{seed}:{mode}:{place}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
