"""The database's schema: brought to this code's version under a lock, by one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from talkingphoto.foundation.database import Database

_FOLDER = Path(__file__).resolve().parents[2] / "migrations"
# Any fixed number: every process of ours asks for the same advisory lock.
_LOCK = 7_316_200


def upgrade_if_behind(database: Database) -> bool:
    """The schema is this code's or newer; True when migrations ran. One cheap query when not.

    A newer one is left alone: during a deployment the code before it still serves."""
    current = current_revision(database)
    if current == latest_revision() or (current is not None and not _is_known(current)):
        return False
    upgrade(database)
    return True


def upgrade(database: Database) -> None:
    """Every pending migration has run; processes that start together wait for the first."""
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        try:
            config = _config()
            config.attributes["database_url"] = database.url
            command.upgrade(config, "head")
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


def current_revision(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def latest_revision() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _is_known(revision: str) -> bool:
    script = ScriptDirectory.from_config(_config())
    return any(step.revision == revision for step in script.walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
