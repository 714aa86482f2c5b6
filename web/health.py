"""For programs that watch: is the process alive, can it do its work, what has it counted."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from talkingphoto.foundation import errors
from talkingphoto.foundation.database import Database
from talkingphoto.integrations import schema
from web import guards, metrics

log = structlog.get_logger()
bp = Blueprint("health", __name__)

# A worker tells every few seconds that it lives; one that is silent this long runs no jobs.
_SILENT_SECONDS = 60
_SILENCE = text("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers")


@bp.get("/healthz")
@guards.anyone
def healthz() -> Response:
    """200 as long as this process answers, whatever the things behind it do."""
    return jsonify(status="ok")


@bp.get("/readyz")
@guards.anyone
def readyz() -> tuple[Response, int]:
    """200 when a request sent here can be carried out; 503 with one word why not."""
    reason = _reason_against(guards.wiring().runtime.database)
    if reason is None:
        return jsonify(status="ready"), 200
    log.warning("health.not_ready", reason=reason)
    return jsonify(status="not ready", reason=reason), 503


@bp.get("/metrics")
@guards.operator
def exposition() -> Response:
    """What was counted, and what stands open, for a program on this machine."""
    counted = metrics.exposition()
    try:
        counted += metrics.gauges(guards.wiring().reconciliation.standing())
    except SQLAlchemyError:
        # Without the database there are the counters still.
        log.warning("health.no_gauges")
    return Response(counted, content_type="text/plain; version=0.0.4; charset=utf-8")


def _reason_against(database: Database) -> str | None:
    try:
        database.check()
        revision = schema.current_revision(database)
        # A newer schema is one that a later release has brought: this code still runs on it.
        if revision is None or revision < (schema.latest_revision() or ""):
            return "migrations"
        return "worker" if _worker_is_silent(database) else None
    except (errors.Unavailable, SQLAlchemyError):
        return "database"


def _worker_is_silent(database: Database) -> bool:
    """Whether workers are known and none of them was heard of lately."""
    with database.read_only() as session:
        silent_seconds = session.scalar(_SILENCE)
    return silent_seconds is not None and silent_seconds > _SILENT_SECONDS
