"""What the product holds at the end, read from its tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import text

from talkingphoto.billing import ledger
from tests.simulation.world import World


class Ours:
    """One moment of the product's database."""

    def __init__(self, world: World) -> None:
        self._runtime = world.runtime

    def broken_rules(self) -> list[str]:
        """What the ledger's own check finds."""
        with self._runtime.read_only() as session:
            return [str(found) for found in ledger.check(session)]

    def subscriptions(self) -> dict[str, tuple[object, ...]]:
        """Each subscription on record, as `Truth.subscriptions` tells them."""
        rows = self._rows(
            "SELECT id, user_id, item, status, period_start, period_end, cancel_at_period_end "
            "FROM subscriptions"
        )
        return {row.id: (str(row.user_id), *row[2:]) for row in rows}

    def payments(self) -> dict[str, tuple[str, str, int, int]]:
        """Each payment on record: whose, in which state, how much, how much given back."""
        rows = self._rows("SELECT id, user_id, status, amount_minor, refunded_minor FROM payments")
        return {row.id: (str(row.user_id), *row[2:]) for row in rows}

    def lots(self) -> dict[tuple[str, str], Counter[int]]:
        """The lots that were granted for each user and reference, by size; free ones apart."""
        found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
        for row in self._rows(
            "SELECT user_id, reference, credits FROM lots WHERE source <> 'free'"
        ):
            found[str(row.user_id), row.reference][row.credits] += 1
        return found

    def refunds(self) -> dict[str, tuple[str, int]]:
        """Each refund that Stripe knows: how it stands, and how much it gives back."""
        rows = self._rows(
            "SELECT stripe_id, state, amount_minor FROM refunds WHERE stripe_id IS NOT NULL"
        )
        return {row.stripe_id: (row.state, row.amount_minor) for row in rows}

    def disputes(self) -> dict[str, tuple[str, int]]:
        """Each dispute on record: how it stands, and about how much."""
        rows = self._rows("SELECT id, state, amount_minor FROM disputes")
        return {row.id: (row.state, row.amount_minor) for row in rows}

    def undone(self) -> list[str]:
        """Work that was left: events, jobs, mails and checkouts."""
        return [
            f"{row.what} {row.id}"
            for row in self._rows(
                """
                SELECT 'unprocessed event' AS what, id FROM stripe_events
                WHERE processed_at IS NULL
                UNION ALL SELECT 'dead event', id FROM stripe_events WHERE result = 'dead'
                UNION ALL SELECT 'job of ' || task_name, id::text FROM procrastinate_jobs
                WHERE status = 'todo' AND scheduled_at IS NULL
                UNION ALL SELECT 'unsent mail', key FROM mails WHERE sent_at IS NULL
                UNION ALL SELECT 'refund asked for', id::text FROM refunds
                WHERE stripe_id IS NULL AND state <> 'failed'
                UNION ALL SELECT 'change asked for', request_id::text FROM plan_changes
                WHERE state = 'asked'
                UNION ALL SELECT 'held credits', id::text FROM holds WHERE state = 'held'
                """
            )
        ]

    def checkouts(self) -> dict[str, str]:
        """Where each checkout with a page stands."""
        rows = self._rows("SELECT session_id, state FROM checkouts WHERE session_id IS NOT NULL")
        return {row.session_id: row.state for row in rows}

    def account(self, user_id: str) -> list[str]:
        """One customer's state in lines that name no id: the same for the same life."""
        return [
            "|".join(map(str, row))
            for query in _ACCOUNT
            for row in self._rows(query, user_id=user_id)
        ]

    def _rows(self, query: str, **values: object) -> list[Any]:
        with self._runtime.read_only() as session:
            return list(session.execute(text(query), values))


_ACCOUNT = (
    """SELECT 'plan', item, status, period_start, period_end, cancel_at_period_end
    FROM subscriptions WHERE user_id = :user_id ORDER BY 2, 3, 4, 5, 6""",
    """SELECT 'payment', kind, item, amount_minor, tax_minor, refunded_minor, status, paid_at
    FROM payments WHERE user_id = :user_id ORDER BY 2, 3, 4, 5, 6, 7, 8""",
    # Lots that end together may be spent in either order: their sum is what a life leaves.
    """SELECT 'lots', source, usable_until, sum(credits), sum(remaining)
    FROM lots WHERE user_id = :user_id GROUP BY source, usable_until ORDER BY 2, 3""",
    """SELECT 'moved', kind, count(*), sum(credits) FROM ledger_transactions
    WHERE user_id = :user_id AND kind NOT IN ('expire', 'revoke') GROUP BY kind ORDER BY 2""",
    """SELECT 'checkout', item, state FROM checkouts WHERE user_id = :user_id ORDER BY 2, 3""",
)
