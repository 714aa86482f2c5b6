"""Task name → service verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from services.mail_service import MailService
from services.reconciliation_service import ReconciliationService
from talkingphoto import runtime as runtimes
from talkingphoto.accounts import mails
from talkingphoto.billing import refunds, top_ups
from talkingphoto.events import inbox, plans, trying
from talkingphoto.foundation.jobs import Task
from talkingphoto.generations import queue as videos
from worker.bundle import Services, services_of

log = structlog.get_logger()


def table(services: Services) -> dict[str, Task]:
    """Every task that a worker runs, bound to these services."""
    tasks = (
        Task(
            inbox.TASK,
            services.webhooks.process,
            queue=inbox.QUEUE,
            gave_up=services.webhooks.bury,
        ),
        Task(refunds.TASK, services.refunds.make, queue=refunds.QUEUE),
        Task(top_ups.TASK, services.wallets.top_up, queue=top_ups.QUEUE),
        *_mail(services.letters),
        *_videos(services),
        # The sweep takes up what it leaves undone.
        Task(
            plans.DUPLICATE_TASK,
            services.changes.give_back_duplicate,
            queue=plans.DUPLICATE_QUEUE,
            most_tries=1,
        ),
        Task(trying.REFUSE_TASK, services.plans.refuse_trial),
        *_sweeps(services),
        *_reconciling(services.reconciliation),
    )
    return {task.name: task for task in tasks}


def _videos(services: Services) -> tuple[Task, ...]:
    generations = services.generations
    return (
        # What a job leaves undone the row of the video says, so a failed one needs no last word;
        # nor another try, since each wakes the next, or else the sweep does.
        Task(
            videos.WAKE_TASK,
            generations.run,
            queue=videos.QUEUE,
            most_tries=1,
            most_tries_in_an_outage=1,
        ),
        Task(videos.LOOK_TASK, generations.look, queue=videos.QUEUE),
        Task("video.tidy", generations.tidy, queue="sweeps", most_tries=1, cron="17 * * * *"),
    )


def _sweeps(services: Services) -> tuple[Task, ...]:
    parts: dict[str, Callable[[], object]] = {
        "payments": services.payments.run_due_work,
        "changes": services.changes.sweep,
        "refunds": services.refunds.sweep,
        "plans": services.plans.run_due_work,
        "wallets": services.wallets.run_due_work,
        "invoices": services.invoices.run_due_work,
        "prices": services.prices.run_due_work,
        "accounts": services.reconciliation.run_due_work,
        "videos": services.generations.sweep,
        "sessions": services.auth.forget_past,
    }

    def run_due_work() -> None:
        _each(parts)

    return (
        # Alone: after a clock that follows the sandbox has skipped much, one may take minutes.
        Task("sweep.minute", run_due_work, queue="sweeps", cron="* * * * *", alone=True),
        # Reads every entry; the next one is as good as another try.
        Task(
            "ledger.check",
            services.payments.check_ledger,
            queue="sweeps",
            most_tries=1,
            cron="*/5 * * * *",
        ),
    )


def _each(parts: Mapping[str, Callable[[], object]]) -> None:
    """Every part had its turn; the first failure is raised when all had."""
    failed: list[Exception] = []
    for name, part in parts.items():
        try:
            part()
        except Exception as fault:  # noqa: BLE001 - raised below, when the others had their turn
            log.error("alert.sweep", part=name, error=type(fault).__name__)
            failed.append(fault)
    if failed:
        raise failed[0]


def _mail(letters: MailService) -> tuple[Task, ...]:
    sent = Task(
        mails.TASK,
        letters.send,
        queue=mails.QUEUE,
        # Seventeen hours of tries: a mail server may be away for a day's work.
        most_tries_in_an_outage=28,
        gave_up=letters.bury,
    )
    old = replace(
        sent,
        name=mails.OLD_RECEIPT_TASK,
        verb=letters.send_old_receipt,
        gave_up=letters.bury_old_receipt,
    )
    # Looks at Stripe for each: what it cannot see now it sees an hour later.
    coming = Task(
        "mail.renewals", letters.announce_renewals, queue="sweeps", most_tries=1, cron="7 * * * *"
    )
    return sent, old, coming


def _reconciling(service: ReconciliationService) -> tuple[Task, ...]:
    def pull_missed() -> None:
        service.pull_missed()

    def compare() -> None:
        service.compare()

    # Both go on where they were broken off, the first one by itself in a while.
    return (
        Task(
            "stripe.pull",
            pull_missed,
            queue="sweeps",
            most_tries=1,
            most_tries_in_an_outage=1,
            cron="*/15 * * * *",
            alone=True,
        ),
        Task("stripe.compare", compare, queue="sweeps", cron="40 3 * * *", alone=True),
    )


TASKS = table(services_of(runtimes.current()))
