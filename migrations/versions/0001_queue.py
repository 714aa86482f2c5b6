"""The job queue: procrastinate's own tables and functions, and a word to who waits for a lock."""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None

# Procrastinate tells its workers of new jobs only. One that waits for a lock would be found by the
# next poll, so a customer's ten events would take ten polls.
_LOCK_FREED = (
    """
    CREATE FUNCTION queue_lock_freed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        word text := json_build_object('type', 'job_inserted', 'job_id', NEW.id);
    BEGIN
        PERFORM pg_notify('procrastinate_queue_v1#' || waiting.queue_name, word),
                pg_notify('procrastinate_any_queue_v1', word)
            FROM (
                SELECT queue_name FROM procrastinate_jobs
                WHERE lock = NEW.lock AND status = 'todo'
                ORDER BY priority DESC, id LIMIT 1
            ) AS waiting;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER queue_lock_freed AFTER UPDATE OF status ON procrastinate_jobs
        FOR EACH ROW WHEN (old.status = 'doing' AND new.status <> 'doing' AND new.lock IS NOT NULL)
        EXECUTE FUNCTION queue_lock_freed()
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Straight to the driver: the file holds several statements and literal per cent signs.
    op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())
    for statement in _LOCK_FREED:
        op.execute(statement)


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
            DROP FUNCTION queue_lock_freed;
        END $$
        """
    )
