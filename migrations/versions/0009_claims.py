"""Lots that are frozen or owed for, refunds, disputes and warnings of fraud."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

_KINDS = "'grant', 'hold', 'release', 'settle', 'revoke', 'expire'"
_MORE_KINDS = f"{_KINDS}, 'claw_back', 'restore', 'repay', 'forgive'"
_ACCOUNTS = "'granted', 'available', 'held', 'spent', 'expired', 'revoked'"
_MORE_ACCOUNTS = f"{_ACCOUNTS}, 'owed', 'repaid', 'covered', 'forgiven'"


def _words(kinds: str, accounts: str) -> tuple[str, ...]:
    return (
        "ALTER TABLE ledger_transactions DROP CONSTRAINT ck_ledger_transactions_kind",
        "ALTER TABLE ledger_transactions ADD CONSTRAINT ck_ledger_transactions_kind"
        f" CHECK (kind IN ({kinds}))",
        "ALTER TABLE ledger_entries DROP CONSTRAINT ck_ledger_entries_account",
        "ALTER TABLE ledger_entries ADD CONSTRAINT ck_ledger_entries_account"
        f" CHECK (account IN ({accounts}))",
    )


_TABLES = (
    """
    CREATE TABLE freezes (
        key text NOT NULL CONSTRAINT pk_freezes PRIMARY KEY
            CONSTRAINT ck_freezes_key CHECK (char_length(key) BETWEEN 1 AND 200),
        reference text NOT NULL
            CONSTRAINT ck_freezes_reference CHECK (char_length(reference) BETWEEN 1 AND 200),
        reason text NOT NULL
            CONSTRAINT ck_freezes_reason CHECK (char_length(reason) <= 500),
        frozen_at timestamptz NOT NULL,
        thawed_at timestamptz
    )
    """,
    "CREATE INDEX ix_freezes_reference ON freezes (reference) WHERE thawed_at IS NULL",
    """
    CREATE TABLE debts (
        key text NOT NULL CONSTRAINT pk_debts PRIMARY KEY
            CONSTRAINT ck_debts_key CHECK (char_length(key) BETWEEN 1 AND 180),
        number bigint GENERATED ALWAYS AS IDENTITY,
        user_id uuid NOT NULL CONSTRAINT fk_debts_user_id REFERENCES customers (user_id),
        lot_id uuid NOT NULL CONSTRAINT fk_debts_lot_id REFERENCES lots (id),
        credits bigint NOT NULL
            CONSTRAINT ck_debts_credits CHECK (credits BETWEEN 1 AND 1000000),
        still_owed bigint NOT NULL
            CONSTRAINT ck_debts_still_owed CHECK (still_owed BETWEEN 0 AND credits),
        reason text NOT NULL CONSTRAINT ck_debts_reason CHECK (char_length(reason) <= 500),
        reference text NOT NULL
            CONSTRAINT ck_debts_reference CHECK (char_length(reference) <= 200),
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_debts_user_id ON debts (user_id) WHERE still_owed > 0",
    "CREATE INDEX ix_debts_lot_id ON debts (lot_id)",
)

