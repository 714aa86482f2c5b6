"""Stores as older sandboxes wrote them: the tables of versions 1 and 2, with something in each."""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from stripe_sandbox import schema

_TABLES = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX objects_kind ON objects (kind, seq);
CREATE INDEX objects_customer ON objects (kind, json_extract(body, '$.customer'), seq)
    WHERE json_extract(body, '$.customer') IS NOT NULL;
CREATE INDEX objects_payment_intent ON objects (kind, json_extract(body, '$.payment_intent'), seq)
    WHERE json_extract(body, '$.payment_intent') IS NOT NULL;
CREATE INDEX objects_lookup_key ON objects (kind, json_extract(body, '$.lookup_key'))
    WHERE json_extract(body, '$.lookup_key') IS NOT NULL;
CREATE INDEX objects_subscription ON objects (kind, json_extract(body, '$.subscription'))
    WHERE json_extract(body, '$.subscription') IS NOT NULL;
CREATE INDEX objects_paid_by ON objects (kind, json_extract(body, '$.payment.payment_intent'))
    WHERE json_extract(body, '$.payment.payment_intent') IS NOT NULL;
CREATE INDEX objects_invoice ON objects (kind, json_extract(body, '$.invoice'))
    WHERE json_extract(body, '$.invoice') IS NOT NULL;
CREATE INDEX objects_try ON objects (kind, json_extract(body, '$._intent'))
    WHERE json_extract(body, '$._intent') IS NOT NULL;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'succeeded', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL
);
CREATE INDEX deliveries_waiting ON deliveries (due_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_event ON deliveries (event);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL REFERENCES deliveries (id),
    at REAL NOT NULL,
    status INTEGER,
    seconds REAL NOT NULL,
    fault TEXT
);
CREATE TABLE replays (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX replays_at ON replays (at);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_TIMERS = {
    1: """
CREATE TABLE timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    UNIQUE (verb, object)
);
CREATE INDEX timers_due ON timers (due_at, id);
""",
    2: """
CREATE TABLE timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    clock TEXT,
    UNIQUE (verb, object)
);
CREATE INDEX timers_due ON timers (clock, due_at, id);
""",
}
CUSTOMER, PRICE, EVENT, SESSION = "cus_old", "price_old", "evt_old", "cs_test_old"
AHEAD_SECONDS = 5_000_000


def write(path: Path, version: int) -> None:
    """The file is a store of this version: a customer, a price, a session, an event half sent."""
    with sqlite3.connect(path) as connection:
        connection.executescript(_TABLES + _TIMERS[version])
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        for body in _bodies():
            connection.execute(
                "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)",
                (body["id"], body["object"], json.dumps(body)),
            )
        connection.execute(
            "INSERT INTO deliveries (event, endpoint, tries, due_at) VALUES (?, 'we_old', 2, ?)",
            (EVENT, time.time()),
        )
        connection.executemany(
            "INSERT INTO attempts (delivery, at, status, seconds, fault) VALUES (1, ?, ?, ?, ?)",
            [(1.0, None, 0.1, "ConnectionError"), (2.0, 500, 0.2, None)],
        )
        connection.execute(
            "INSERT INTO timers (due_at, verb, object) VALUES (?, 'expire', ?)",
            (int(time.time()) + AHEAD_SECONDS + 900, SESSION),
        )
        connection.execute("INSERT INTO settings VALUES ('ahead_seconds', ?)", (AHEAD_SECONDS,))
    connection.close()


def _bodies() -> list[dict[str, Any]]:
    customer = {"id": CUSTOMER, "object": "customer", "created": 5, "email": "old@example.com"}
    return [
        {
            "id": "we_old",
            "object": "webhook_endpoint",
            "api_version": None,
            "enabled_events": ["customer.created"],
            "status": "enabled",
            "url": "http://127.0.0.1:9/",
            "_managed": True,
            "_secrets": ["whsec_old"],
        },
        customer,
        {
            "id": PRICE,
            "object": "price",
            "active": True,
            "created": 6,
            "currency": "usd",
            "lookup_key": "old:plan",
            "type": "one_time",
        },
        {
            "id": SESSION,
            "object": "checkout.session",
            "status": "open",
            "customer": CUSTOMER,
            "created": 7,
            "_intent": None,
        },
        {
            "id": EVENT,
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": 8,
            "data": {"object": customer},
            "pending_webhooks": 0,
            "type": "customer.created",
        },
    ]
