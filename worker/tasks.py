"""Task name → service verb."""

from __future__ import annotations

from services.payment_service import payment_service
from services.webhook_service import webhook_service
from talkingphoto.accounts import mails
from talkingphoto.events import inbox
from talkingphoto.foundation.jobs import Task


def _run_due_work() -> None:
    payment_service.run_due_work()


TASKS = {
    task.name: task
    for task in (
        Task(
            name=inbox.TASK,
            queue=inbox.QUEUE,
            verb=webhook_service.process,
            gave_up=webhook_service.bury,
        ),
        Task(name=mails.RECEIPT_TASK, queue=mails.QUEUE, verb=payment_service.send_receipt),
        Task(name="sweep.minute", queue="sweeps", verb=_run_due_work, cron="* * * * *"),
    )
}
