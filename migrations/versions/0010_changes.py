"""Plan changes that were asked for, and the steps that brought credits."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

_STATEMENTS = (
    """
    CREATE TABLE plan_changes (
        user_id uuid NOT NULL
            CONSTRAINT fk_plan_changes_user_id REFERENCES customers (user_id),
        request_id uuid NOT NULL,
        subscription_id text NOT NULL,
        from_item text NOT NULL,
        to_item text NOT NULL,
        price_id text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_plan_changes_kind CHECK (kind IN ('now', 'period_end')),
        at timestamptz NOT NULL,
        charge_minor bigint NOT NULL CONSTRAINT ck_plan_changes_charge CHECK (charge_minor >= 0),
        currency text NOT NULL CONSTRAINT ck_plan_changes_currency CHECK (currency ~ '^[a-z]{3}$'),
        state text NOT NULL CONSTRAINT ck_plan_changes_state CHECK (
            state IN ('asked', 'waiting', 'scheduled', 'done', 'failed', 'undone')),
        invoice_id text,
        schedule_id text,
        pay_url text,
        due_at timestamptz,
        created_at timestamptz NOT NULL,
        synced_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT pk_plan_changes PRIMARY KEY (user_id, request_id),
        CONSTRAINT ck_plan_changes_items CHECK (from_item <> to_item),
        CONSTRAINT ck_plan_changes_ended
            CHECK ((ended_at IS NULL) = (state IN ('asked', 'waiting', 'scheduled'))),
        CONSTRAINT ck_plan_changes_scheduled
            CHECK (state <> 'scheduled' OR (kind = 'period_end' AND schedule_id IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX uq_plan_changes_open ON plan_changes (subscription_id)"
    " WHERE state IN ('asked', 'waiting', 'scheduled')",
    "CREATE INDEX ix_plan_changes_due_at ON plan_changes (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX ix_plan_changes_subscription_id ON plan_changes (subscription_id)",
    """
    CREATE TABLE plan_steps (
        key text NOT NULL CONSTRAINT pk_plan_steps PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_plan_steps_user_id REFERENCES customers (user_id),
        subscription_id text NOT NULL,
        invoice_id text NOT NULL,
        item text NOT NULL,
        credits integer NOT NULL CONSTRAINT ck_plan_steps_credits CHECK (credits > 0),
        price_minor bigint NOT NULL CONSTRAINT ck_plan_steps_price CHECK (price_minor >= 0),
        tax_minor bigint NOT NULL
            CONSTRAINT ck_plan_steps_tax CHECK (tax_minor BETWEEN 0 AND price_minor),
        currency text NOT NULL CONSTRAINT ck_plan_steps_currency CHECK (currency ~ '^[a-z]{3}$'),
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE duplicate_plans (
        subscription_id text NOT NULL CONSTRAINT pk_duplicate_plans PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_duplicate_plans_user_id REFERENCES customers (user_id),
        kept_id text NOT NULL,
        state text NOT NULL CONSTRAINT ck_duplicate_plans_state
            CHECK (state IN ('found', 'returned', 'dismissed')),
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT ck_duplicate_plans_other CHECK (subscription_id <> kept_id),
        CONSTRAINT ck_duplicate_plans_ended CHECK ((ended_at IS NULL) = (state = 'found'))
    )
    """,
    "CREATE INDEX ix_duplicate_plans_due_at ON duplicate_plans (due_at) WHERE state = 'found'",
    "CREATE INDEX ix_plan_steps_subscription_id ON plan_steps (subscription_id)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE duplicate_plans, plan_steps, plan_changes")
