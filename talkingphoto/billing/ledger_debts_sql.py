"""What the verbs about freezes and debts ask; they rely on the customer's lock too."""

from __future__ import annotations

from sqlalchemy import text

OWED = text("""
    SELECT CAST(coalesce(sum(still_owed), 0) AS bigint) FROM debts
    WHERE user_id = :user_id AND still_owed > 0
""")

FLOWING = text("""
    SELECT id FROM lots WHERE id = ANY(:lot_ids) AND frozen_since IS NULL
    ORDER BY usable_until NULLS LAST, number
""")

# A repayment's key is its debt's with a number after it; a debt named like one has no such end.
REPAYMENTS = text("""
    SELECT count(*) FROM ledger_transactions
    WHERE user_id = :user_id AND kind = 'repay' AND starts_with(key, CAST(:key AS text) || ':')
        AND substr(key, char_length(CAST(:key AS text)) + 2) ~ '^[0-9]+$'
""")

REPAID_BY = text("""
    SELECT entry.lot_id, sum(entry.credits) AS credits
    FROM ledger_transactions AS posted
    JOIN ledger_entries AS entry
        ON entry.transaction_id = posted.id AND entry.account = 'repaid'
    WHERE posted.user_id = :user_id AND posted.kind = 'repay'
        AND starts_with(posted.key, CAST(:key AS text) || ':')
        AND substr(posted.key, char_length(CAST(:key AS text)) + 2) ~ '^[0-9]+$'
    GROUP BY entry.lot_id ORDER BY entry.lot_id
""")

# What of a lot can still be asked back, and how much of that was used.
CLAIMABLE = text("""
    SELECT
        CASE WHEN lot.usable_until <= coalesce(lot.frozen_since, :now) THEN 0
            ELSE lot.remaining END AS unspent,
        CAST(greatest(0, coalesce(sum(entry.credits) FILTER (WHERE entry.account IN (
            'spent', 'held', 'repaid', 'owed', 'covered', 'forgiven')), 0)) AS bigint) AS used
    FROM lots AS lot LEFT JOIN ledger_entries AS entry ON entry.lot_id = lot.id
    WHERE lot.id = :lot_id
    GROUP BY lot.id
""")

CLAWED_BACK = text("""
    SELECT posted.user_id, posted.credits AS asked, posted.reason, entry.lot_id,
        CAST(coalesce(-sum(entry.credits) FILTER (WHERE account = 'available'), 0) AS bigint)
            AS taken,
        CAST(coalesce(-sum(entry.credits) FILTER (WHERE account = 'owed'), 0) AS bigint) AS owed
    FROM ledger_transactions AS posted
    JOIN ledger_entries AS entry ON entry.transaction_id = posted.id
    WHERE posted.kind = 'claw_back' AND posted.key = :key
    GROUP BY posted.id, entry.lot_id
""")

MOVED = text("""
    SELECT posted.user_id, posted.credits AS asked,
        CAST(coalesce(sum(entry.credits) FILTER (WHERE account = :account), 0) AS bigint) AS moved
    FROM ledger_transactions AS posted
    JOIN ledger_entries AS entry ON entry.transaction_id = posted.id
    WHERE posted.kind = :kind AND posted.key = :key
    GROUP BY posted.id
""")

OWNERS = text("SELECT DISTINCT user_id FROM lots WHERE reference = :reference ORDER BY user_id")

FREEZE = text("""
    INSERT INTO freezes (key, reference, reason, frozen_at)
    VALUES (:key, :reference, :reason, :now)
    ON CONFLICT (key) DO NOTHING
""")

FREEZE_OF_KEY = text("SELECT reference, thawed_at FROM freezes WHERE key = :key")

THAW = text("UPDATE freezes SET thawed_at = :now WHERE key = :key AND thawed_at IS NULL")

STOPPED = text("""
    SELECT CAST(coalesce(sum(remaining), 0) AS bigint) FROM lots
    WHERE reference = :reference AND frozen_since IS NOT NULL
        AND (usable_until IS NULL OR usable_until > frozen_since)
""")

THAWED = text("""
    SELECT id, user_id, remaining FROM lots
    WHERE reference = :reference AND remaining > 0 AND frozen_since IS NULL
        AND (usable_until IS NULL OR usable_until > :now)
    ORDER BY id
""")
