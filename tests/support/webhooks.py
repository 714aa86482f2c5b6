"""Events that a test makes up, and what became of those that arrived."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from services.webhook_service import WebhookService
from talkingphoto.runtime import Runtime
from tests.support.proxy import Proxy
from tests.support.sandbox import Event
from tests.support.shop import Shop


def made_up_event(kind: str, subject: dict[str, Any]) -> Event:
    """A well-formed event that the sandbox never sent."""
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": kind,
        "data": {"object": json.loads(json.dumps(subject))},
    }


def services_through(shop: Shop, proxy: Proxy) -> WebhookService:
    """The webhook service reaching Stripe by another way."""
    settings = shop.runtime.settings.model_copy(update={"stripe_api_base": proxy.base})
    return WebhookService(Runtime(settings, clock=shop.clock))


def results(shop: Shop, events: Iterable[Event]) -> set[str | None]:
    """How these events ended; None among them for one that still waits."""
    query = text("SELECT result FROM stripe_events WHERE id = ANY(:ids)")
    ids = [event["id"] for event in events]
    with shop.runtime.read_only() as session:
        found = session.scalars(query, {"ids": ids}).all()
    assert len(found) == len(ids), "every event is stored"
    return set(found)
