"""Letters: deliveries that are due, made ready to be sent, and what came of them."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass

from stripe_sandbox import Json, older_shapes
from stripe_sandbox.delivery import modes, signing
from stripe_sandbox.older_shapes import Around
from stripe_sandbox.unit import visible

log = logging.getLogger(__name__)

# Seconds before the second try, the third and so on; after the last the delivery has failed.
BACKOFF = (1, 5, 30, 120, 600, 1800, 3600, 7200, 14400)
# The invoice payment that joins an invoice with its PaymentIntent, found from either side.
_PAYMENT_OF = {
    "invoice": "SELECT invoice, payment_intent FROM objects WHERE invoice = ? "
    "AND kind = 'invoice_payment' ORDER BY seq DESC LIMIT 1",
    "payment_intent": "SELECT invoice, payment_intent FROM objects WHERE payment_intent = ? "
    "AND kind = 'invoice_payment' ORDER BY seq DESC LIMIT 1",
}


@dataclass(frozen=True)
class Letter:
    """One try of one delivery: what to send where, signed with what and as of when."""

    delivery: int
    endpoint: str
    tries: int
    url: str
    secrets: tuple[str, ...]
    body: str
    stale_seconds: int = 0

    def signature(self) -> str:
        """The value of its Stripe-Signature, made at the last moment."""
        return signing.signature(self.secrets, self.body, int(time.time()) - self.stale_seconds)


@dataclass(frozen=True)
class Outcome:
    """How a try has ended: an HTTP status, or the fault that kept it from getting one."""

    letter: Letter
    at: float
    seconds: float
    status: int | None = None
    fault: str | None = None

    @property
    def arrived(self) -> bool:
        """True if the receiver has taken the letter."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Desk:
    """Where letters for one endpoint are written: its facts, and how many may wait to be sent."""

    endpoint: Json
    second_secret: str | None
    flying: frozenset[int]
    room: int


def desks(database: sqlite3.Connection) -> list[tuple[Json, str | None]]:
    """Every endpoint that is not deleted, with the second secret of its laboratory, if any."""
    rows = database.execute(
        "SELECT body, second_secret FROM objects LEFT JOIN labs ON endpoint = id "
        "WHERE kind = 'webhook_endpoint' AND deleted IS NULL ORDER BY objects.seq"
    )
    return [(json.loads(row["body"]), row["second_secret"]) for row in rows]


def due(database: sqlite3.Connection, desk: Desk) -> tuple[list[Letter], float | None]:
    """The letters to send now, and the moment the next one is due if these are all."""
    now = time.time()
    rows = database.execute(
        "SELECT deliveries.id, event, tries, due_at, quirks, body "
        "FROM deliveries JOIN objects ON objects.id = event "
        "WHERE endpoint = ? AND state = 'waiting' ORDER BY due_at, deliveries.id LIMIT ?",
        (desk.endpoint["id"], len(desk.flying) + desk.room + 1),
    )
    found: list[Letter] = []
    for row in rows:
        if row["id"] in desk.flying:
            continue
        if row["due_at"] > now:
            return found, float(row["due_at"])
        if len(found) == desk.room:
            # The rest follows when these have landed.
            break
        letter = _letter_or_none(database, desk, row)
        if letter is not None:
            found.append(letter)
    return found, None


def note(database: sqlite3.Connection, outcomes: Iterable[Outcome]) -> None:
    """The tries are on record, and each delivery has arrived, failed, or is due again."""
    landed = list(outcomes)
    database.executemany(
        "INSERT OR REPLACE INTO attempts (delivery, try, at, status, seconds, fault) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                *(outcome.letter.delivery, outcome.letter.tries + 1),
                *(outcome.at, outcome.status, outcome.seconds, outcome.fault),
            )
            for outcome in landed
        ],
    )
    # A delivery that was given up meanwhile, its endpoint being deleted, stays given up.
    database.executemany(
        "UPDATE deliveries SET state = ?, tries = tries + 1, due_at = ? WHERE id = ? AND "
        "state = 'waiting'",
        [_after(outcome) for outcome in landed],
    )


def _after(outcome: Outcome) -> tuple[str, float, int]:
    tries = outcome.letter.tries
    if outcome.arrived:
        return "succeeded", outcome.at, outcome.letter.delivery
    if tries >= len(BACKOFF):
        return "failed", outcome.at, outcome.letter.delivery
    return "waiting", time.time() + BACKOFF[tries], outcome.letter.delivery


def _letter_or_none(database: sqlite3.Connection, desk: Desk, row: sqlite3.Row) -> Letter | None:
    """The letter; or none if it cannot be written, and then nothing waits for it."""
    try:
        return _written(database, desk, row)
    except Exception:
        log.exception("delivery %d of %s cannot be written", row["id"], row["event"])
        database.execute("UPDATE deliveries SET state = 'failed' WHERE id = ?", (row["id"],))
        return None


def _written(database: sqlite3.Connection, desk: Desk, row: sqlite3.Row) -> Letter:
    quirks = modes.read(row["quirks"])
    endpoint = desk.endpoint
    event = visible(json.loads(row["body"]))
    event["pending_webhooks"] = database.execute(
        "SELECT count(*) FROM deliveries WHERE event = ? AND state = 'waiting'", (event["id"],)
    ).fetchone()[0]
    version = quirks.version or endpoint["api_version"]
    if older_shapes.is_older(version):
        event = older_shapes.converted(event, version, _around(database, event["data"]["object"]))
    secrets = list(endpoint["_secrets"])
    if quirks.two_secrets and desk.second_secret:
        secrets.insert(0, desk.second_secret)
    return Letter(
        delivery=row["id"],
        endpoint=endpoint["id"],
        tries=row["tries"],
        url=endpoint["url"],
        secrets=tuple(secrets),
        body=json.dumps(event),
        # Only the first try is late: what refuses it shall get the event all the same.
        stale_seconds=0 if row["tries"] else quirks.stale_seconds,
    )


def _found(database: sqlite3.Connection, object_id: str) -> Json | None:
    row = database.execute("SELECT body FROM objects WHERE id = ?", (object_id,)).fetchone()
    return None if row is None else visible(json.loads(row["body"]))


def _around(database: sqlite3.Connection, body: Json) -> Around:
    """What older shapes name beside the object, as it is now."""

    def find(object_id: str) -> Json | None:
        return _found(database, object_id)

    kind = body["object"]
    wanted = {
        "charge": ("payment_intent", body.get("payment_intent")),
        # An upcoming invoice has no id yet.
        "invoice": ("invoice", body.get("id")),
        "payment_intent": ("payment_intent", body["id"]),
    }
    if kind not in wanted:
        return Around(find)
    row = database.execute(_PAYMENT_OF[wanted[kind][0]], (wanted[kind][1],)).fetchone()
    if row is None:
        return Around(find)
    intent = find(row["payment_intent"]) or {}
    return Around(find, row["payment_intent"], intent.get("latest_charge"), row["invoice"])
