"""The store: one that cannot be used is refused in a sentence, and none grows for ever."""

import json
import resource
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from stripe_sandbox import opening, retention
from stripe_sandbox.opening import StoreFault
from stripe_sandbox.retention import Limits
from stripe_sandbox.sandbox import Sandbox, Settings
from stripe_sandbox.unit import Unit
from tests.sandbox.running import Process, Receiver, Shop, eventually, open_shop
from tests.sandbox.stores import database_of, refusal_of


def _spoil(sql: str) -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        with database_of(path) as database:
            database.executescript(sql)

    return spoil


def _blank(path: Path) -> None:
    """A page in the middle is nothing but zeros."""
    raw = bytearray(path.read_bytes())
    raw[8192:12288] = bytes(4096)
    path.write_bytes(raw)


def _as_folder(suffix: str) -> Callable[[Path], object]:
    return lambda path: path.with_name(path.name + suffix).mkdir()


_BODY = "UPDATE objects SET body = %s WHERE kind = 'product'"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:20_000]), "damaged"),
        (lambda path: path.write_bytes(b"no database" * 500), "damaged or no sandbox store"),
        (_blank, "damaged"),
        (_spoil("DROP TABLE timers"), "it lacks the column"),
        (_spoil("ALTER TABLE deliveries DROP COLUMN quirks"), "quirks of deliveries"),
        (_spoil("DROP INDEX objects_kind"), "it lacks the index objects_kind"),
        (_spoil(_BODY % "substr(body, 1, 50)"), "the object prod_"),
        (_spoil(_BODY % "'[]'"), "the object prod_"),
        (_spoil("INSERT INTO settings VALUES ('ahead_seconds', 'x')"), "the setting ahead_seconds"),
        (_spoil("PRAGMA user_version = 99"), "version 99, of a sandbox newer than"),
        (_spoil("PRAGMA user_version = 2"), "version 2, of a sandbox older than"),
        (_as_folder("-wal"), "see that its folder is writable"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, healthy: bytes, spoil: Callable[[Path], object], words: str
) -> None:
    store = tmp_path / "s.sqlite"
    store.write_bytes(healthy)
    spoil(store)
    with pytest.raises(StoreFault) as refused:
        opening.examine(store)
    assert str(refused.value).startswith(f"the store {store} ")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spoil", [_blank, _spoil(_BODY % "substr(body, 1, 50)")])
