"""Starting, stopping and starting again."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from stripe_sandbox import amounts
from stripe_sandbox.pages import pdf
from tests.sandbox.running import Process, Receiver, Shop, open_shop


def _run(process: Process) -> tuple[int, list[str]]:
    """The exit status and the lines of a sandbox that cannot start."""
    status = process.launch().wait(15)
    return status, process.log().splitlines()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_every_object(tmp_path: Path, how: signal.Signals) -> None:
    sandbox = Process(tmp_path).start()
    shop = open_shop(sandbox)
    session = shop.checkout(customer=shop.customer())
    shop.pay(session)
    waiting = shop.checkout_pack()
    before = shop.reread(session, "subscription", "invoice").to_dict()
    sandbox.stop(how)
    sandbox.start()
    assert shop.reread(session, "subscription", "invoice").to_dict() == before
    assert shop.pay(waiting).status_code == 303
    sandbox.stop()


def test_an_answer_is_replayed_after_a_restart(own_sandbox: Process) -> None:
    key = {"Idempotency-Key": "kept"}
    first = own_sandbox.post("/v1/customers", {"name": "Ada"}, **key)
    own_sandbox.stop()
    own_sandbox.start()
    assert own_sandbox.post("/v1/customers", {"name": "Ada"}, **key).text == first.text


def test_the_clock_does_not_fall_back_after_a_restart(own_sandbox: Process) -> None:
    ahead = own_sandbox.advance(10_000_000)
    own_sandbox.stop()
    own_sandbox.start()
    assert own_sandbox.advance(0) >= ahead


def test_it_ends_cleanly_when_told_to(own_sandbox: Process) -> None:
    assert own_sandbox.stop() == 0
    assert own_sandbox.log().splitlines() == [f"stripe_sandbox: ready on {own_sandbox.base}"]


def test_a_taken_port_is_one_clear_line(own_sandbox: Process, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    status, lines = _run(Process(folder, port=own_sandbox.port))
    assert status == 2
    assert lines == [
        f"stripe_sandbox: port {own_sandbox.port} is taken; stop what listens there or choose "
        "another with --port"
    ]


def test_a_store_in_use_is_one_clear_line(own_sandbox: Process) -> None:
    second = Process(own_sandbox.folder)
    status = second.launch().wait(15)
    assert status == 2
    assert "is in use by another sandbox" in second.log().splitlines()[-1]


def test_a_damaged_or_foreign_or_newer_store_is_one_clear_line(tmp_path: Path) -> None:
    def refused(name: str, spoil: str | bytes) -> str:
        folder = tmp_path / name
        folder.mkdir()
        process = Process(folder)
        if isinstance(spoil, bytes):
            process.store.write_bytes(spoil)
        else:
            with sqlite3.connect(process.store) as connection:
                connection.executescript(spoil)
            connection.close()
        status, lines = _run(process)
        assert status == 2
        assert len(lines) == 1
        return lines[0]

    assert "damaged or no sandbox store" in refused("damaged", b"no database" * 500)
    assert "belongs to another program" in refused("foreign", "CREATE TABLE t (a)")
    newer = f"CREATE TABLE t (a); PRAGMA application_id = {0x53545258}; PRAGMA user_version = 99"
    assert "has version 99" in refused("newer", newer)


def test_a_webhook_address_without_a_secret_is_refused(tmp_path: Path) -> None:
    process = Process(tmp_path, webhook_url="http://localhost:1/hook", secret="")
    status, lines = _run(process)
    assert (status, len(lines)) == (2, 1)
    assert "STRIPE_SANDBOX_WEBHOOK_SECRET" in lines[0]


def test_start_up_keeps_one_endpoint_and_moves_it(tmp_path: Path) -> None:
    receiver = Receiver()
    sandbox = Process(tmp_path, webhook_url=receiver.url).start()
    sandbox.stop()
    sandbox.webhook_url = "http://localhost:9/moved"
    sandbox.start()
    endpoints = sandbox.client().v1.webhook_endpoints.list().data
    assert [(e.url, e.enabled_events) for e in endpoints] == [("http://localhost:9/moved", ["*"])]
    sandbox.stop()


def test_it_listens_on_loopback_only(own_sandbox: Process) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f":{own_sandbox.port:04X}"
    addresses = {row.split()[1] for row in listening if row.split()[3] == "0A"}
    assert {a for a in addresses if a.endswith(port)} == {f"0100007F{port}"}


def test_help_is_shown_without_starting_anything() -> None:
    command = [sys.executable, "-m", "stripe_sandbox", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert "--public-url" in shown.stdout


def test_a_deleted_customer_has_no_living_subscription(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.checkout(customer=customer)
    shop.pay(session)
    shop.client.v1.customers.delete(customer)
    assert shop.reread(session, "subscription").subscription.status == "canceled"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (1999, "usd", "$19.99"),
        (199999, "usd", "$1,999.99"),
        (500, "jpy", "¥500"),
        (1200, "chf", "12.00 CHF"),
        (1234, "kwd", "1.234 KWD"),
        (-300, "eur", "-€3.00"),
    ],
)
def test_a_sum_is_written_as_people_write_it(amount: int, currency: str, words: str) -> None:
    assert amounts.written(amount, currency) == words


def test_a_pdf_of_many_rows_has_several_pages_and_keeps_odd_signs() -> None:
    written = pdf.document([pdf.Row(f"Row ({number}) \\ é 中", "$1.00") for number in range(120)])
    assert written.count(b"/Type /Page /Parent") == 3
    assert b"\\(1\\) \\\\ \xe9 ?" in written
