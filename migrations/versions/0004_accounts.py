"""Signed-in browsers, what happened to an account, what was agreed to, and counters of tries."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENTS = (
    """
    CREATE TABLE sessions (
        token_hash bytea NOT NULL CONSTRAINT pk_sessions PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_sessions_user_id REFERENCES users (id),
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        user_agent text NOT NULL,
        ip_sealed bytea NOT NULL
    )
    """,
    "CREATE INDEX ix_sessions_user_id ON sessions (user_id)",
    "CREATE INDEX ix_sessions_last_seen_at ON sessions (last_seen_at)",
    """
    CREATE TABLE terms_acceptances (
        user_id uuid NOT NULL CONSTRAINT fk_terms_acceptances_user_id REFERENCES users (id),
        version text NOT NULL,
        accepted_at timestamptz NOT NULL,
        ip_sealed bytea,
        CONSTRAINT pk_terms_acceptances PRIMARY KEY (user_id, version)
    )
    """,
    """
    CREATE TABLE security_events (
        id uuid NOT NULL CONSTRAINT pk_security_events PRIMARY KEY,
        kind text NOT NULL,
        user_id uuid CONSTRAINT fk_security_events_user_id REFERENCES users (id),
        ip_sealed bytea,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_security_events_user_id_at ON security_events (user_id, at)",
    "CREATE INDEX ix_security_events_at ON security_events (at)",
    # Both records are kept; only the address may be forgotten once it is too old to hold.
    """
    CREATE FUNCTION accounts_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.ip_sealed IS NULL
            AND to_jsonb(NEW) - 'ip_sealed' = to_jsonb(OLD) - 'ip_sealed' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% is append only', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER terms_acceptances_append_only BEFORE UPDATE OR DELETE ON terms_acceptances
        FOR EACH ROW EXECUTE FUNCTION accounts_append_only()
    """,
    """
    CREATE TRIGGER terms_acceptances_never_emptied BEFORE TRUNCATE ON terms_acceptances
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_append_only()
    """,
    """
    CREATE TRIGGER security_events_append_only BEFORE UPDATE OR DELETE ON security_events
        FOR EACH ROW EXECUTE FUNCTION accounts_append_only()
    """,
    """
    CREATE TRIGGER security_events_never_emptied BEFORE TRUNCATE ON security_events
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_append_only()
    """,
    # Unlogged: a crash of the server may forget tries, and counting them costs no disk write.
    """
    CREATE UNLOGGED TABLE rate_counters (
        key text NOT NULL CONSTRAINT pk_rate_counters PRIMARY KEY,
        tries integer NOT NULL,
        resets_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_rate_counters_resets_at ON rate_counters (resets_at)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE rate_counters, security_events, terms_acceptances, sessions")
    op.execute("DROP FUNCTION accounts_append_only()")
