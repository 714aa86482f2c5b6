"""The schema comes to this code's version, once, whoever asks and in whatever order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from talkingphoto.foundation.database import Database
from talkingphoto.integrations import schema
from tests.support.databases import TestServer


def test_eight_starts_at_once_migrate_an_empty_database_once(postgres: TestServer) -> None:
    url = postgres.create(migrated=False)
    databases = [Database(url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(schema.upgrade_if_behind, databases))
    assert schema.current_revision(databases[0]) == schema.latest_revision()
    assert schema.upgrade_if_behind(databases[0]) is False
    for database in databases:
        database.dispose()
    postgres.drop(url)


def test_o4_a_schema_newer_than_the_code_is_left_alone(postgres: TestServer) -> None:
    with postgres.database() as url:
        database = Database(url)
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert schema.upgrade_if_behind(database) is False
        assert schema.current_revision(database) == "9999"
        database.dispose()
