"""What a customer may ask for, how long a worker may take, and how long anything is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

Tier = Literal["540p", "720p", "1080p"]
State = Literal["queued", "rendering", "ready", "failed", "canceled"]
# What a worker did last, finer than the stage that a customer sees.
Step = Literal["asked", "claimed", "submitted", "rendered", "fetched", "signed", "stored", "ended"]

TIERS: tuple[Tier, ...] = get_args(Tier)
CREDITS_A_VIDEO = 1
MOST_WAITING = 3
MOST_ATTEMPTS = 3
# A worker that said nothing for so long is taken for dead; it speaks every second.
SILENT = timedelta(seconds=20)
# How long a video may wait and be made; the ledger lets no hold live longer.
DUE_WITHIN = timedelta(hours=24)
FREE_REMAKE_WITHIN = timedelta(hours=24)
# A free video is kept no longer than this, whatever the setting allows to others.
FREE_VIDEO_DAYS = 30
# A few times what the slowest machine took for the longest text; past it the engine is stuck.
_DEADLINES: dict[Tier, timedelta] = {
    "540p": timedelta(minutes=5),
    "720p": timedelta(minutes=8),
    "1080p": timedelta(minutes=15),
}
_PLANS_WITH_1080P = frozenset({"pro", "enterprise"})
CONSENT_VERSION = "2026-11"
CONSENT = (
    "This is a photo of me, or of an adult who has agreed to it, and I may use it. I will not"
    " pass the video off as a real recording."
)


@dataclass(frozen=True)
class Means:
    """What a customer pays with: the key of the live plan, and whether they hold bought credits."""

    plan: str | None
    has_pack: bool

    @property
    def pays(self) -> bool:
        """Whether anything beyond free credits is there."""
        return self.plan is not None or self.has_pack


@dataclass(frozen=True)
class TierChoice:
    """A tier as a customer may have it; `why` says what would allow it when it is not allowed."""

    tier: Tier
    allowed: bool
    why: str
    watermark: bool


def tier_choice(tier: Tier, means: Means) -> TierChoice:
    """Free: 540p with our mark; a plan or a pack: 720p without; Pro and up: 1080p."""
    marked = not means.pays
    if tier == "720p" and marked:
        return TierChoice(tier, False, "Comes with any plan or pack.", marked)
    if tier == "1080p" and means.plan not in _PLANS_WITH_1080P:
        return TierChoice(tier, False, "Comes with Pro and Enterprise.", marked)
    return TierChoice(tier, True, "", marked)


def deadline(tier: Tier) -> timedelta:
    """How long one attempt may take, from its claim."""
    return _DEADLINES[tier]


def retry_wait(attempt: int) -> timedelta:
    """How long a video waits after that attempt failed for a passing reason: 5, then 20 seconds."""
    return timedelta(seconds=5 * 4 ** (attempt - 1))


def look_wait(running: timedelta) -> timedelta:
    """When to ask a hosted engine again: after 2 seconds at first, at most 30 later."""
    return min(timedelta(seconds=30), max(timedelta(seconds=2), running / 3))


def kept_days(*, watermark: bool, video_days: int) -> int:
    """For how many days a finished video is kept."""
    return min(FREE_VIDEO_DAYS, video_days) if watermark else video_days


def may_remake(*, state: State, is_remake: bool, ended_at: datetime | None, now: datetime) -> bool:
    """Whether a finished video may be made again for nothing: within a day, and no copy of one."""
    if state != "ready" or is_remake or ended_at is None:
        return False
    return now < ended_at + FREE_REMAKE_WITHIN
