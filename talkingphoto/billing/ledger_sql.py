"""The ledger's statements: each posts whole ledger transactions at once, or reads one moment.

They rely on the customer's lock, which `ledger` takes before any that writes.
"""

from __future__ import annotations

from sqlalchemy import text

GRANT = text("""
    WITH lot AS (
        INSERT INTO lots (id, user_id, key, source, credits, price_minor, tax_minor, currency,
            expires_at, usable_until, reference, description, created_at)
        VALUES (:id, :user_id, :key, :source, :credits, :price_minor, :tax_minor, :currency,
            :expires_at, :expires_at, :reference, :description, :now)
        ON CONFLICT (key) DO NOTHING
        RETURNING id, user_id, key, description, credits, created_at
    ), posted AS (
        INSERT INTO ledger_transactions
            (user_id, kind, key, reason, credits, entry_count, created_at)
        SELECT user_id, 'grant', key, description, credits, 2, created_at FROM lot
        RETURNING id
    ), moved AS (
        INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
        SELECT posted.id, lot.user_id, side.account, lot.id, side.sign * lot.credits
        FROM posted CROSS JOIN lot
        CROSS JOIN (VALUES ('granted', -1), ('available', 1)) AS side (account, sign)
    )
    SELECT id FROM lot
""")

# The soonest to end first; of those that end together, what was paid for is kept longest.
HOLD = text("""
    WITH usable AS (
        SELECT id, remaining, sum(remaining) OVER (
            ORDER BY usable_until NULLS LAST,
                array_position(
                    ARRAY['promo', 'free', 'gift', 'goodwill', 'plan', 'pack'], source
                ),
                number
        ) - remaining AS before
        FROM lots
        WHERE user_id = :user_id AND remaining > 0
            AND frozen_since IS NULL
            AND (usable_until IS NULL OR usable_until > :now)
    ), taken AS (
        SELECT id AS lot_id, least(remaining, :credits - before) AS credits
        FROM usable WHERE before < :credits
    ), held AS (
        INSERT INTO holds (id, user_id, credits, state, expires_at, created_at)
        SELECT :hold_id, :user_id, :credits, 'held', :expires_at, :now
        WHERE (SELECT sum(remaining) FROM usable) - :owed >= :credits
        ON CONFLICT (id) DO NOTHING
        RETURNING *
    ), posted AS (
        INSERT INTO ledger_transactions
            (user_id, kind, key, reason, credits, entry_count, created_at)
        SELECT user_id, 'hold', id, :reason, credits, 2 * (SELECT count(*) FROM taken), created_at
        FROM held
        RETURNING id, user_id
    ), moved AS (
        INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
        SELECT posted.id, posted.user_id, side.account, taken.lot_id, side.sign * taken.credits
        FROM posted CROSS JOIN taken
        CROSS JOIN (VALUES ('available', -1), ('held', 1)) AS side (account, sign)
    )
    SELECT * FROM held
""")

# The lots in the order in which HOLD takes them, and those that are frozen.
IN_ORDER = text("""
    SELECT source, description, credits, remaining, usable_until,
        frozen_since IS NOT NULL AS frozen
    FROM lots
    WHERE user_id = :user_id AND remaining > 0
        AND (usable_until IS NULL OR usable_until > coalesce(frozen_since, :now))
    ORDER BY frozen_since IS NOT NULL, usable_until NULLS LAST,
        array_position(ARRAY['promo', 'free', 'gift', 'goodwill', 'plan', 'pack'], source),
        number
    LIMIT :most
""")

END_HOLDS = text("""
    WITH ended AS (
        UPDATE holds SET state = :state, ended_at = :now
        WHERE id = ANY(:hold_ids) AND state = 'held'
        RETURNING *
    ), taken AS (
        SELECT CAST(ended.id AS text) AS key, ended.user_id, ended.credits AS asked,
            entry.lot_id, entry.credits
        FROM ended
        JOIN ledger_transactions AS hold
            ON hold.kind = 'hold' AND hold.key = CAST(ended.id AS text)
        JOIN ledger_entries AS entry
            ON entry.transaction_id = hold.id AND entry.account = 'held'
    ), posted AS (
        INSERT INTO ledger_transactions
            (user_id, kind, key, reason, credits, entry_count, created_at)
        SELECT user_id, :kind, key, :reason, asked, 2 * count(*), :now
        FROM taken GROUP BY user_id, key, asked ORDER BY key
        RETURNING id, key
    ), moved AS (
        INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
        SELECT posted.id, taken.user_id, side.account, taken.lot_id, side.sign * taken.credits
        FROM posted JOIN taken USING (key)
        CROSS JOIN (VALUES ('held', -1), (:account, 1)) AS side (account, sign)
        ORDER BY posted.id
    )
    SELECT * FROM ended
""")

