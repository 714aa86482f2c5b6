"""What a page shows when it cannot be shown: our own refusal, or a number to quote to support."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from talkingphoto import runtime
from talkingphoto.foundation import errors
from ui import kit, messages

log = structlog.get_logger()


@contextmanager
def shown() -> Iterator[None]:
    """Whatever goes wrong inside is told to the reader plainly and to the operator in full."""
    try:
        yield
    except errors.AppError as refusal:
        kit.show(kit.notice(messages.of(refusal.code).text, kind="bad"))
    except Exception:
        reference = runtime.current().new_id()
        log.exception("page.failed", reference=reference)
        kit.show(
            kit.notice(
                "This page cannot be shown just now.",
                f"Reload it in a minute. If it stays so, quote {reference} to support.",
                kind="bad",
            )
        )
