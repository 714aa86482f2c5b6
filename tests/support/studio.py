"""The studio in a test: people with credits who ask for videos, and workers that make them."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from services.auth_service import AuthService
from services.generation_service import GenerationService, Order, VideoView
from talkingphoto.billing import catalog, ledger, subscriptions
from talkingphoto.generations import queue
from talkingphoto.generations.tables import GenerationRow
from talkingphoto.rendering import carrying
from talkingphoto.runtime import Runtime
from tests.support import proving
from tests.support.clock import TestClock
from tests.support.pocket_engine import PocketEngine, portrait

WORDS = "Good morning. This is a short text."


class Studio:
    """The verbs of videos over one database, with an engine that fits in a pocket."""

    def __init__(
        self, runtime: Runtime, clock: TestClock, engine: PocketEngine, *, folder: Path
    ) -> None:
        runtime.settings = runtime.settings.model_copy(update={"data": folder})
        self.runtime = runtime
        self.clock = clock
        self.engine = engine
        runtime.engine = engine
        self.videos = GenerationService(runtime)
        self._auth = AuthService(runtime)

    def close(self) -> None:
        """Nothing is unfinished or waits any more, and nobody is connected."""
        self.clock.advance(days=2)
        self.videos.sweep()
        self.takes_all_jobs()
        self.runtime.database.dispose()

    def environment(self) -> dict[str, str]:
        """What makes a process the same product, and the same place for files."""
        return {
            **os.environ,
            "DATABASE_URL": self.runtime.database_url,
            "TALKINGPHOTO_DATA": str(self.runtime.settings.data),
            "WORKER": "external",
        }

    def a_person(self, *, packs: int = 0, plan: str | None = None) -> str:
        """Somebody with the three free credits, so many bought ones, and perhaps a plan."""
        user_id = self._auth.register(
            email=f"{uuid.uuid4()}@example.com",
            password="a sentence that nobody else uses",
            terms_accepted=True,
            ip=str(uuid.uuid4()),
            user_agent="test",
        ).user.id
        proving.prove(self.runtime, user_id)
        if packs:
            self.grant(user_id, packs, source="pack")
        if plan:
            self.subscribe(user_id, plan)
        return user_id

    def grant(self, user_id: str, credits: int, **chosen: Any) -> ledger.Lot:
        """A lot more."""
        with self.runtime.transaction() as session:
            lot = ledger.NewLot(
                key=f"test:{uuid.uuid4()}", user_id=user_id, credits=credits, **chosen
            )
            return ledger.grant(session, lot, now=self.clock.now)

    def subscribe(self, user_id: str, plan: str, *, status: str = "active") -> None:
        """The plan is the customer's, or has that status now."""
        now = self.clock.now
        price_id = f"price_{plan}"
        item = subscriptions.SubscribedItem(price_id, now, now + timedelta(days=30))
        facts = subscriptions.SubscriptionFacts(
            id=f"sub_{user_id}",
            customer_id=None,
            items=(item,),
            status=status,
            cancel_at_period_end=False,
            started_at=now,
            ended_at=None if status == "active" else now,
        )
        with self.runtime.transaction() as session:
            catalog.record_price(
                session,
                item_key=f"{plan}:month",
                price_id=price_id,
                product_id=f"prod_{plan}",
                looked_at=now,
            )
            # A later look than any before it.
            looked_at = self.runtime.wall_clock()
            subscriptions.record(session, user_id=user_id, facts=facts, looked_at=looked_at)

    def order(self, user_id: str, **chosen: Any) -> Order:
        """An order that can be made, but for what is chosen."""
        usual: dict[str, Any] = {
            "request_id": str(uuid.uuid4()),
            "photo": portrait(),
            "text": WORDS,
            "voice": "pocket-one",
            "tier": "540p",
            "consent": True,
            "ip": "192.0.2.7",
        }
        return Order(user_id=user_id, **(usual | chosen))

    def asks(self, user_id: str, **chosen: Any) -> VideoView:
        """The person has asked for a video."""
        return self.videos.start(self.order(user_id, **chosen))

    def makes(self, user_id: str, **chosen: Any) -> VideoView:
        """The person has asked for a video and a worker has made it."""
        made = self.asks(user_id, **chosen)
        self.videos.run()
        return self.look(user_id, made.id)

    def look(self, user_id: str, generation_id: str) -> VideoView:
        """The video as its owner sees it."""
        return self.videos.video(user_id=user_id, generation_id=generation_id)

    def balance(self, user_id: str) -> ledger.Balance:
        """What the person has."""
        with self.runtime.read_only() as session:
            return ledger.balance(session, user_id=user_id, now=self.clock.now)

    def credits(self, user_id: str) -> tuple[int, int]:
        """What the person can spend, and what is held."""
        found = self.balance(user_id)
        return found.available, found.held

    def differences(self) -> tuple[ledger.Difference, ...]:
        """What is wrong with the ledger."""
        with self.runtime.read_only() as session:
            return ledger.check(session)

    def change(self, generation_id: str, **values: Any) -> None:
        """The row of the video holds these values, as if other things had happened."""
        with self.runtime.transaction() as session:
            session.execute(
                update(GenerationRow)
                .where(GenerationRow.id == UUID(generation_id))
                .values(**values)
            )

    def row(self, generation_id: str) -> Any:
        """All columns of the video."""
        query = select(GenerationRow.__table__).where(GenerationRow.id == UUID(generation_id))
        with self.runtime.read_only() as session:
            return session.execute(query).one()

    def claim(self) -> queue.Claim:
        """A worker has taken the video whose turn it is."""
        with self.runtime.transaction() as session:
            wall = self.runtime.wall_clock()
            claim = queue.claim(session, now=self.clock.now, wall=wall, machine=None)
        assert claim is not None
        return claim

    def states(self, asked: list[str]) -> list[str]:
        """The states of these videos at one moment."""
        query = select(GenerationRow.state).where(GenerationRow.id.in_([UUID(of) for of in asked]))
        with self.runtime.read_only() as session:
            return list(session.scalars(query))

    def claims_nothing(self) -> bool:
        """Whether a worker finds nothing to take."""
        with self.runtime.transaction() as session:
            wall = self.runtime.wall_clock()
            return queue.claim(session, now=self.clock.now, wall=wall, machine=None) is None

    def claims_as_of(self, wall: datetime) -> None:
        """A worker that took the video at that moment looks at it now, for the first time."""
        self.hurry_all()
        with self.runtime.transaction() as session:
            claim = queue.claim(session, now=self.clock.now, wall=wall, machine=None)
        assert claim is not None
        outcome = carrying.carry(self.runtime, claim)
        assert outcome is not None
        assert self.videos.finish(claim, outcome)

    def hurry(self, generation_id: str) -> None:
        """The time until its next attempt is over."""
        self.change(generation_id, not_before=self.runtime.wall_clock())

    def hurry_all(self) -> None:
        """Whatever waits may have been taken long ago."""
        with self.runtime.transaction() as session:
            session.execute(
                update(GenerationRow).values(not_before=datetime(2000, 1, 1, tzinfo=UTC))
            )

    def expire(self) -> int:
        """The ledger's own sweep has run: how much it ended."""
        with self.runtime.transaction() as session:
            return ledger.expire(session, now=self.clock.now)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A worker is at it in another thread, and has ended after the block."""
        worker = threading.Thread(target=self.videos.run)
        worker.start()
        try:
            yield
        finally:
            worker.join(timeout=20)
            assert not worker.is_alive()

    @staticmethod
    def until(true: Callable[[], bool], *, seconds: float = 10) -> None:
        """It has become true within so many seconds."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def let_lapse(self) -> None:
        """Whoever makes a video was silent for too long."""
        past = self.runtime.wall_clock() - timedelta(seconds=1)
        with self.runtime.transaction() as session:
            session.execute(
                update(GenerationRow)
                .where(GenerationRow.state == "rendering")
                .values(alive_until=past)
            )

    def stored(self) -> set[str]:
        """The keys of everything that is stored."""
        return {found.key for found in self.runtime.storage.stored()}

    def done_tasks(self) -> set[str]:
        """The tasks of which a job has run."""
        query = text("SELECT task_name FROM procrastinate_jobs WHERE status = 'succeeded'")
        with self.runtime.read_only() as session:
            return set(session.scalars(query))

    def takes_all_jobs(self) -> None:
        """Workers have taken all jobs that waited."""
        with self.runtime.transaction() as session:
            session.execute(text("DELETE FROM procrastinate_jobs"))

    def waiting_jobs(self, task: str) -> list[Any]:
        """The waiting jobs of that task, the soonest first."""
        query = text(
            "SELECT args, queueing_lock, scheduled_at, queue_name FROM procrastinate_jobs"
            " WHERE task_name = :task AND status = 'todo' ORDER BY scheduled_at NULLS FIRST, id"
        )
        with self.runtime.read_only() as session:
            return list(session.execute(query, {"task": task}))
