"""Logs are events with ids, one JSON object a line; secrets are cut out before they are written."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

_SECRETS = re.compile(
    r"\b(?:sk|rk|pk)_(?:test|live)_[A-Za-z0-9]+|whsec_[A-Za-z0-9+/=_]+|"
    r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def configure(*, level: str) -> None:
    """Log lines of this process go to standard error as JSON from that level on."""
    threshold = _LEVELS.get(level, logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables: they hold passwords and tokens.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_logger: Any, _method: str, event: Any) -> Any:
    """The event with keys, signing secrets and passwords in addresses replaced by stars."""
    if isinstance(event, str):
        return _SECRETS.sub("***", event)
    if isinstance(event, dict):
        return {name: redact(None, "", value) for name, value in event.items()}
    if isinstance(event, list | tuple):
        return [redact(None, "", value) for value in event]
    return event
