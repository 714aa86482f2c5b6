"""What Stripe and we disagree about, and what became of it."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

_STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE users ADD COLUMN deleted_at timestamptz",
    """
    CREATE TABLE account_closings (
        user_id uuid NOT NULL CONSTRAINT pk_account_closings PRIMARY KEY
            CONSTRAINT fk_account_closings_user_id REFERENCES customers (user_id),
        asked integer NOT NULL CONSTRAINT ck_account_closings_asked CHECK (asked > 0),
        due_at timestamptz NOT NULL,
        done_at timestamptz
    )
    """,
    "CREATE INDEX ix_account_closings_due_at ON account_closings (due_at) WHERE done_at IS NULL",
    """
    CREATE TABLE returned_payments (
        payment_id text NOT NULL CONSTRAINT pk_returned_payments PRIMARY KEY
            CONSTRAINT fk_returned_payments_payment_id REFERENCES payments (id),
        user_id uuid NOT NULL
            CONSTRAINT fk_returned_payments_user_id REFERENCES customers (user_id),
        payment_intent_id text NOT NULL,
        amount_minor bigint NOT NULL
            CONSTRAINT ck_returned_payments_amount CHECK (amount_minor > 0),
        currency text NOT NULL,
        state text NOT NULL CONSTRAINT ck_returned_payments_state
            CHECK (state IN ('owed', 'returned', 'failed')),
        created_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        done_at timestamptz,
        CONSTRAINT ck_returned_payments_done CHECK ((state = 'owed') = (done_at IS NULL))
    )
    """,
    "CREATE INDEX ix_returned_payments_due_at ON returned_payments (due_at) WHERE state = 'owed'",
    """
    CREATE TABLE event_pulls (
        name text NOT NULL CONSTRAINT pk_event_pulls PRIMARY KEY,
        looked_until timestamptz,
        began_at timestamptz,
        after text,
        CONSTRAINT ck_event_pulls_after CHECK (after IS NULL OR began_at IS NOT NULL)
    )
    """,
    "CREATE INDEX ix_stripe_events_received_at ON stripe_events (received_at)",
    "CREATE INDEX ix_stripe_events_dead ON stripe_events (received_at) WHERE result = 'dead'",
    """
    CREATE TABLE event_conflicts (
        event_id text NOT NULL CONSTRAINT fk_event_conflicts_event_id
            REFERENCES stripe_events (id),
        payload_sha256 text NOT NULL,
        payload text NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT pk_event_conflicts PRIMARY KEY (event_id, payload_sha256)
    )
    """,
    """
    CREATE TABLE comparisons (
        id uuid NOT NULL CONSTRAINT pk_comparisons PRIMARY KEY,
        at timestamptz NOT NULL,
        since timestamptz NOT NULL,
        until timestamptz NOT NULL,
        kind text,
        after text,
        looked integer NOT NULL,
        differences integer NOT NULL,
        healed integer NOT NULL,
        finished_at timestamptz,
        CONSTRAINT ck_comparisons_window CHECK (since < until),
        CONSTRAINT ck_comparisons_finished CHECK (finished_at IS NULL OR kind IS NULL)
    )
    """,
    "CREATE UNIQUE INDEX uq_comparisons_running ON comparisons ((true)) WHERE finished_at IS NULL",
    "CREATE INDEX ix_comparisons_at ON comparisons (at)",
    """
    CREATE TABLE seen_objects (
        run_id uuid NOT NULL CONSTRAINT fk_seen_objects_run_id REFERENCES comparisons (id),
        kind text NOT NULL,
        object_id text NOT NULL,
        customer_id text,
        user_id text,
        reference text,
        status text NOT NULL,
        amount_minor bigint,
        currency text,
        price_id text,
        period_end timestamptz,
        grants text[] NOT NULL,
        created_at timestamptz NOT NULL,
        looked_at timestamptz NOT NULL,
        CONSTRAINT pk_seen_objects PRIMARY KEY (run_id, kind, object_id)
    )
    """,
    "CREATE INDEX ix_seen_objects_run_id_reference ON seen_objects (run_id, reference)",
    """
    CREATE TABLE differences (
        id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT pk_differences PRIMARY KEY,
        run_id uuid CONSTRAINT fk_differences_run_id REFERENCES comparisons (id),
        kind text NOT NULL CONSTRAINT ck_differences_kind CHECK (kind IN
            ('customer', 'subscription', 'invoice', 'payment', 'refund', 'dispute', 'event')),
        class text NOT NULL CONSTRAINT ck_differences_class CHECK (class IN
            ('missing_here', 'missing_there', 'status', 'amount', 'period', 'item', 'owner',
             'grant_missing', 'grant_extra', 'conflict', 'dead')),
        object_id text NOT NULL,
        user_id uuid CONSTRAINT fk_differences_user_id REFERENCES users (id),
        ours text NOT NULL,
        theirs text NOT NULL,
        heals boolean NOT NULL,
        object_at timestamptz NOT NULL,
        since timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        state text NOT NULL CONSTRAINT ck_differences_state
            CHECK (state IN ('open', 'healed', 'ignored', 'alerted')),
        closed_at timestamptz,
        CONSTRAINT ck_differences_closed
            CHECK ((closed_at IS NULL) = (state IN ('open', 'alerted')))
    )
    """,
    "CREATE UNIQUE INDEX uq_differences_open ON differences (kind, class, object_id)"
    " WHERE closed_at IS NULL",
    "CREATE INDEX ix_differences_since ON differences (since)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP INDEX ix_stripe_events_dead, ix_stripe_events_received_at")
    op.execute(
        "DROP TABLE differences, seen_objects, comparisons, event_conflicts, event_pulls,"
        " returned_payments, account_closings"
    )
    op.execute("ALTER TABLE users DROP COLUMN deleted_at")