_REFUNDS = (
    "ALTER TABLE payments ADD COLUMN charged_minor bigint",
    """
    CREATE TABLE refunds (
        id text NOT NULL CONSTRAINT pk_refunds PRIMARY KEY
            CONSTRAINT ck_refunds_id CHECK (char_length(id) BETWEEN 1 AND 60),
        payment_id text NOT NULL CONSTRAINT fk_refunds_payment_id REFERENCES payments (id),
        user_id uuid NOT NULL CONSTRAINT fk_refunds_user_id REFERENCES customers (user_id),
        stripe_id text CONSTRAINT uq_refunds_stripe_id UNIQUE,
        origin text NOT NULL
            CONSTRAINT ck_refunds_origin CHECK (origin IN ('customer', 'staff', 'stripe', 'fraud')),
        amount_minor bigint NOT NULL CONSTRAINT ck_refunds_amount CHECK (amount_minor > 0),
        currency text NOT NULL,
        credits bigint NOT NULL CONSTRAINT ck_refunds_credits CHECK (credits >= 0),
        stopped text[] NOT NULL,
        reason text NOT NULL,
        state text NOT NULL CONSTRAINT ck_refunds_state
            CHECK (state IN ('asked', 'pending', 'succeeded', 'failed')),
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        synced_at timestamptz,
        CONSTRAINT ck_refunds_ended CHECK ((ended_at IS NULL) = (state IN ('asked', 'pending')))
    )
    """,
    "CREATE INDEX ix_refunds_payment_id ON refunds (payment_id)",
    "CREATE INDEX ix_refunds_user_id ON refunds (user_id)",
    "CREATE INDEX ix_refunds_created_at ON refunds (created_at) WHERE state = 'asked'",
    # What is given back of a payment is the sum of its refunds that have not failed, and the
    # check on the payment refuses more than was paid.
    """
    CREATE FUNCTION refunds_counted() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    DECLARE back bigint;
    BEGIN
        PERFORM FROM payments WHERE id = NEW.payment_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(amount_minor), 0) INTO back FROM refunds
            WHERE payment_id = NEW.payment_id AND state <> 'failed';
        UPDATE payments SET refunded_minor = back, status = CASE
            WHEN back >= amount_minor THEN 'refunded'
            WHEN back > 0 THEN 'partly_refunded'
            WHEN status IN ('refunded', 'partly_refunded') THEN 'paid'
            ELSE status END
        WHERE id = NEW.payment_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER counted AFTER INSERT OR UPDATE OF state, amount_minor ON refunds
        FOR EACH ROW EXECUTE FUNCTION refunds_counted()
    """,
    """
    CREATE TABLE disputes (
        id text NOT NULL CONSTRAINT pk_disputes PRIMARY KEY,
        payment_id text NOT NULL CONSTRAINT fk_disputes_payment_id REFERENCES payments (id),
        user_id uuid NOT NULL CONSTRAINT fk_disputes_user_id REFERENCES customers (user_id),
        amount_minor bigint NOT NULL CONSTRAINT ck_disputes_amount CHECK (amount_minor >= 0),
        currency text NOT NULL,
        reason text NOT NULL,
        status text NOT NULL,
        state text NOT NULL
            CONSTRAINT ck_disputes_state CHECK (state IN ('open', 'won', 'lost')),
        due_by timestamptz,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        synced_at timestamptz NOT NULL,
        CONSTRAINT ck_disputes_ended CHECK ((ended_at IS NULL) = (state = 'open'))
    )
    """,
    "CREATE INDEX ix_disputes_payment_id ON disputes (payment_id)",
    "CREATE INDEX ix_disputes_user_id ON disputes (user_id)",
    """
    CREATE TABLE fraud_warnings (
        id text NOT NULL CONSTRAINT pk_fraud_warnings PRIMARY KEY,
        payment_id text NOT NULL CONSTRAINT fk_fraud_warnings_payment_id REFERENCES payments (id),
        user_id uuid NOT NULL CONSTRAINT fk_fraud_warnings_user_id REFERENCES customers (user_id),
        fraud_type text NOT NULL,
        action text NOT NULL CONSTRAINT ck_fraud_warnings_action
            CHECK (action IN ('refunded', 'frozen', 'noted', 'released')),
        created_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_fraud_warnings_payment_id ON fraud_warnings (payment_id)",
    """
    CREATE TABLE barred_cards (
        fingerprint text NOT NULL CONSTRAINT pk_barred_cards PRIMARY KEY,
        warning_id text NOT NULL
            CONSTRAINT fk_barred_cards_warning_id REFERENCES fraud_warnings (id),
        barred_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE downloads (
        id uuid NOT NULL CONSTRAINT pk_downloads PRIMARY KEY,
        generation_id uuid NOT NULL
            CONSTRAINT fk_downloads_generation_id REFERENCES generations (id),
        user_id uuid NOT NULL CONSTRAINT fk_downloads_user_id REFERENCES users (id),
        kind text NOT NULL CONSTRAINT ck_downloads_kind CHECK (kind IN ('saved', 'played')),
        ip_sealed bytea,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_downloads_user_id_at ON downloads (user_id, at)",
    """
    CREATE TRIGGER downloads_append_only BEFORE UPDATE OR DELETE ON downloads
        FOR EACH ROW EXECUTE FUNCTION accounts_append_only()
    """,
    """
    CREATE TRIGGER downloads_never_emptied BEFORE TRUNCATE ON downloads
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_append_only()
    """,
)

_LOTS = (
    "ALTER TABLE lots ADD COLUMN frozen_since timestamptz",
    "ALTER TABLE lots ADD COLUMN latest_end timestamptz",
    "ALTER TABLE lots DISABLE TRIGGER as_sold",
    """
    UPDATE lots SET latest_end = greatest(expires_at + interval '168 hours', usable_until)
    WHERE expires_at IS NOT NULL
    """,
    "ALTER TABLE lots ENABLE ALWAYS TRIGGER as_sold",
    """
    ALTER TABLE lots ADD CONSTRAINT ck_lots_latest_end CHECK (
        (expires_at IS NULL) = (latest_end IS NULL) AND coalesce(usable_until <= latest_end, true)
    )
    """,
    "CREATE INDEX ix_lots_reference ON lots (reference) WHERE reference <> ''",
    "DROP INDEX ix_ledger_entries_user_id_id",
    """
    CREATE INDEX ix_ledger_entries_user_id_id ON ledger_entries (user_id, id)
        INCLUDE (account, credits) WHERE account IN ('available', 'owed')
    """,
)

# Each names its schema, so that a temporary table of the same name cannot stand in for ours.
_NEW_LOT = """
    CREATE OR REPLACE FUNCTION ledger_new_lot() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    BEGIN
        IF NEW.remaining <> 0 OR NEW.usable_until IS DISTINCT FROM NEW.expires_at THEN
            RAISE EXCEPTION 'lot % is filled by its grant only', NEW.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- What comes back late is usable for a week after the end that was sold, no longer.
        NEW.latest_end := NEW.expires_at + interval '168 hours';
        -- What arrives for a payment that is frozen is frozen from the start.
        NEW.frozen_since := CASE WHEN EXISTS (
            SELECT FROM freezes WHERE reference = NEW.reference AND thawed_at IS NULL
        ) THEN NEW.created_at END;
        RETURN NEW;
    END $$
"""

_KEEP_LOT = """
    CREATE OR REPLACE FUNCTION ledger_keep_lot() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE kept lots := NEW;
    BEGIN
        kept.remaining := OLD.remaining;
        kept.usable_until := OLD.usable_until;
        kept.frozen_since := OLD.frozen_since;
        kept.latest_end := OLD.latest_end;
        IF kept IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'lot % never changes what it was sold as', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- Depth 2 is the entries' own trigger: the only mover of what remains.
        IF NEW.remaining <> OLD.remaining AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'what remains of lot % moves with its entries only', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- And here the freezes' own.
        IF (NEW.frozen_since, NEW.latest_end) IS DISTINCT FROM (OLD.frozen_since, OLD.latest_end)
            AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'lot % freezes and thaws with its payment only', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.usable_until IS DISTINCT FROM OLD.usable_until
            AND (NEW.usable_until > OLD.usable_until) IS NOT TRUE THEN
            RAISE EXCEPTION 'the end of lot % only moves later', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""

_FUNCTIONS = (
    _NEW_LOT,
    _KEEP_LOT,
    """
    CREATE FUNCTION ledger_freeze_lots() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
        UPDATE lots SET frozen_since = NEW.frozen_at
        WHERE reference = NEW.reference AND frozen_since IS NULL;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION ledger_thaw_lots() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM freezes WHERE reference = NEW.reference AND thawed_at IS NULL
        ) THEN
            UPDATE lots SET frozen_since = NULL,
                usable_until = usable_until + greatest(NEW.thawed_at - frozen_since, '0'),
                latest_end = latest_end + greatest(NEW.thawed_at - frozen_since, '0')
            WHERE reference = NEW.reference AND frozen_since IS NOT NULL;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION ledger_keep_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE kept freezes := NEW;
    BEGIN
        kept.thawed_at := NULL;
        IF OLD.thawed_at IS NOT NULL OR kept IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'freeze % can only thaw, once', OLD.key
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION ledger_keep_debt() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE kept debts := NEW;
    BEGIN
        kept.still_owed := OLD.still_owed;
        IF kept IS DISTINCT FROM OLD OR NEW.still_owed >= OLD.still_owed THEN
            RAISE EXCEPTION 'debt % only becomes less', OLD.key
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)