HELD_OF = text("""
    SELECT holds.user_id, entry.lot_id, CAST(sum(entry.credits) AS bigint) AS credits
    FROM ledger_transactions AS hold
    JOIN holds ON hold.key = CAST(holds.id AS text) AND holds.state = 'held'
    JOIN ledger_entries AS entry ON entry.transaction_id = hold.id AND entry.account = 'held'
    WHERE hold.kind = 'hold' AND holds.id = ANY(:hold_ids)
    GROUP BY holds.user_id, entry.lot_id ORDER BY holds.user_id, entry.lot_id
""")

POST = text("""
    WITH posted AS (
        INSERT INTO ledger_transactions
            (user_id, kind, key, reason, credits, entry_count, created_at)
        VALUES (:user_id, :kind, :key, :reason, :credits,
            cardinality(CAST(:lot_ids AS uuid[])), :now)
        RETURNING id, user_id
    )
    INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
    SELECT posted.id, posted.user_id, side.account, side.lot_id, side.credits
    FROM posted CROSS JOIN unnest(
        CAST(:accounts AS text[]), CAST(:lot_ids AS uuid[]), CAST(:moved AS bigint[])
    ) WITH ORDINALITY AS side (account, lot_id, credits, place)
    ORDER BY side.place
""")

# The time of a frozen lot stands still.
RAN_OUT = text("""
    SELECT id FROM lots
    WHERE id = ANY(:lot_ids) AND usable_until <= coalesce(frozen_since, :now) ORDER BY id
""")

REVIVE_LOTS = text("""
    UPDATE lots SET usable_until = latest_end
    WHERE id = ANY(:lot_ids) AND usable_until < latest_end
""")

# Credits may return to a lot that ran out, and run out again: the turn is part of the key.
EXPIRE_LOTS = text("""
    WITH due AS (
        SELECT id, user_id, description, remaining, concat(id, ':', (
            SELECT count(*) FROM ledger_entries AS earlier
            WHERE earlier.lot_id = lots.id AND earlier.account = 'expired'
        )) AS key
        FROM lots
        WHERE id = ANY(:lot_ids) AND remaining > 0
            AND usable_until <= coalesce(frozen_since, :now)
    ), posted AS (
        INSERT INTO ledger_transactions
            (user_id, kind, key, reason, credits, entry_count, created_at)
        SELECT user_id, 'expire', key, description, remaining, 2, :now FROM due ORDER BY key
        RETURNING id, key
    )
    INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
    SELECT posted.id, due.user_id, side.account, due.id, side.sign * due.remaining
    FROM posted JOIN due USING (key)
    CROSS JOIN (VALUES ('available', -1), ('expired', 1)) AS side (account, sign)
    ORDER BY posted.id
""")

REVOKE = text("""
    WITH taken AS (
        SELECT id AS lot_id, user_id, least(remaining, :credits) AS credits
        FROM lots
        WHERE id = :lot_id AND remaining > 0
            AND (usable_until IS NULL OR usable_until > coalesce(frozen_since, :now))
    ), posted AS (
        INSERT INTO ledger_transactions
            (user_id, kind, key, reason, credits, entry_count, created_at)
        SELECT user_id, 'revoke', :key, :reason, :credits, 2, :now FROM taken
        ON CONFLICT (kind, key) DO NOTHING
        RETURNING id
    )
    INSERT INTO ledger_entries (transaction_id, user_id, account, lot_id, credits)
    SELECT posted.id, taken.user_id, side.account, taken.lot_id, side.sign * taken.credits
    FROM posted CROSS JOIN taken
    CROSS JOIN (VALUES ('available', -1), ('revoked', 1)) AS side (account, sign)
""")

