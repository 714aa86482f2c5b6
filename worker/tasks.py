"""Task name → service verb."""

from __future__ import annotations

from dataclasses import replace

from services.auth_service import AuthService, auth_service
from services.generation_service import GenerationService, generation_service
from services.mail_service import MailService, mail_service
from services.payment_service import PaymentService, payment_service
from services.price_service import PriceService
from services.subscription_service import SubscriptionService
from services.webhook_service import WebhookService, webhook_service
from talkingphoto.accounts import mails
from talkingphoto.events import inbox, trying
from talkingphoto.foundation.jobs import Task
from talkingphoto.generations import queue as videos


def table(
    payments: PaymentService,
    webhooks: WebhookService,
    auth: AuthService,
    generations: GenerationService,
    letters: MailService,
) -> dict[str, Task]:
    """Every task that a worker runs, bound to these services."""
    plans = SubscriptionService(payments.runtime)
    prices = PriceService(payments.runtime)

    def run_due_work() -> None:
        payments.run_due_work()
        plans.run_due_work()
        prices.run_due_work()
        generations.sweep()
        auth.forget_past()

    tasks = (
        Task(inbox.TASK, webhooks.process, queue=inbox.QUEUE, gave_up=webhooks.bury),
        *_mail(letters),
        Task(trying.REFUSE_TASK, plans.refuse_trial),
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
        # Alone: after a clock that follows the sandbox has skipped much, one may take minutes.
        Task("sweep.minute", run_due_work, queue="sweeps", cron="* * * * *", alone=True),
        # Reads every entry; the next one is as good as another try.
        Task(
            "ledger.check", payments.check_ledger, queue="sweeps", most_tries=1, cron="*/5 * * * *"
        ),
    )
    return {task.name: task for task in tasks}


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
    return sent, old


TASKS = table(payment_service, webhook_service, auth_service, generation_service, mail_service)
