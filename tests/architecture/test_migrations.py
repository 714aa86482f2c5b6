"""The history of the schema is one line, and ends at what the models say."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

import talkingphoto
from talkingphoto.foundation.database import Base, Database
from talkingphoto.integrations import schema
from tests.support import source
from tests.support.databases import TestServer

FOLDER = source.ROOT / "migrations"
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"


def history() -> list[Script]:
    """Every migration, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return list(ScriptDirectory.from_config(config).walk_revisions())[::-1]


def has_a_model(thing: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    """False for the tables of the queue and for the counters, which are written by SQL alone."""
    table = name if kind == "table" else getattr(thing, "table", thing).name
    return table not in {"rate_counters"} and not str(table).startswith("procrastinate_")


@pytest.fixture
def migrated(postgres: TestServer) -> Iterator[Database]:
    """An empty database on which every migration has run."""
    database = Database(postgres.create(migrated=False))
    schema.upgrade(database)
    yield database
    database.dispose()
    postgres.drop(database.url)


def test_migrations_follow_one_another_in_one_line() -> None:
    steps = history()
    assert [step.revision for step in steps] == [f"{n:04}" for n in range(1, len(steps) + 1)]
    assert [step.down_revision for step in steps] == [None, *(s.revision for s in steps[:-1])]
    assert all(step.module.__file__ for step in steps)
    files = sorted(path.name for path in (FOLDER / "versions").glob("*.py"))
    assert [name[:4] for name in files if name != "__init__.py"] == [s.revision for s in steps]


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_every_migration_waits_briefly_for_its_locks(direction: str) -> None:
    for step in history():
        tree = ast.parse(Path(step.path).read_text())
        function = next(f for f in source.functions(tree) if f.name == direction)
        first = ast.unparse(function.body[0])
        assert LOCK_TIMEOUT in first, f"{step.revision} begins with {first}"
    assert LOCK_TIMEOUT in (FOLDER / "script.py.mako").read_text()


def test_models_say_what_migrations_made(migrated: Database) -> None:
    for module in pkgutil.walk_packages(talkingphoto.__path__, "talkingphoto."):
        importlib.import_module(module.name)
    with migrated.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": has_a_model}
        )
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_o4_every_migration_can_be_taken_back_and_run_again(migrated: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["database_url"] = migrated.url
    command.downgrade(config, "base")
    assert schema.current_revision(migrated) is None
    with migrated.engine.connect() as connection:
        left = connection.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relname NOT LIKE 'alembic%%'"
            " UNION ALL SELECT proname FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace"
        ).scalars()
        assert list(left) == []
    schema.upgrade(migrated)
    assert schema.current_revision(migrated) == schema.latest_revision()