REVOKED = text("""
    SELECT posted.credits AS asked, posted.reason, entry.lot_id, entry.credits AS revoked
    FROM ledger_transactions AS posted
    JOIN ledger_entries AS entry
        ON entry.transaction_id = posted.id AND entry.account = 'revoked'
    WHERE posted.kind = 'revoke' AND posted.key = :key
""")

OVERDUE = text("""
    (
        SELECT 'hold' AS what, id, user_id FROM holds
        WHERE state = 'held' AND expires_at <= :now
        ORDER BY expires_at, id LIMIT :most
    ) UNION ALL (
        SELECT 'lot', id, user_id FROM lots
        WHERE remaining > 0 AND frozen_since IS NULL AND usable_until <= :now
        ORDER BY usable_until, id LIMIT :most
    )
    LIMIT :most
""")

BALANCE = text("""
    SELECT CASE WHEN frozen_since IS NULL THEN 'usable' ELSE 'frozen' END AS what, source,
        usable_until, CAST(sum(remaining) AS bigint) AS credits
    FROM lots
    WHERE user_id = :user_id AND remaining > 0
        AND (usable_until IS NULL OR usable_until > coalesce(frozen_since, :now))
    GROUP BY what, source, usable_until
    UNION ALL
    SELECT 'held', NULL, NULL, CAST(sum(credits) AS bigint) FROM holds
    WHERE user_id = :user_id AND state = 'held' HAVING count(*) > 0
    UNION ALL
    SELECT 'owed', NULL, NULL, CAST(sum(still_owed) AS bigint) FROM debts
    WHERE user_id = :user_id AND still_owed > 0 HAVING count(*) > 0
""")

STATEMENT = text("""
    SELECT line.id, posted.created_at, posted.kind, lot.source, posted.reason, line.credits,
        line.balance_after, line.owed_after, posted.key, lot.reference, lot.expires_at
    FROM (
        SELECT id, transaction_id, lot_id, account, credits,
            CAST(coalesce(sum(credits) FILTER (WHERE account = 'available')
                OVER (ORDER BY id), 0) AS bigint) AS balance_after,
            CAST(coalesce(-sum(credits) FILTER (WHERE account = 'owed')
                OVER (ORDER BY id), 0) AS bigint) AS owed_after
        FROM ledger_entries
        WHERE user_id = :user_id AND account IN ('available', 'owed')
            AND id < coalesce(CAST(:before AS bigint), 9223372036854775807)
    ) AS line
    JOIN ledger_transactions AS posted ON posted.id = line.transaction_id
    JOIN lots AS lot ON lot.id = line.lot_id
    -- What paid a debt has a line of its own, which says what is owed after it.
    WHERE line.account = 'available' OR posted.kind <> 'repay'
    ORDER BY line.id DESC LIMIT :most
""")

