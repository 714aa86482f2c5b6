"""Cancelled and paused plans, trials, offers and codes."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

_STATEMENTS: tuple[str, ...] = (
    """
    ALTER TABLE subscriptions
        ADD COLUMN price_id text,
        ADD COLUMN price_minor bigint
            CONSTRAINT ck_subscriptions_price CHECK (price_minor >= 0),
        ADD COLUMN currency text
            CONSTRAINT ck_subscriptions_currency CHECK (currency ~ '^[a-z]{3}$'),
        ADD COLUMN is_paused boolean NOT NULL DEFAULT false,
        ADD COLUMN pauses_at timestamptz,
        ADD COLUMN resumes_at timestamptz,
        ADD COLUMN trial_ends_at timestamptz,
        ADD COLUMN discount text NOT NULL DEFAULT '',
        ADD COLUMN discount_ends_at timestamptz
    """,
    """
    CREATE TABLE cancellations (
        user_id uuid NOT NULL
            CONSTRAINT fk_cancellations_user_id REFERENCES customers (user_id),
        request_id uuid NOT NULL,
        subscription_id text NOT NULL,
        state text NOT NULL CONSTRAINT ck_cancellations_state CHECK (state IN (
            'asked', 'scheduled', 'resuming', 'resumed', 'ended', 'offered', 'kept')),
        at_once boolean NOT NULL,
        reason text NOT NULL CONSTRAINT ck_cancellations_reason CHECK (reason IN (
            '', 'too_expensive', 'unused', 'missing_features', 'low_quality', 'too_complex',
            'switched_service', 'customer_service', 'other')),
        comment text NOT NULL
            CONSTRAINT ck_cancellations_comment CHECK (char_length(comment) <= 500),
        offer_shown text CONSTRAINT ck_cancellations_offer_shown
            CHECK (offer_shown IN ('pause', 'discount', 'downgrade')),
        offer_accepted text CONSTRAINT ck_cancellations_offer_accepted
            CHECK (offer_accepted IN ('pause', 'discount', 'downgrade')),
        ends_at timestamptz NOT NULL,
        asked_at timestamptz NOT NULL,
        resumed_at timestamptz,
        ended_at timestamptz,
        synced_at timestamptz,
        CONSTRAINT pk_cancellations PRIMARY KEY (user_id, request_id),
        CONSTRAINT ck_cancellations_kept
            CHECK (state NOT IN ('offered', 'kept') OR offer_accepted IS NOT NULL)
    )
    """,
    "CREATE UNIQUE INDEX uq_cancellations_open ON cancellations (subscription_id)"
    " WHERE state IN ('asked', 'scheduled', 'resuming')",
    """
    CREATE TABLE pauses (
        id uuid NOT NULL CONSTRAINT pk_pauses PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_pauses_user_id REFERENCES customers (user_id),
        subscription_id text NOT NULL,
        begins_at timestamptz NOT NULL,
        until timestamptz,
        state text NOT NULL CONSTRAINT ck_pauses_state
            CHECK (state IN ('asked', 'on', 'ending', 'over')),
        restarts boolean NOT NULL,
        tries integer NOT NULL CONSTRAINT ck_pauses_tries CHECK (tries >= 0),
        asked_at timestamptz NOT NULL,
        ended_at timestamptz,
        synced_at timestamptz,
        CONSTRAINT ck_pauses_until CHECK (begins_at < until)
    )
    """,
    "CREATE UNIQUE INDEX uq_pauses_open ON pauses (subscription_id) WHERE state <> 'over'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE pauses, cancellations")
    op.execute(
        "ALTER TABLE subscriptions DROP COLUMN price_id, DROP COLUMN price_minor,"
        " DROP COLUMN currency, DROP COLUMN is_paused, DROP COLUMN pauses_at,"
        " DROP COLUMN resumes_at, DROP COLUMN trial_ends_at, DROP COLUMN discount,"
        " DROP COLUMN discount_ends_at"
    )
