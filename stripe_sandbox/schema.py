"""The tables of a store, and which columns beside its body an object is looked up by."""

from stripe_sandbox import Json

APPLICATION_ID = 0x53545258
# One more whenever a table changes, or an object in a way that older ones cannot go on with.
VERSION = 3

# What objects are looked up by, each in a column of its own beside the body: reading JSON for an
# index is the slow part of writing. A column has the name of its field in the body, but for one.
COLUMNS = (
    "charge",
    "code",
    "created",
    "customer",
    "deleted",
    "intent",
    "invoice",
    "lookup_key",
    "payment_intent",
    "subscription",
    "type",
)
_FIELDS = tuple({"intent": "_intent"}.get(column, column) for column in COLUMNS)
# Where else in a body such a value stands, when the field itself is not there.
_ELSEWHERE = {
    "payment_intent": "payment.payment_intent",
    "subscription": "parent.subscription_details.subscription",
}
_COLUMN_OF = {
    **dict(zip(_FIELDS, COLUMNS, strict=True)),
    **{path: column for column, path in _ELSEWHERE.items()},
}
_DEEPER = tuple((COLUMNS.index(name), path.split(".")) for name, path in _ELSEWHERE.items())

SCHEMA = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    charge TEXT,
    code TEXT,
    created INTEGER,
    customer TEXT,
    deleted INTEGER,
    intent TEXT,
    invoice TEXT,
    lookup_key TEXT,
    payment_intent TEXT,
    subscription TEXT,
    type TEXT,
    body TEXT NOT NULL
);
CREATE INDEX objects_kind ON objects (kind, seq);
CREATE INDEX objects_charge ON objects (charge, kind, seq) WHERE charge IS NOT NULL;
CREATE INDEX objects_code ON objects (code, kind, seq) WHERE code IS NOT NULL;
CREATE INDEX objects_customer ON objects (customer, kind, seq) WHERE customer IS NOT NULL;
CREATE INDEX objects_intent ON objects (intent, kind, seq) WHERE intent IS NOT NULL;
CREATE INDEX objects_invoice ON objects (invoice, kind, seq) WHERE invoice IS NOT NULL;
CREATE INDEX objects_lookup_key ON objects (lookup_key, kind, seq) WHERE lookup_key IS NOT NULL;
CREATE INDEX objects_payment_intent ON objects (payment_intent, kind, seq)
    WHERE payment_intent IS NOT NULL;
CREATE INDEX objects_subscription ON objects (subscription, kind, seq)
    WHERE subscription IS NOT NULL;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'succeeded', 'failed', 'dropped')),
    tries INTEGER NOT NULL DEFAULT 0,
    made_at REAL NOT NULL,
    due_at REAL NOT NULL,
    quirks TEXT
);
CREATE INDEX deliveries_waiting ON deliveries (endpoint, due_at, id) WHERE state = 'waiting';
CREATE INDEX deliveries_event ON deliveries (event);
CREATE TABLE attempts (
    delivery INTEGER NOT NULL,
    try INTEGER NOT NULL,
    at REAL NOT NULL,
    status INTEGER,
    seconds REAL NOT NULL,
    fault TEXT,
    PRIMARY KEY (delivery, try)
) WITHOUT ROWID;
CREATE TABLE labs (
    endpoint TEXT PRIMARY KEY,
    modes TEXT NOT NULL,
    second_secret TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    hits INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE timers (
    id INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    clock TEXT,
    UNIQUE (verb, object)
);
CREATE INDEX timers_due ON timers (clock, due_at, id);
CREATE TABLE replays (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def column_of(path: str) -> str | None:
    """The column that holds this field of a body, or None if it stands in the body only."""
    return _COLUMN_OF.get(path)


def columns_of(body: Json) -> list[object]:
    """What the body's columns hold, in the order of COLUMNS."""
    found = [body.get(field) for field in _FIELDS]
    for place, path in _DEEPER:
        if found[place] is None:
            found[place] = _deeper(body, path)
    return [value if isinstance(value, str | int) else None for value in found]


def _deeper(body: Json, path: list[str]) -> object:
    value: object = body
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