# One pass over every entry, three groupings; each line names what differs and by how much.
CHECK = text("""
    WITH lot_account AS (
        SELECT lot_id, account, sum(credits) AS credits
        FROM ledger_entries GROUP BY lot_id, account
    ), lot AS (
        SELECT lots.id, lots.user_id, lots.credits, lots.remaining,
            coalesce(sum(moved.credits) FILTER (WHERE account = 'available'), 0) AS available,
            coalesce(-sum(moved.credits) FILTER (WHERE account = 'granted'), 0) AS granted,
            coalesce(-sum(moved.credits) FILTER (WHERE account = 'owed'), 0) AS owed,
            coalesce((SELECT sum(still_owed) FROM debts WHERE debts.lot_id = lots.id), 0) AS debts,
            CASE WHEN lots.frozen_since IS NULL THEN 0 ELSE 1 END AS frozen,
            (SELECT count(*) FROM freezes
                WHERE freezes.reference = lots.reference AND thawed_at IS NULL) AS freezes
        FROM lots LEFT JOIN lot_account AS moved ON moved.lot_id = lots.id
        GROUP BY lots.id
    ), posted AS (
        SELECT head.id, head.user_id, head.entry_count, count(entry.id) AS entries,
            coalesce(max(abs(lot_sum.credits)), 0) AS astray,
            count(*) FILTER (WHERE entry.user_id <> head.user_id
                OR lots.user_id <> head.user_id) AS foreign_entries
        FROM ledger_transactions AS head
        LEFT JOIN ledger_entries AS entry ON entry.transaction_id = head.id
        LEFT JOIN lots ON lots.id = entry.lot_id
        LEFT JOIN (
            SELECT transaction_id, sum(credits) AS credits
            FROM ledger_entries GROUP BY transaction_id, lot_id HAVING sum(credits) <> 0
        ) AS lot_sum ON lot_sum.transaction_id = head.id
        GROUP BY head.id
    ), hold AS (
        SELECT coalesce(CAST(holds.id AS text), moved.key) AS id,
            coalesce(holds.user_id, moved.user_id) AS user_id,
            CASE WHEN state = 'held' THEN holds.credits ELSE 0 END AS owed,
            CASE WHEN state = 'settled' THEN holds.credits ELSE 0 END AS used,
            coalesce(moved.held, 0) AS held, coalesce(moved.spent, 0) AS spent
        FROM holds FULL JOIN (
            SELECT head.key, head.user_id,
                sum(entry.credits) FILTER (WHERE account = 'held') AS held,
                sum(entry.credits) FILTER (WHERE account = 'spent') AS spent
            FROM ledger_entries AS entry
            JOIN ledger_transactions AS head ON head.id = entry.transaction_id
            WHERE account IN ('held', 'spent') GROUP BY head.key, head.user_id
        ) AS moved ON moved.key = CAST(holds.id AS text) AND moved.user_id = holds.user_id
    )
    SELECT 'lot.remaining' AS rule, CAST(id AS text) AS id, user_id,
        CAST(available AS bigint) AS expected, remaining AS found
    FROM lot WHERE remaining <> available
    UNION ALL
    SELECT 'lot.granted', CAST(id AS text), user_id, credits, CAST(granted AS bigint)
    FROM lot WHERE credits <> granted
    UNION ALL
    SELECT 'lot.overdrawn', CAST(lots.id AS text), lots.user_id, 0, CAST(moved.credits AS bigint)
    FROM lot_account AS moved JOIN lots ON lots.id = moved.lot_id
    WHERE moved.credits < 0 AND moved.account NOT IN ('granted', 'owed', 'covered', 'forgiven')
    UNION ALL
    SELECT 'lot.overpaid', CAST(lots.id AS text), lots.user_id, 0, CAST(moved.credits AS bigint)
    FROM lot_account AS moved JOIN lots ON lots.id = moved.lot_id
    WHERE moved.credits > 0 AND moved.account IN ('owed', 'covered', 'forgiven')
    UNION ALL
    SELECT 'lot.owed', CAST(id AS text), user_id, CAST(owed AS bigint), CAST(debts AS bigint)
    FROM lot WHERE owed <> debts
    UNION ALL
    SELECT 'lot.frozen', CAST(id AS text), user_id, freezes, frozen
    FROM lot WHERE least(freezes, 1) <> frozen
    UNION ALL
    SELECT 'customer.repaid', CAST(user_id AS text), user_id, 0, CAST(sum(credits) AS bigint)
    FROM ledger_entries WHERE account IN ('repaid', 'covered')
    GROUP BY user_id HAVING sum(credits) <> 0
    UNION ALL
    SELECT 'transaction.entries', CAST(id AS text), user_id, entry_count, entries
    FROM posted WHERE entries <> entry_count
    UNION ALL
    SELECT 'transaction.balance', CAST(id AS text), user_id, 0, CAST(astray AS bigint)
    FROM posted WHERE astray <> 0
    UNION ALL
    SELECT 'transaction.owner', CAST(id AS text), user_id, 0, foreign_entries
    FROM posted WHERE foreign_entries <> 0
    UNION ALL
    SELECT 'hold.held', id, user_id, owed, CAST(held AS bigint) FROM hold WHERE owed <> held
    UNION ALL
    SELECT 'hold.spent', id, user_id, used, CAST(spent AS bigint) FROM hold WHERE used <> spent
    LIMIT :most
""")
