"""What was looked at for card data, and the events that were tracked."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENTS = (
    # The user is text: whoever asks names somebody, and no account of that name need exist.
    """
    CREATE TABLE card_data_checks (
        id uuid NOT NULL CONSTRAINT pk_card_data_checks PRIMARY KEY,
        at timestamptz NOT NULL,
        user_id text,
        operation text NOT NULL,
        compliant boolean NOT NULL,
        fields jsonb NOT NULL,
        CONSTRAINT ck_card_data_checks_verdict CHECK (compliant = (fields = '[]'::jsonb))
    )
    """,
    "CREATE INDEX ix_card_data_checks_at ON card_data_checks (at)",
    """
    CREATE FUNCTION card_data_checks_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER card_data_checks_append_only BEFORE UPDATE OR DELETE ON card_data_checks
        FOR EACH ROW EXECUTE FUNCTION card_data_checks_append_only()
    """,
    """
    CREATE TRIGGER card_data_checks_never_emptied BEFORE TRUNCATE ON card_data_checks
        FOR EACH STATEMENT EXECUTE FUNCTION card_data_checks_append_only()
    """,
    """
    CREATE TABLE tracked_events (
        id uuid NOT NULL CONSTRAINT pk_tracked_events PRIMARY KEY,
        key text CONSTRAINT uq_tracked_events_key UNIQUE,
        name text NOT NULL,
        at timestamptz NOT NULL,
        amount_minor bigint CONSTRAINT ck_tracked_events_amount CHECK (amount_minor >= 0),
        currency text,
        tier text,
        customer_hash bytea,
        properties jsonb NOT NULL,
        CONSTRAINT ck_tracked_events_money CHECK (amount_minor IS NULL OR currency IS NOT NULL)
    )
    """,
    "CREATE INDEX ix_tracked_events_name_at ON tracked_events (name, at)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE tracked_events, card_data_checks")
    op.execute("DROP FUNCTION card_data_checks_append_only()")
