"""The job queue: procrastinate's own tables and functions."""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Straight to the driver: the file holds several statements and literal per cent signs.
    op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        DO $$
        DECLARE thing record;
        BEGIN
            DROP TABLE procrastinate_periodic_defers, procrastinate_events,
                procrastinate_jobs, procrastinate_workers CASCADE;
            FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p
                WHERE p.proname LIKE 'procrastinate%' LOOP
                EXECUTE 'DROP FUNCTION ' || thing.name || ' CASCADE';
            END LOOP;
            FOR thing IN SELECT t.typname AS name FROM pg_type t
                WHERE t.typname LIKE 'procrastinate%' AND t.typtype IN ('e', 'c') LOOP
                EXECUTE 'DROP TYPE IF EXISTS ' || thing.name || ' CASCADE';
            END LOOP;
        END $$
        """
    )
