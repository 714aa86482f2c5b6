"""Consents to top up, top-ups, notices, and what staff gave."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

_STATEMENTS: tuple[str, ...] = (
    "CREATE INDEX ix_holds_settled ON holds (user_id, ended_at) WHERE state = 'settled'",
    """
    CREATE TABLE saved_cards (
        user_id uuid NOT NULL CONSTRAINT pk_saved_cards PRIMARY KEY
            CONSTRAINT fk_saved_cards_user_id REFERENCES customers (user_id),
        payment_method_id text,
        brand text NOT NULL,
        last4 text NOT NULL CONSTRAINT ck_saved_cards_last4 CHECK (char_length(last4) <= 4),
        synced_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE notices (
        key text NOT NULL CONSTRAINT pk_notices PRIMARY KEY
            CONSTRAINT ck_notices_key CHECK (char_length(key) BETWEEN 1 AND 200),
        user_id uuid NOT NULL CONSTRAINT fk_notices_user_id REFERENCES customers (user_id),
        kind text NOT NULL CONSTRAINT ck_notices_kind CHECK (kind IN (
            'low', 'out', 'runs_out', 'expiring', 'topup_stopped', 'topup_capped')),
        facts jsonb NOT NULL,
        mailed boolean NOT NULL DEFAULT false,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_notices_user_id_at ON notices (user_id, at)",
    "CREATE INDEX ix_notices_to_mail ON notices (at) WHERE NOT mailed",
    """
    CREATE TABLE notice_preferences (
        user_id uuid NOT NULL CONSTRAINT pk_notice_preferences PRIMARY KEY
            CONSTRAINT fk_notice_preferences_user_id REFERENCES customers (user_id),
        credits boolean NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE top_up_consents (
        id uuid NOT NULL CONSTRAINT pk_top_up_consents PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_top_up_consents_user_id REFERENCES customers (user_id),
        version text NOT NULL,
        words text NOT NULL,
        item text NOT NULL,
        threshold integer NOT NULL
            CONSTRAINT ck_top_up_consents_threshold CHECK (threshold BETWEEN 1 AND 50),
        monthly_cap_minor bigint NOT NULL
            CONSTRAINT ck_top_up_consents_monthly_cap CHECK (monthly_cap_minor > 0),
        currency text NOT NULL
            CONSTRAINT ck_top_up_consents_currency CHECK (currency ~ '^[a-z]{3}$'),
        given_at timestamptz NOT NULL,
        ip_sealed bytea NOT NULL
    )
    """,
    "CREATE INDEX ix_top_up_consents_user_id_given_at ON top_up_consents (user_id, given_at)",
    # What somebody agreed to is evidence: 0008's function refuses to change it.
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON top_up_consents
        FOR EACH STATEMENT EXECUTE FUNCTION staff_actions_append_only()
    """,
    """
    CREATE TABLE top_up_settings (
        user_id uuid NOT NULL CONSTRAINT pk_top_up_settings PRIMARY KEY
            CONSTRAINT fk_top_up_settings_user_id REFERENCES customers (user_id),
        consent_id uuid NOT NULL
            CONSTRAINT fk_top_up_settings_consent_id REFERENCES top_up_consents (id),
        item text NOT NULL,
        threshold integer NOT NULL
            CONSTRAINT ck_top_up_settings_threshold CHECK (threshold BETWEEN 1 AND 50),
        monthly_cap_minor bigint NOT NULL
            CONSTRAINT ck_top_up_settings_monthly_cap CHECK (monthly_cap_minor > 0),
        currency text NOT NULL
            CONSTRAINT ck_top_up_settings_currency CHECK (currency ~ '^[a-z]{3}$'),
        is_on boolean NOT NULL,
        stopped_because text NOT NULL CONSTRAINT ck_top_up_settings_stopped_because
            CHECK (NOT is_on OR stopped_because = ''),
        changed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_top_up_settings_on ON top_up_settings (user_id) WHERE is_on",
    """
    CREATE TABLE top_ups (
        id uuid NOT NULL CONSTRAINT pk_top_ups PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_top_ups_user_id REFERENCES customers (user_id),
        number integer NOT NULL,
        consent_id uuid NOT NULL
            CONSTRAINT fk_top_ups_consent_id REFERENCES top_up_consents (id),
        item text NOT NULL,
        price_id text NOT NULL,
        amount_minor bigint NOT NULL CONSTRAINT ck_top_ups_amount CHECK (amount_minor > 0),
        currency text NOT NULL
            CONSTRAINT ck_top_ups_currency CHECK (currency ~ '^[a-z]{3}$'),
        state text NOT NULL CONSTRAINT ck_top_ups_state
            CHECK (state IN ('open', 'paid', 'failed', 'dropped')),
        reason text NOT NULL,
        invoice_id text CONSTRAINT uq_top_ups_invoice_id UNIQUE,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT ck_top_ups_ended_at CHECK ((state = 'open') = (ended_at IS NULL)),
        CONSTRAINT uq_top_ups_user_id_number UNIQUE (user_id, number)
    )
    """,
    "CREATE UNIQUE INDEX uq_top_ups_open ON top_ups (user_id) WHERE state = 'open'",
    """
    CREATE TABLE billing_details (
        user_id uuid NOT NULL CONSTRAINT pk_billing_details PRIMARY KEY
            CONSTRAINT fk_billing_details_user_id REFERENCES customers (user_id),
        name text NOT NULL,
        company text NOT NULL,
        line1 text NOT NULL,
        line2 text NOT NULL,
        city text NOT NULL,
        postal_code text NOT NULL,
        state text NOT NULL,
        country text NOT NULL
            CONSTRAINT ck_billing_details_country CHECK (country ~ '^([A-Z]{2})?$'),
        tax_id text NOT NULL,
        po_number text NOT NULL,
        state_of_sync text NOT NULL CONSTRAINT ck_billing_details_state_of_sync
            CHECK (state_of_sync IN ('owed', 'told', 'refused')),
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE INDEX ix_billing_details_owed ON billing_details (changed_at)
        WHERE state_of_sync = 'owed'
    """,
    """
    CREATE TABLE receipt_counters (
        year integer NOT NULL CONSTRAINT pk_receipt_counters PRIMARY KEY,
        last integer NOT NULL CONSTRAINT ck_receipt_counters_last CHECK (last > 0)
    )
    """,
    """
    CREATE TABLE receipts (
        payment_id text NOT NULL CONSTRAINT pk_receipts PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_receipts_user_id REFERENCES customers (user_id),
        year integer NOT NULL,
        number integer NOT NULL,
        buyer jsonb NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT uq_receipts_year_number UNIQUE (year, number)
    )
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE receipts, receipt_counters, billing_details")
    op.execute("DROP TABLE top_ups, top_up_settings, top_up_consents")
    op.execute("DROP TABLE notice_preferences, notices, saved_cards")
    op.execute("DROP INDEX ix_holds_settled")