_TRIGGERS = (
    """
    CREATE TRIGGER freezes_lots AFTER INSERT ON freezes
        FOR EACH ROW EXECUTE FUNCTION ledger_freeze_lots()
    """,
    """
    CREATE TRIGGER thaws_lots AFTER UPDATE ON freezes
        FOR EACH ROW EXECUTE FUNCTION ledger_thaw_lots()
    """,
    """
    CREATE TRIGGER thaws_once BEFORE UPDATE ON freezes
        FOR EACH ROW EXECUTE FUNCTION ledger_keep_freeze()
    """,
    """
    CREATE TRIGGER kept_forever BEFORE DELETE OR TRUNCATE ON freezes
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
    """,
    """
    CREATE TRIGGER becomes_less BEFORE UPDATE ON debts
        FOR EACH ROW EXECUTE FUNCTION ledger_keep_debt()
    """,
    """
    CREATE TRIGGER kept_forever BEFORE DELETE OR TRUNCATE ON debts
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
    """,
)

_ALWAYS = (
    ("freezes", ("freezes_lots", "thaws_lots", "thaws_once", "kept_forever")),
    ("debts", ("becomes_less", "kept_forever")),
)

# As migration 0003 made them.
_OLD_FUNCTIONS = (
    """
    CREATE OR REPLACE FUNCTION ledger_new_lot() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.remaining <> 0 OR NEW.usable_until IS DISTINCT FROM NEW.expires_at THEN
            RAISE EXCEPTION 'lot % is filled by its grant only', NEW.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION ledger_keep_lot() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE kept lots := NEW;
    BEGIN
        kept.remaining := OLD.remaining;
        kept.usable_until := OLD.usable_until;
        IF kept IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'lot % never changes what it was sold as', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- Depth 2 is the entries' own trigger: the only mover of what remains.
        IF NEW.remaining <> OLD.remaining AND pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'what remains of lot % moves with its entries only', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.usable_until IS DISTINCT FROM OLD.usable_until
            AND (NEW.usable_until > OLD.usable_until) IS NOT TRUE THEN
            RAISE EXCEPTION 'the end of lot % only moves later', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    words = _words(_MORE_KINDS, _MORE_ACCOUNTS)
    for statement in (*words, *_TABLES, *_LOTS, *_FUNCTIONS, *_TRIGGERS, *_REFUNDS):
        op.execute(statement)
    for table, triggers in _ALWAYS:
        for trigger in triggers:
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _OLD_FUNCTIONS:
        op.execute(statement)
    op.execute(
        "DROP TABLE downloads, barred_cards, fraud_warnings, disputes, refunds, debts, freezes"
    )
    op.execute(
        "DROP FUNCTION refunds_counted(), ledger_freeze_lots(), ledger_thaw_lots(),"
        " ledger_keep_freeze(), ledger_keep_debt()"
    )
    op.execute("DROP INDEX ix_ledger_entries_user_id_id, ix_lots_reference")
    op.execute(
        "CREATE INDEX ix_ledger_entries_user_id_id ON ledger_entries (user_id, id)"
        " INCLUDE (credits) WHERE account = 'available'"
    )
    op.execute("ALTER TABLE payments DROP COLUMN charged_minor")
    op.execute("ALTER TABLE lots DROP COLUMN frozen_since, DROP COLUMN latest_end")
    for statement in _words(_KINDS, _ACCOUNTS):
        op.execute(statement)
