"""The worker in a test: runs what is due now and comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from services.webhook_service import WebhookService
from talkingphoto.foundation import jobs
from tests.support.shop import Shop
from worker.tasks import table


def tasks_of(shop: Shop, *, webhooks: WebhookService | None = None) -> dict[str, jobs.Task]:
    """The table of tasks bound to the shop's services, or to other ones for webhooks."""
    own = shop.services
    return table(replace(own, webhooks=webhooks) if webhooks else own)


def run_due_jobs(shop: Shop, *, most_tries: int = 3) -> None:
    """Every job that is due has run; failed ones were tried again at once, so many times."""
    tasks = {
        name: replace(task, most_tries=most_tries, first_wait_seconds=0, cron=None)
        for name, task in tasks_of(shop).items()
    }
    app = jobs.build_app(shop.runtime.database_url, tasks, connections=5)

    async def run() -> None:
        async with app.open_async():
            for _ in range(most_tries):
                await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(run())
