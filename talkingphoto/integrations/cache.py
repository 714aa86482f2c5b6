"""Counted tries: in Redis when there is one, else in PostgreSQL; never uncounted.

A Redis that does not answer is left alone for a few seconds and the tries are counted in
PostgreSQL meanwhile, so that losing it loses the counts of one window and not the limit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import limits
import structlog
from limits import errors as limit_errors
from limits import strategies
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.foundation import clock as clocks
from talkingphoto.foundation import database

log = structlog.get_logger()

_REDIS_TIMEOUT_SECONDS = 0.3
_LEAVE_ALONE = timedelta(seconds=5)
_COUNT = text(
    """
    INSERT INTO rate_counters AS counted (key, tries, resets_at)
    VALUES (:key, 1, :fresh)
    ON CONFLICT (key) DO UPDATE SET
        tries = CASE WHEN counted.resets_at <= :now THEN 1 ELSE counted.tries + 1 END,
        resets_at = CASE WHEN counted.resets_at <= :now THEN :fresh ELSE counted.resets_at END
    RETURNING tries, resets_at
    """
)
_CLEAR = text("DELETE FROM rate_counters WHERE key = :key")
_FORGET = text(
    "DELETE FROM rate_counters WHERE key IN "
    "(SELECT key FROM rate_counters WHERE resets_at <= :now LIMIT :limit) RETURNING key"
)


@dataclass(frozen=True)
class Allowance:
    """So many tries in so many seconds, counted from the first."""

    name: str
    most: int
    seconds: int


class TryCounter:
    """Counts tries for all processes that share its Redis or its database."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Session]],
        *,
        clock: clocks.Clock,
        redis_url: str = "",
    ) -> None:
        self._transaction = transaction
        self._clock = clock
        self._redis = _redis_limiter(redis_url) if redis_url else None
        self._left_alone_until: datetime | None = None

    def take(self, allowance: Allowance, *who: str) -> int:
        """The try is counted; 0 when it is allowed, else the seconds until one is again."""
        key = _key(allowance, who)
        in_redis = self._ask_redis(lambda redis: _take_in_redis(redis, allowance, key))
        if in_redis is not None:
            return in_redis
        now = self._clock()
        fresh = now + timedelta(seconds=allowance.seconds)
        with self._transaction() as session:
            counted = session.execute(_COUNT, {"key": key, "now": now, "fresh": fresh}).one()
        return 0 if counted.tries <= allowance.most else _seconds(counted.resets_at - now)

    def clear(self, allowance: Allowance, *who: str) -> None:
        """No try is counted any more."""
        key = _key(allowance, who)
        if self._ask_redis(lambda redis: _clear_in_redis(redis, allowance, key)) is None:
            with self._transaction() as session:
                session.execute(_CLEAR, {"key": key})

    def forget_past(self, *, limit: int) -> int:
        """Up to `limit` counters whose time is over are gone."""
        with self._transaction() as session:
            return len(session.execute(_FORGET, {"now": self._clock(), "limit": limit}).all())

    def _ask_redis(self, ask: Callable[[strategies.RateLimiter], int]) -> int | None:
        """Redis's answer; None when there is no Redis or it does not answer."""
        now = self._clock()
        if self._redis is None or (self._left_alone_until and now < self._left_alone_until):
            return None
        database.assert_outside_transaction()
        try:
            answer = ask(self._redis)
        except limit_errors.StorageError as fault:
            self._left_alone_until = now + _LEAVE_ALONE
            log.warning("tries.redis_lost", error=type(fault.__cause__ or fault).__name__)
            return None
        self._left_alone_until = None
        return answer


def _redis_limiter(url: str) -> strategies.RateLimiter:
    storage = RedisStorage(
        url,
        wrap_exceptions=True,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        # PostgreSQL is the second try: waiting for Redis would keep people at the door.
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed to redis-py as it is
    )
    return strategies.FixedWindowRateLimiter(storage)


def _take_in_redis(redis: strategies.RateLimiter, allowance: Allowance, key: str) -> int:
    item = _item(allowance)
    if redis.hit(item, key):
        return 0
    resets_at = datetime.fromtimestamp(redis.get_window_stats(item, key).reset_time, UTC)
    return _seconds(resets_at - clocks.system_clock())


def _clear_in_redis(redis: strategies.RateLimiter, allowance: Allowance, key: str) -> int:
    redis.clear(_item(allowance), key)
    return 0


def _item(allowance: Allowance) -> limits.RateLimitItem:
    return limits.RateLimitItemPerSecond(allowance.most, allowance.seconds)


def _key(allowance: Allowance, who: tuple[str, ...]) -> str:
    """A name for the counter in which neither an address nor an e-mail can be read."""
    digest = hashlib.sha256("\0".join(who).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{allowance.name}:{digest[:32]}"


def _seconds(left: timedelta) -> int:
    return max(1, math.ceil(left.total_seconds()))