def test_a_spoilt_store_ends_the_sandbox_with_status_2(
    tmp_path: Path, healthy: bytes, spoil: Callable[[Path], object]
) -> None:
    process = Process(tmp_path)
    process.store.write_bytes(healthy)
    spoil(process.store)
    assert "damaged" in refusal_of(process)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store with something in it, closed in good order."""
    process = Process(tmp_path_factory.mktemp("healthy")).start()
    open_shop(process)
    process.stop()
    with database_of(process.store) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return process.store.read_bytes()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    process = Process(tmp_path)
    status = process.launch_with("--store", str(tmp_path / "file" / "s.sqlite")).wait(20)
    lines = process.log().splitlines()
    assert (status, len(lines)) == (2, 1)
    assert "cannot be opened" in lines[0]


def test_a_disk_that_is_full_at_the_start_is_one_clear_line(tmp_path: Path) -> None:
    process = Process(tmp_path)

    def nothing_more_is_written() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    status = process.launch(preexec_fn=nothing_more_is_written).wait(20)
    lines = process.log().splitlines()
    assert (status, len(lines)) == (2, 1)
    assert "cannot be written" in lines[0]
    # With room again it starts, on the same file.
    process.start()
    process.stop()


def _library(folder: Path) -> Sandbox:
    """A sandbox in this process, whose threads do not run."""
    return Sandbox(Settings(folder / "s.sqlite", "http://localhost:1"))


def _tidied(sandbox: Sandbox, **limits: int) -> int:
    return retention.tidy(sandbox.store, Limits(**limits), lambda: False)


def _listening(unit: Unit) -> None:
    unit.insert(
        {
            "id": "we_1",
            "object": "webhook_endpoint",
            "api_version": None,
            "enabled_events": ["*"],
            "status": "enabled",
            "url": "http://127.0.0.1:9/",
            "_secrets": ["whsec_x"],
        }
    )


def _emit(sandbox: Sandbox, number: int) -> None:
    with sandbox.transaction() as unit:
        for _ in range(number):
            unit.emit("product.updated", {"id": "prod_1", "object": "product", "name": "x" * 1500})


def _count(sandbox: Sandbox, what: str) -> int:
    with sandbox.store.transaction() as database:
        row = database.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608 - ours
        return int(row[0])


def test_the_newest_events_are_kept_and_those_still_to_be_delivered(tmp_path: Path) -> None:
    sandbox = _library(tmp_path)
    with sandbox.transaction() as unit:
        _listening(unit)
    _emit(sandbox, 30)
    with sandbox.store.transaction() as database:
        database.execute("UPDATE deliveries SET state = 'succeeded' WHERE id > 5")
        database.execute("INSERT INTO attempts SELECT id, 1, 0, 200, 0, NULL FROM deliveries")
    assert _tidied(sandbox, events=12, batch=4) == 30 - 12 - 5
    assert _count(sandbox, "objects WHERE kind = 'event'") == 12 + 5
    assert _count(sandbox, "deliveries") == _count(sandbox, "attempts") == 17
    with sandbox.store.transaction() as database:
        database.execute("UPDATE deliveries SET state = 'failed'")
    assert _tidied(sandbox, events=12, batch=4) == 5
    assert _tidied(sandbox, events=12, batch=4) == 0
    sandbox.stop()


def test_events_go_at_thirty_days_of_real_time_and_not_a_day_before(tmp_path: Path) -> None:
    sandbox = _library(tmp_path)
    _emit(sandbox, 3)
    day = 24 * 3600
    with sandbox.store.transaction() as database:
        for seq, age in ((1, 30 * day + 60), (2, 30 * day - 60)):
            database.execute(
                "UPDATE objects SET stored_at = ? WHERE seq = ?", (int(time.time()) - age, seq)
            )
    # A clock that was moved ahead makes nothing older.
    sandbox.move_clock(sandbox.now() + 400 * day)
    assert _tidied(sandbox) == 1
    assert _count(sandbox, "objects WHERE kind = 'event'") == 2
    sandbox.stop()


def test_answers_to_replay_go_after_a_day_or_when_there_are_too_many(tmp_path: Path) -> None:
    sandbox = _library(tmp_path)
    with sandbox.store.transaction() as database:
        for number in range(20):
            age = 24 * 3600 + 5 if number < 6 else 60
            database.execute(
                "INSERT INTO replays VALUES (?, 'f', 200, '{}', 'req_1', ?)",
                (f"key {number}", time.time() - age),
            )
    assert _tidied(sandbox, batch=4) == 6
    assert _tidied(sandbox, replays=10, batch=3) == 4
    with sandbox.store.transaction() as database:
        left = [row[0] for row in database.execute("SELECT key FROM replays ORDER BY rowid")]
    assert left == [f"key {number}" for number in range(10, 20)]
    sandbox.stop()


def test_orders_nobody_paid_go_with_what_was_tried_for_them_and_paid_ones_stay(
    tmp_path: Path,
) -> None:
    process = Process(tmp_path).start()
    shop = open_shop(process)
    v1 = shop.client.v1
    lost, bought, subscribed = shop.checkout_pack(), shop.checkout_pack(), shop.checkout()
    shop.pay(lost, "4000 0000 0000 0002")
    shop.pay(bought)
    shop.pay(subscribed)
    v1.checkout.sessions.expire(lost.id)
    unpaid = v1.payment_intents.create(params={"amount": 500, "currency": "usd"}).id
    process.stop()
    _age(process.store, 31)
    kept = _kinds(process.store)
    process.start()

    def gone() -> bool:
        return lost.id not in [session.id for session in v1.checkout.sessions.list().data]

    eventually(gone)
    eventually(lambda: unpaid not in [pi.id for pi in v1.payment_intents.list().data])
    assert {s.id for s in v1.checkout.sessions.list().data} == {bought.id, subscribed.id}
    assert {pi.status for pi in v1.payment_intents.list().data} == {"succeeded"}
    assert {charge.status for charge in v1.charges.list().data} == {"succeeded"}
    assert shop.reread(bought, "payment_intent.latest_charge").payment_intent.status == "succeeded"
    assert shop.reread(subscribed, "invoice.payments").invoice.status == "paid"
    process.stop()
    left = _kinds(process.store)
    assert kept["payment_intent"] - left["payment_intent"] == 2
    assert kept["charge"] - left["charge"] == 1
    # The refused card belonged to nobody.
    assert kept["payment_method"] - left["payment_method"] == 1
    assert kept["customer"] == left["customer"]
    assert "event" not in left


def _age(path: Path, days: int) -> None:
    with database_of(path) as database:
        database.execute("UPDATE objects SET stored_at = stored_at - ?", (days * 24 * 3600,))


def _kinds(path: Path) -> dict[str, int]:
    with database_of(path) as database:
        rows = database.execute("SELECT kind, count(*) FROM objects GROUP BY kind")
        return {row[0]: int(row[1]) for row in rows}


def test_a_store_that_is_tidied_stops_growing(tmp_path: Path) -> None:
    sandbox = _library(tmp_path)
    path = tmp_path / "s.sqlite"

    def bytes_after_a_round() -> int:
        _emit(sandbox, 800)
        _tidied(sandbox, events=400, batch=100, spare_pages=50)
        with sandbox.store.transaction() as database:
            pages = database.execute("PRAGMA page_count").fetchone()[0]
        return int(pages) * 4096

    first = bytes_after_a_round()
    later = [bytes_after_a_round() for _ in range(6)]
    # 400 events of some 2 KB, and 50 pages to spare.
    assert first < 2_000_000
    assert max(later) < first * 1.2
    sandbox.stop()
    assert path.stat().st_size < first * 1.2


def test_space_of_a_burst_goes_back_to_the_disk(tmp_path: Path) -> None:
    sandbox = _library(tmp_path)
    _emit(sandbox, 3000)
    with sandbox.store.transaction() as database:
        before = database.execute("PRAGMA page_count").fetchone()[0]
    _tidied(sandbox, events=100, spare_pages=20)
    with sandbox.store.transaction() as database:
        after = database.execute("PRAGMA page_count").fetchone()[0]
        assert database.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    assert after * 8 < before
    sandbox.stop()


def test_requests_go_on_while_a_store_is_tidied(tmp_path: Path) -> None:
    process = Process(tmp_path)
    sandbox = _library(tmp_path)
    sandbox.stop()
    (tmp_path / "s.sqlite").replace(process.store)
    with database_of(process.store) as database:
        body = json.dumps({"id": "evt_%d", "object": "event", "type": "a.b", "pad": "x" * 500})
        database.executemany(
            "INSERT INTO objects (id, kind, stored_at, type, body) "
            "VALUES ('evt_' || ?1, 'event', 0, 'a.b', replace(?2, '%d', ?1))",
            [(number, body) for number in range(12_000)],
        )
    process.start()
    waits = []
    # Read past the server: its own list of events goes page by page.
    while _left(process):
        began = time.monotonic()
        assert process.post("/v1/customers", {"name": "Meanwhile"}).ok
        waits.append(time.monotonic() - began)
    assert len(waits) > 3
    assert sorted(waits)[len(waits) // 2] < 0.3
    process.stop()


def _left(process: Process) -> bool:
    listed = process.get("/v1/events", type="a.b", limit=1)
    return bool(listed.json()["data"])


def test_a_full_disk_stops_no_thread_for_good(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.open()
    sandbox = Sandbox(
        Settings(tmp_path / "s.sqlite", "http://localhost:1", "Shop", receiver.url, ("whsec_x",))
    )
    with sandbox.store.transaction() as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
    sandbox.store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        _emit(sandbox, 200)
    sandbox.store._connection.execute("PRAGMA max_page_count = 1000000")
    sandbox.start()
    _emit(sandbox, 1)
    eventually(lambda: len(receiver.letters) == 1)
    sandbox.stop()
    receiver.close()


def test_the_shop_of_the_other_tests_is_a_store_of_this_version(shop: Shop) -> None:
    assert requests.get(f"{shop.sandbox.base}/healthz", timeout=5).ok
    with database_of(shop.sandbox.store) as database:
        assert database.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
