"""Who works here: customers, support and admins; and what staff did, written once."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_STATEMENTS = (
    """
    ALTER TABLE users ADD COLUMN role text NOT NULL DEFAULT 'customer'
        CONSTRAINT ck_users_role CHECK (role IN ('customer', 'support', 'admin'))
    """,
    """
    CREATE TABLE staff_actions (
        id uuid NOT NULL CONSTRAINT pk_staff_actions PRIMARY KEY,
        staff_id text NOT NULL,
        action text NOT NULL,
        about text NOT NULL,
        reason text NOT NULL CONSTRAINT ck_staff_actions_reason
            CHECK (char_length(reason) <= 500),
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_staff_actions_at ON staff_actions (at)",
    "CREATE INDEX ix_staff_actions_about ON staff_actions (about)",
    """
    CREATE FUNCTION staff_actions_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON staff_actions
        FOR EACH STATEMENT EXECUTE FUNCTION staff_actions_append_only()
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE staff_actions")
    op.execute("DROP FUNCTION staff_actions_append_only()")
    op.execute("ALTER TABLE users DROP COLUMN role")
