"""Webhooks: verify, store once, and process one stored event to its end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session

from talkingphoto import runtime as runtimes
from talkingphoto.events import inbox
from talkingphoto.events.handling import Handler, Known, is_ours, look_at
from talkingphoto.events.table import HANDLERS, KNOWN
from talkingphoto.foundation import errors
from talkingphoto.workflows import receiving

if TYPE_CHECKING:
    from flask import Flask

log = structlog.get_logger()
ENDPOINT_PATH = "/webhook/stripe"


class WebhookService:
    """The way in for Stripe's events."""

    def __init__(
        self,
        runtime: runtimes.Runtime,
        *,
        handlers: Mapping[str, Handler] = HANDLERS,
        known: Mapping[str, Known] = KNOWN,
    ) -> None:
        self.runtime = runtime
        self._handlers = handlers
        self._known = known

    def receive(self, raw: bytes, signature: str) -> inbox.StripeEvent:
        """The event is stored and a worker will be woken, once however often it is delivered;
        InvalidRequest, with nothing stored, for anything Stripe did not sign."""
        self.runtime.gateway.verify(raw, signature, now=self.runtime.wall_clock())
        event = inbox.parse(raw)
        if event.livemode != self.runtime.settings.livemode:
            raise errors.InvalidRequest(
                "webhook.livemode", "The event and the key are not of the same mode."
            )
        with self.runtime.transaction() as session:
            receiving.store(session, event=event, raw=raw, now=self.runtime.wall_clock())
        return event

    def process(self, event_id: str) -> None:
        """The event's effects and its completion are committed together, once."""
        with self.runtime.read_only() as session:
            event = inbox.unprocessed(session, event_id=event_id)
            ours = event is not None and is_ours(session, event)
            known = ours and event is not None and self._is_known(session, event)
        if event is None:
            return  # done by another worker, or by an earlier run of this job
        # Of other customers on the same Stripe account nothing is looked at: it may have any shape.
        handler = self._handlers.get(event.type) if ours and not known else None
        write = handler(look_at(self.runtime), event) if handler else None
        with self.runtime.transaction() as session:
            # The guard comes first: a late worker must change nothing, not even the same again.
            result: inbox.Result = "done" if known or write is not None else "ignored"
            now = self.runtime.wall_clock()
            if not inbox.complete(session, event_id=event_id, result=result, now=now):
                return
            if write is not None:
                write(session)
        log.info("webhook.processed", event_id=event_id, type=event.type, result=result)

    def _is_known(self, session: Session, event: inbox.StripeEvent) -> bool:
        known = self._known.get(event.type)
        return known is not None and known(session, event)

    def bury(self, event_id: str, *, error: str) -> None:
        """The event is a dead letter, and the log says so as an alert."""
        with self.runtime.transaction() as session:
            receiving.bury(session, event_id=event_id, error=error, now=self.runtime.wall_clock())

    def sync_endpoint(self) -> str:
        """Stripe delivers our events to WEB_URL/webhook/stripe; a line saying what was done."""
        url = f"{self.runtime.settings.web_url}{ENDPOINT_PATH}"
        endpoint_id, secret = self.runtime.gateway.ensure_endpoint(
            url=url, event_types=tuple(HANDLERS)
        )
        if secret is None:
            return f"{endpoint_id}: {len(HANDLERS)} events to {url}"
        return (
            f"{endpoint_id}: made for {url}. Set STRIPE_WEBHOOK_SECRET={secret} and restart; "
            "it is shown this once."
        )


webhook_service = WebhookService(runtimes.current())

_lock = threading.Lock()
_app: Flask | None = None


def create_webhook_app() -> Flask:
    """This process's web application, with a worker in a thread unless WORKER=external."""
    # The one upward import, inside the function: the guide names this module as the factory.
    from web.app import create_app

    global _app
    with _lock:
        if _app is None:
            _app = create_app(runtimes.current())
        return _app


if __name__ == "__main__":
    create_webhook_app().run(host="0.0.0.0")  # noqa: S104
