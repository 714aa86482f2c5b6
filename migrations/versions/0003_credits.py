"""The credit ledger: lots, holds and double entries that no role can change or unbalance.

The triggers fire ALWAYS, so that `session_replication_role` does not silence them either.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = (
    """
    CREATE TABLE lots (
        id uuid NOT NULL CONSTRAINT pk_lots PRIMARY KEY,
        number bigint GENERATED ALWAYS AS IDENTITY,
        user_id uuid NOT NULL CONSTRAINT fk_lots_user_id REFERENCES customers (user_id),
        key text NOT NULL CONSTRAINT uq_lots_key UNIQUE
            CONSTRAINT ck_lots_key CHECK (char_length(key) BETWEEN 1 AND 200),
        source text NOT NULL CONSTRAINT ck_lots_source
            CHECK (source IN ('free', 'plan', 'pack', 'promo', 'goodwill', 'gift')),
        credits bigint NOT NULL
            CONSTRAINT ck_lots_credits CHECK (credits BETWEEN 1 AND 1000000),
        remaining bigint NOT NULL DEFAULT 0
            CONSTRAINT ck_lots_remaining CHECK (remaining BETWEEN 0 AND credits),
        price_minor bigint,
        tax_minor bigint,
        currency text,
        expires_at timestamptz,
        usable_until timestamptz,
        reference text NOT NULL
            CONSTRAINT ck_lots_reference CHECK (char_length(reference) <= 200),
        description text NOT NULL
            CONSTRAINT ck_lots_description CHECK (char_length(description) <= 500),
        created_at timestamptz NOT NULL,
        CONSTRAINT ck_lots_price CHECK (
            CASE WHEN price_minor IS NULL THEN currency IS NULL AND tax_minor IS NULL
            ELSE price_minor >= 0 AND currency ~ '^[a-z]{3}$'
                AND coalesce(tax_minor BETWEEN 0 AND price_minor, true) END
        ),
        CONSTRAINT ck_lots_usable_until CHECK (
            (expires_at IS NULL) = (usable_until IS NULL)
            AND coalesce(usable_until >= expires_at, true)
        )
    )
    """,
    "CREATE INDEX ix_lots_user_id ON lots (user_id) WHERE remaining > 0",
    "CREATE INDEX ix_lots_usable_until ON lots (usable_until) WHERE remaining > 0",
    """
    CREATE TABLE holds (
        id uuid NOT NULL CONSTRAINT pk_holds PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_holds_user_id REFERENCES customers (user_id),
        credits bigint NOT NULL
            CONSTRAINT ck_holds_credits CHECK (credits BETWEEN 1 AND 1000000),
        state text NOT NULL CONSTRAINT ck_holds_state
            CHECK (state IN ('held', 'settled', 'released', 'expired')),
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT ck_holds_ended_at CHECK ((state = 'held') = (ended_at IS NULL))
    )
    """,
    "CREATE INDEX ix_holds_user_id ON holds (user_id) WHERE state = 'held'",
    "CREATE INDEX ix_holds_expires_at ON holds (expires_at) WHERE state = 'held'",
    """
    CREATE TABLE ledger_transactions (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_ledger_transactions PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_ledger_transactions_user_id REFERENCES customers (user_id),
        kind text NOT NULL CONSTRAINT ck_ledger_transactions_kind
            CHECK (kind IN ('grant', 'hold', 'release', 'settle', 'revoke', 'expire')),
        key text NOT NULL
            CONSTRAINT ck_ledger_transactions_key CHECK (char_length(key) BETWEEN 1 AND 200),
        reason text NOT NULL
            CONSTRAINT ck_ledger_transactions_reason CHECK (char_length(reason) <= 500),
        credits bigint NOT NULL
            CONSTRAINT ck_ledger_transactions_credits CHECK (credits BETWEEN 1 AND 1000000),
        entry_count integer NOT NULL
            CONSTRAINT ck_ledger_transactions_entry_count CHECK (entry_count >= 2),
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_ledger_transactions_kind_key UNIQUE (kind, key)
    )
    """,
    "CREATE INDEX ix_ledger_transactions_user_id ON ledger_transactions (user_id)",
    """
    CREATE TABLE ledger_entries (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_ledger_entries PRIMARY KEY,
        transaction_id bigint NOT NULL CONSTRAINT fk_ledger_entries_transaction_id
            REFERENCES ledger_transactions (id),
        user_id uuid NOT NULL
            CONSTRAINT fk_ledger_entries_user_id REFERENCES customers (user_id),
        account text NOT NULL CONSTRAINT ck_ledger_entries_account CHECK (
            account IN ('granted', 'available', 'held', 'spent', 'expired', 'revoked')
        ),
        lot_id uuid NOT NULL CONSTRAINT fk_ledger_entries_lot_id REFERENCES lots (id),
        credits bigint NOT NULL CONSTRAINT ck_ledger_entries_credits CHECK (credits <> 0)
    )
    """,
    "CREATE INDEX ix_ledger_entries_transaction_id ON ledger_entries (transaction_id)",
    "CREATE INDEX ix_ledger_entries_lot_id ON ledger_entries (lot_id)",
    """
    CREATE INDEX ix_ledger_entries_user_id_id ON ledger_entries (user_id, id) INCLUDE (credits)
        WHERE account = 'available'
    """,
)

# Each names its schema, so that a temporary table of the same name cannot stand in for ours.
_FUNCTIONS = (
    """
    CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% of % is refused: correct it by a new ledger transaction',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE FUNCTION ledger_fault(wanted bigint) RETURNS text LANGUAGE sql
    SET search_path = public, pg_temp AS $$
        SELECT CASE
            WHEN count(entry.id) <> posted.entry_count THEN
                format('has %s of %s entries', count(entry.id), posted.entry_count)
            WHEN bool_or(entry.user_id <> posted.user_id OR lot.user_id <> posted.user_id) THEN
                'moves credits of another user'
            WHEN EXISTS (
                SELECT FROM ledger_entries WHERE transaction_id = posted.id
                GROUP BY lot_id HAVING sum(credits) <> 0
            ) THEN 'does not balance'
        END
        FROM ledger_transactions AS posted
        LEFT JOIN ledger_entries AS entry ON entry.transaction_id = posted.id
        LEFT JOIN lots AS lot ON lot.id = entry.lot_id
        WHERE posted.id = wanted
        GROUP BY posted.id
    $$
    """,
    """
    CREATE FUNCTION ledger_require_balance(wanted bigint) RETURNS void LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    DECLARE fault text := ledger_fault(wanted);
    BEGIN
        IF fault IS NOT NULL THEN
            RAISE EXCEPTION 'ledger transaction % %', wanted, fault
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END $$
    """,
    """
    CREATE FUNCTION ledger_transaction_posted() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
        PERFORM ledger_require_balance(NEW.id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION ledger_entries_posted() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
        PERFORM ledger_require_balance(touched.transaction_id)
        FROM (SELECT DISTINCT transaction_id FROM posted) AS touched;
        UPDATE lots SET remaining = lots.remaining + moved.credits
        FROM (
            SELECT lot_id, sum(credits) AS credits FROM posted
            WHERE account = 'available' GROUP BY lot_id
        ) AS moved
        WHERE lots.id = moved.lot_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION ledger_new_lot() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.remaining <> 0 OR NEW.usable_until IS DISTINCT FROM NEW.expires_at THEN
            RAISE EXCEPTION 'lot % is filled by its grant only', NEW.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION ledger_keep_lot() RETURNS trigger LANGUAGE plpgsql AS $$
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
    """
    CREATE FUNCTION ledger_keep_hold() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE kept holds := NEW;
    BEGIN
        kept.state := OLD.state;
        kept.ended_at := OLD.ended_at;
        IF OLD.state <> 'held' OR NEW.state = 'held' OR kept IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'hold % can only end, once', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)

_TRIGGERS = (
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
    """,
    """
    CREATE TRIGGER kept_forever BEFORE DELETE OR TRUNCATE ON lots
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
    """,
    """
    CREATE TRIGGER kept_forever BEFORE DELETE OR TRUNCATE ON holds
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()
    """,
    # At once and complete: entries added in another statement or later find the count reached.
    """
    CREATE TRIGGER posted AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS posted
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_posted()
    """,
    """
    CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_transactions
        DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION ledger_transaction_posted()
    """,
    """
    CREATE TRIGGER empty_at_first BEFORE INSERT ON lots
        FOR EACH ROW EXECUTE FUNCTION ledger_new_lot()
    """,
    """
    CREATE TRIGGER as_sold BEFORE UPDATE ON lots
        FOR EACH ROW EXECUTE FUNCTION ledger_keep_lot()
    """,
    """
    CREATE TRIGGER ends_once BEFORE UPDATE ON holds
        FOR EACH ROW EXECUTE FUNCTION ledger_keep_hold()
    """,
)

_ALWAYS = (
    ("ledger_entries", ("append_only", "posted")),
    ("ledger_transactions", ("append_only", "balanced")),
    ("lots", ("kept_forever", "empty_at_first", "as_sold")),
    ("holds", ("kept_forever", "ends_once")),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*_TABLES, *_FUNCTIONS, *_TRIGGERS):
        op.execute(statement)
    for table, triggers in _ALWAYS:
        for trigger in triggers:
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TABLE ledger_entries, ledger_transactions, holds, lots")
    op.execute(
        """
        DROP FUNCTION ledger_refuse(), ledger_transaction_posted(), ledger_entries_posted(),
            ledger_require_balance(bigint), ledger_fault(bigint), ledger_new_lot(),
            ledger_keep_lot(), ledger_keep_hold()
        """
    )
