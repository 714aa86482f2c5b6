"""Every message that is owed, with what it tells; proved addresses."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

# The defaults are for the version before, which goes on writing receipts while it is replaced.
_MAILS = (
    """
    ALTER TABLE mails
        ALTER COLUMN user_id DROP NOT NULL,
        ADD COLUMN template text NOT NULL DEFAULT 'receipt',
        ADD COLUMN facts jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN state text NOT NULL DEFAULT 'owed'
            CONSTRAINT ck_mails_state CHECK (state IN ('owed', 'sent', 'kept', 'failed')),
        ADD COLUMN tries integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT ck_mails_user_id CHECK (
            (user_id IS NULL) = (template IN ('first_sale', 'needs_a_hand'))),
        ADD CONSTRAINT ck_mails_sent_at CHECK (
            CASE state WHEN 'failed' THEN sent_at IS NULL WHEN 'owed' THEN true
            ELSE sent_at IS NOT NULL END)
    """,
    "UPDATE mails SET state = 'sent' WHERE sent_at IS NOT NULL",
    "CREATE INDEX ix_mails_created_at ON mails (created_at DESC, key)",
    # Whoever has sold before has no first sale to hear of.
    """
    INSERT INTO mails (key, template, facts, state, created_at, sent_at)
    SELECT 'first_sale', 'first_sale', jsonb_build_object('payment_id', id), 'sent',
        paid_at, paid_at
    FROM payments WHERE paid_at IS NOT NULL AND amount_minor > 0 ORDER BY paid_at, id LIMIT 1
    """,
)

_ADDRESSES = (
    "ALTER TABLE users ADD COLUMN verified_at timestamptz",
    """
    CREATE TABLE verifications (
        token_hash bytea NOT NULL CONSTRAINT pk_verifications PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_verifications_user_id REFERENCES users (id),
        purpose text NOT NULL CONSTRAINT ck_verifications_purpose
            CHECK (purpose IN ('verify_email')),
        email_key text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_verifications_user_id ON verifications (user_id)",
    "CREATE INDEX ix_verifications_expires_at ON verifications (expires_at)",
    """
    CREATE TABLE free_claims (
        user_id uuid NOT NULL CONSTRAINT pk_free_claims PRIMARY KEY
            CONSTRAINT fk_free_claims_user_id REFERENCES users (id),
        person bytea NOT NULL,
        network text NOT NULL,
        state text NOT NULL CONSTRAINT ck_free_claims_state
            CHECK (state IN ('granted', 'same_person', 'network')),
        claimed_at timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX uq_free_claims_person ON free_claims (person) WHERE state = 'granted'",
    "CREATE INDEX ix_free_claims_network ON free_claims (network, claimed_at)"
    " WHERE state = 'granted'",
)
_FAILED = (
    """
    CREATE TABLE failed_invoices (
        invoice_id text NOT NULL CONSTRAINT pk_failed_invoices PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_failed_invoices_user_id REFERENCES customers (user_id),
        subscription_id text NOT NULL,
        amount_minor bigint NOT NULL
            CONSTRAINT ck_failed_invoices_amount CHECK (amount_minor >= 0),
        currency text NOT NULL
            CONSTRAINT ck_failed_invoices_currency CHECK (currency ~ '^[a-z]{3}$'),
        first_failed_at timestamptz NOT NULL,
        first_code text NOT NULL,
        first_method_id text NOT NULL,
        code text NOT NULL,
        card text NOT NULL,
        needs_bank boolean NOT NULL,
        next_try_at timestamptz,
        hosted_url text NOT NULL,
        asked text NOT NULL
            CONSTRAINT ck_failed_invoices_asked CHECK (asked IN ('', 'mail', 'manual')),
        asked_at timestamptz,
        tries_by_hand integer NOT NULL,
        state text NOT NULL
            CONSTRAINT ck_failed_invoices_state CHECK (state IN ('open', 'recovered', 'lost')),
        cause text CONSTRAINT ck_failed_invoices_cause
            CHECK (cause IN ('manual', 'mail_link', 'new_card', 'stripe_retry')),
        ended_at timestamptz,
        synced_at timestamptz NOT NULL,
        CONSTRAINT ck_failed_invoices_end CHECK (
            (state = 'open') = (ended_at IS NULL)
            AND (state = 'recovered') = (cause IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_failed_invoices_user_id ON failed_invoices (user_id) WHERE state = 'open'",
    "CREATE INDEX ix_failed_invoices_first_failed_at ON failed_invoices (first_failed_at)",
)
# Whoever was given free videos before had only to sign up: they keep them, the first account of
# a person counts, and no network is theirs.
_KNOWN = (
    """
    UPDATE users SET verified_at = created_at
    WHERE id IN (SELECT user_id FROM lots WHERE source = 'free')
    """,
    r"""
    INSERT INTO free_claims (user_id, person, network, state, claimed_at)
    SELECT id, person, '',
        CASE WHEN row_number() OVER (PARTITION BY person ORDER BY created_at, id) = 1
        THEN 'granted' ELSE 'same_person' END, created_at
    FROM (
        SELECT id, created_at, sha256(convert_to(
            CASE WHEN host IN ('gmail.com', 'googlemail.com')
            THEN replace(local_part, '.', '') || '@gmail.com'
            ELSE local_part || '@' || host END, 'UTF8')) AS person
        FROM (
            SELECT id, created_at, split_part(email_key, '@', 2) AS host,
                regexp_replace(split_part(email_key, '@', 1), '(.)\+.*$', '\1') AS local_part
            FROM users WHERE verified_at IS NOT NULL
        ) AS parts
    ) AS people
    """,
)

_STATEMENTS = (*_MAILS, *_ADDRESSES, *_FAILED, *_KNOWN)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE failed_invoices, free_claims, verifications")
    op.execute("ALTER TABLE users DROP COLUMN verified_at")
    # The version before knows receipts alone: it would send any other message as one.
    op.execute("DELETE FROM mails WHERE template NOT IN ('receipt', 'welcome_plan')")
    op.execute(
        """
        ALTER TABLE mails
            DROP COLUMN template, DROP COLUMN facts, DROP COLUMN state, DROP COLUMN tries,
            ALTER COLUMN user_id SET NOT NULL
        """
    )
    op.execute("DROP INDEX ix_mails_created_at")
