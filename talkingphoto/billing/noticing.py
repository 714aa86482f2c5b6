"""Who should be told of their credits now: each thing once, and nobody who does not want to be."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from talkingphoto.billing import catalog, forecast, notices, subscriptions, wallet

LONGEST_SWEEP = 200
# How long before the credits are gone somebody is told, if no others come before.
AHEAD = timedelta(days=3)

# Whose packs are bought by themselves is told when that stops, and not of running low.
# The period is a month of the plan, also within a paid year: what was told of it is told once.
_SUBSCRIBERS = text("""
    WITH sold AS (
        SELECT * FROM unnest(CAST(:items AS text[]), CAST(:monthly AS bigint[]))
            AS sold (item, credits)
    ), plan AS (
        SELECT DISTINCT ON (found.user_id) found.user_id, sold.credits, found.id,
            found.period_start AT TIME ZONE 'UTC' AS began,
            extract(epoch FROM least(:now - customers.created_at, :window)) AS seconds
        FROM subscriptions AS found
        JOIN sold USING (item)
        JOIN customers USING (user_id)
        LEFT JOIN notice_preferences AS told USING (user_id)
        WHERE found.status = ANY(:live) AND coalesce(told.credits, true)
            AND NOT EXISTS (
                SELECT FROM top_up_settings AS auto
                WHERE auto.user_id = found.user_id AND auto.is_on
            )
        ORDER BY found.user_id, found.started_at DESC, found.id
    ), month AS (
        SELECT plan.*, CAST(extract(year FROM since) * 12 + extract(month FROM since) AS integer)
            AS number
        FROM plan CROSS JOIN LATERAL age(:now AT TIME ZONE 'UTC', began) AS since
    ), stock AS (
        SELECT month.*, (
            SELECT greatest(0, coalesce(sum(remaining), 0) - (
                SELECT coalesce(sum(still_owed), 0) FROM debts
                WHERE debts.user_id = month.user_id AND still_owed > 0
            )) FROM lots
            WHERE lots.user_id = month.user_id AND remaining > 0 AND frozen_since IS NULL
                AND (usable_until IS NULL OR usable_until > :now)
        ) AS remains, (
            SELECT coalesce(sum(holds.credits), 0) FROM holds
            WHERE holds.user_id = month.user_id AND state = 'settled' AND ended_at > :since
        ) AS used
        FROM month
    ), due AS (
        SELECT user_id, concat(id, ':', to_char(began, 'YYYY-MM-DD'), ':', number) AS period, CASE
            WHEN remains = 0 THEN 'out'
            WHEN remains * :low_share <= credits THEN 'low'
            WHEN used >= :fewest AND seconds >= :shortest
                AND remains * seconds <= used * :ahead
                AND (:now AT TIME ZONE 'UTC') + make_interval(secs => remains * seconds / used)
                    < began + make_interval(months => number + 1)
                THEN 'runs_out'
        END AS kind
        FROM stock
    )
    SELECT user_id, kind, concat(kind, ':', period) AS key FROM due
    WHERE kind IS NOT NULL
        AND NOT EXISTS (SELECT FROM notices WHERE key = concat(due.kind, ':', period))
    ORDER BY user_id LIMIT :most
""")

# Who bought packs and has no plan: told each time when what they had is gone.
_BUYERS = text("""
    SELECT user_id, 'out' AS kind, concat('out:lot:', max(number)) AS key FROM lots
    LEFT JOIN notice_preferences AS told USING (user_id)
    WHERE coalesce(told.credits, true)
        AND NOT EXISTS (
            SELECT FROM subscriptions AS found
            WHERE found.user_id = lots.user_id AND found.status = ANY(:live)
        )
        AND NOT EXISTS (
            SELECT FROM top_up_settings AS auto
            WHERE auto.user_id = lots.user_id AND auto.is_on
        )
    GROUP BY user_id
    HAVING bool_or(source = 'pack') AND coalesce(sum(remaining) FILTER (
            WHERE usable_until IS NULL OR usable_until > :now
        ), 0) = 0
        AND NOT EXISTS (SELECT FROM notices WHERE key = concat('out:lot:', max(number)))
    ORDER BY user_id LIMIT :most
""")

_EXPIRING = text("""
    SELECT lots.user_id, concat('expiring:', lots.id) AS key, remaining, usable_until FROM lots
    LEFT JOIN notice_preferences AS told USING (user_id)
    WHERE remaining > 0 AND frozen_since IS NULL
        AND usable_until > :now AND usable_until <= :soon
        AND coalesce(told.credits, true)
        AND NOT EXISTS (SELECT FROM notices WHERE key = concat('expiring:', lots.id))
    ORDER BY usable_until, lots.id LIMIT :most
""")


def note(session: Session, *, now: datetime) -> int:
    """Those whose credits are low, gone, or end soon are to be told; how many things that are."""
    told = [*_running_low(session, now=now), *_expiring(session, now=now)]
    return sum(notices.record(session, one, now=now) for one in told)


def _running_low(session: Session, *, now: datetime) -> list[notices.Notice]:
    plans = [item for item in catalog.ITEMS.values() if item.is_plan]
    values = {
        "items": [item.key for item in plans],
        "monthly": [item.credits for item in plans],
        "live": list(subscriptions.LIVE),
        "now": now,
        "since": now - forecast.WINDOW,
        "window": forecast.WINDOW,
        "shortest": int(forecast.SHORTEST_WINDOW.total_seconds()),
        "fewest": forecast.FEWEST_VIDEOS,
        "ahead": int(AHEAD.total_seconds()),
        "low_share": wallet.LOW_SHARE,
        "most": LONGEST_SWEEP,
    }
    buyers = {name: values[name] for name in ("live", "now", "most")}
    rows = [*session.execute(_SUBSCRIBERS, values), *session.execute(_BUYERS, buyers)]
    found = []
    for row in rows:
        held = wallet.purse(session, user_id=str(row.user_id), now=now)
        end = wallet.outlook(held, now=now).runs_out_at
        facts = {
            "left": str(held.balance.available),
            "runs_out_at": end.isoformat() if end and row.kind != "out" else "",
        }
        found.append(notices.Notice(row.key, str(row.user_id), row.kind, facts))
    return found


def _expiring(session: Session, *, now: datetime) -> list[notices.Notice]:
    values = {"now": now, "soon": now + wallet.EXPIRING, "most": LONGEST_SWEEP}
    return [
        notices.Notice(
            key=row.key,
            user_id=str(row.user_id),
            kind="expiring",
            facts={
                "credits": str(row.remaining),
                "expires_at": row.usable_until.isoformat(),
            },
        )
        for row in session.execute(_EXPIRING, values)
    ]
