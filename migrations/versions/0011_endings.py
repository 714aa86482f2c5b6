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
    """
    CREATE TABLE trials (
        user_id uuid NOT NULL CONSTRAINT pk_trials PRIMARY KEY
            CONSTRAINT fk_trials_user_id REFERENCES customers (user_id),
        subscription_id text NOT NULL CONSTRAINT uq_trials_subscription_id UNIQUE,
        email_key text NOT NULL CONSTRAINT uq_trials_email_key UNIQUE,
        fingerprint text CONSTRAINT uq_trials_fingerprint UNIQUE,
        has_card boolean NOT NULL,
        started_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        reminded_at timestamptz
    )
    """,
    """
    CREATE TABLE trial_refusals (
        subscription_id text NOT NULL CONSTRAINT pk_trial_refusals PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_trial_refusals_user_id REFERENCES customers (user_id),
        state text NOT NULL
            CONSTRAINT ck_trial_refusals_state CHECK (state IN ('asked', 'done')),
        refused_at timestamptz NOT NULL
    )
    """,
    """
    ALTER TABLE catalog_prices
        ADD COLUMN amount_minor bigint,
        ADD COLUMN currency text
    """,
    """
    CREATE TABLE price_changes (
        id uuid NOT NULL CONSTRAINT pk_price_changes PRIMARY KEY,
        item text NOT NULL,
        from_price_id text NOT NULL,
        to_price_id text NOT NULL,
        before_minor bigint NOT NULL,
        after_minor bigint NOT NULL,
        currency text NOT NULL,
        effective_at timestamptz NOT NULL,
        state text NOT NULL CONSTRAINT ck_price_changes_state
            CHECK (state IN ('planned', 'noticed', 'done', 'cancelled')),
        created_at timestamptz NOT NULL,
        CONSTRAINT ck_price_changes_prices CHECK (from_price_id <> to_price_id),
        CONSTRAINT ck_price_changes_notice
            CHECK (effective_at >= created_at + INTERVAL '30 days')
    )
    """,
    "CREATE UNIQUE INDEX uq_price_changes_open ON price_changes (from_price_id)"
    " WHERE state IN ('planned', 'noticed')",
    """
    CREATE TABLE price_moves (
        change_id uuid NOT NULL
            CONSTRAINT fk_price_moves_change_id REFERENCES price_changes (id),
        subscription_id text NOT NULL,
        user_id uuid NOT NULL CONSTRAINT fk_price_moves_user_id REFERENCES customers (user_id),
        noticed_at timestamptz NOT NULL,
        moved_at timestamptz,
        CONSTRAINT pk_price_moves PRIMARY KEY (change_id, subscription_id)
    )
    """,
    """
    CREATE TABLE code_uses (
        subscription_id text NOT NULL,
        promotion_code_id text NOT NULL,
        user_id uuid NOT NULL CONSTRAINT fk_code_uses_user_id REFERENCES customers (user_id),
        code text NOT NULL,
        state text NOT NULL CONSTRAINT ck_code_uses_state CHECK (state IN ('asked', 'done')),
        asked_at timestamptz NOT NULL,
        CONSTRAINT pk_code_uses PRIMARY KEY (subscription_id, promotion_code_id)
    )
    """,
    """
    ALTER TABLE checkouts
        ADD COLUMN trial_days integer NOT NULL DEFAULT 0
            CONSTRAINT ck_checkouts_trial_days CHECK (trial_days BETWEEN 0 AND 730),
        ADD COLUMN code text NOT NULL DEFAULT '',
        ADD COLUMN promotion_code_id text
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "DROP TABLE price_moves, price_changes, code_uses, trial_refusals, trials, pauses,"
        " cancellations"
    )
    op.execute("ALTER TABLE catalog_prices DROP COLUMN amount_minor, DROP COLUMN currency")
    op.execute(
        "ALTER TABLE checkouts DROP COLUMN trial_days, DROP COLUMN code,"
        " DROP COLUMN promotion_code_id"
    )
    op.execute(
        "ALTER TABLE subscriptions DROP COLUMN price_id, DROP COLUMN price_minor,"
        " DROP COLUMN currency, DROP COLUMN is_paused, DROP COLUMN pauses_at,"
        " DROP COLUMN resumes_at, DROP COLUMN trial_ends_at, DROP COLUMN discount,"
        " DROP COLUMN discount_ends_at"
    )
