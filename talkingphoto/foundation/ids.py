"""Where ids come from: the caller of an intent makes its id, so a retry is the same request."""

from __future__ import annotations

import uuid
from collections.abc import Callable

Ids = Callable[[], str]


def random_id() -> str:
    """A new random UUID as text."""
    return str(uuid.uuid4())


def is_uuid(text: str) -> bool:
    """True when the text is a UUID in its usual form of 36 characters."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
