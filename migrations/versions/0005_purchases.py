"""What is sold, bought and subscribed to; Stripe's events; mail that is owed."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_TABLES = (
    """
    CREATE TABLE catalog_prices (
        price_id text NOT NULL CONSTRAINT pk_catalog_prices PRIMARY KEY,
        item text NOT NULL,
        product_id text NOT NULL,
        current boolean NOT NULL,
        synced_at timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX uq_catalog_prices_current ON catalog_prices (item) WHERE current",
    """
    CREATE TABLE checkouts (
        user_id uuid NOT NULL CONSTRAINT fk_checkouts_user_id REFERENCES customers (user_id),
        request_id uuid NOT NULL,
        item text NOT NULL,
        price_id text NOT NULL,
        session_id text CONSTRAINT uq_checkouts_session_id UNIQUE,
        url text,
        state text NOT NULL CONSTRAINT ck_checkouts_state
            CHECK (state IN ('open', 'processing', 'paid', 'failed', 'expired')),
        created_at timestamptz NOT NULL,
        synced_at timestamptz,
        CONSTRAINT pk_checkouts PRIMARY KEY (user_id, request_id)
    )
    """,
    """
    CREATE TABLE payments (
        id text NOT NULL CONSTRAINT pk_payments PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_payments_user_id REFERENCES customers (user_id),
        kind text NOT NULL CONSTRAINT ck_payments_kind CHECK (kind IN ('plan', 'pack')),
        item text NOT NULL,
        description text NOT NULL,
        amount_minor bigint NOT NULL CONSTRAINT ck_payments_amount CHECK (amount_minor >= 0),
        tax_minor bigint NOT NULL
            CONSTRAINT ck_payments_tax CHECK (tax_minor BETWEEN 0 AND amount_minor),
        refunded_minor bigint NOT NULL
            CONSTRAINT ck_payments_refunded CHECK (refunded_minor BETWEEN 0 AND amount_minor),
        currency text NOT NULL CONSTRAINT ck_payments_currency CHECK (currency ~ '^[a-z]{3}$'),
        status text NOT NULL CONSTRAINT ck_payments_status CHECK (
            status IN ('paid', 'open', 'failed', 'refunded', 'partly_refunded', 'void')),
        number text,
        hosted_url text,
        pdf_url text,
        payment_intent_id text CONSTRAINT uq_payments_payment_intent_id UNIQUE,
        failure_code text,
        paid_at timestamptz,
        created_at timestamptz NOT NULL,
        synced_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_payments_user_id ON payments (user_id, created_at DESC)",
    "CREATE INDEX ix_payments_paid_at ON payments (paid_at)",
    """
    CREATE TABLE failed_attempts (
        key text NOT NULL CONSTRAINT pk_failed_attempts PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_failed_attempts_user_id REFERENCES customers (user_id),
        payment_intent_id text NOT NULL,
        failure_code text NOT NULL,
        failed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_failed_attempts_user_id ON failed_attempts (user_id, failed_at DESC)",
    """
    CREATE TABLE subscriptions (
        id text NOT NULL CONSTRAINT pk_subscriptions PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_subscriptions_user_id REFERENCES customers (user_id),
        item text NOT NULL,
        status text NOT NULL,
        period_start timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        cancel_at_period_end boolean NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        synced_at timestamptz NOT NULL,
        CONSTRAINT ck_subscriptions_period CHECK (period_start < period_end)
    )
    """,
    "CREATE INDEX ix_subscriptions_user_id ON subscriptions (user_id)",
    """
    CREATE TABLE drips (
        key text NOT NULL CONSTRAINT pk_drips PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_drips_user_id REFERENCES customers (user_id),
        subscription_id text NOT NULL,
        reference text NOT NULL,
        description text NOT NULL,
        credits integer NOT NULL CONSTRAINT ck_drips_credits CHECK (credits > 0),
        price_minor bigint NOT NULL,
        tax_minor bigint NOT NULL,
        currency text NOT NULL,
        due_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        state text NOT NULL
            CONSTRAINT ck_drips_state CHECK (state IN ('pending', 'granted', 'stopped')),
        CONSTRAINT ck_drips_expiry CHECK (due_at < expires_at)
    )
    """,
    "CREATE INDEX ix_drips_due_at ON drips (due_at) WHERE state = 'pending'",
    "CREATE INDEX ix_drips_user_id ON drips (user_id) WHERE state = 'pending'",
    """
    CREATE TABLE stripe_events (
        id text NOT NULL CONSTRAINT pk_stripe_events PRIMARY KEY,
        type text NOT NULL,
        object_id text NOT NULL,
        customer_id text,
        api_version text,
        livemode boolean NOT NULL,
        created_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        payload text NOT NULL,
        payload_sha256 text NOT NULL,
        processed_at timestamptz,
        result text CONSTRAINT ck_stripe_events_result
            CHECK (result IN ('done', 'ignored', 'dead')),
        error text,
        CONSTRAINT ck_stripe_events_finished CHECK ((processed_at IS NULL) = (result IS NULL))
    )
    """,
    "CREATE INDEX ix_stripe_events_waiting ON stripe_events (received_at)"
    " WHERE processed_at IS NULL",
    """
    CREATE TABLE mails (
        key text NOT NULL CONSTRAINT pk_mails PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_mails_user_id REFERENCES users (id),
        created_at timestamptz NOT NULL,
        sent_at timestamptz
    )
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "DROP TABLE mails, stripe_events, drips, subscriptions, failed_attempts, payments,"
        " checkouts, catalog_prices"
    )
