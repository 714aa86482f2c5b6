"""The command line beside a running sandbox, as a person types it."""

import subprocess
import sys

import pytest
import requests

from stripe_sandbox import __main__ as entry
from tests.sandbox.plans import DAY
from tests.sandbox.running import Receiver, Shop, eventually
from tests.support.sandbox import free_port


class Console:
    """The command line with the address of the sandbox; what it printed and how it ended."""

    def __init__(self, shop: Shop, captured: pytest.CaptureFixture[str]) -> None:
        self._base = shop.sandbox.base
        self._captured = captured

    def __call__(self, *arguments: str) -> list[str]:
        status = entry.main([*arguments, "--base", self._base])
        printed = self._captured.readouterr()
        assert (status, printed.err) == (0, "")
        return printed.out.splitlines()

    def refused(self, *arguments: str) -> str:
        """The one line of a command that was not carried out."""
        assert entry.main([*arguments, "--base", self._base]) == 1
        printed = self._captured.readouterr()
        assert printed.out == ""
        assert len(printed.err.splitlines()) == 1
        return printed.err


@pytest.fixture
def console(moved: Shop, capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(moved, capsys)


def _now(shop: Shop) -> int:
    return int(requests.get(f"{shop.sandbox.base}/_sandbox/clock", timeout=5).json()["now"])


def test_the_clock_is_shown_and_moved_by_a_length_and_to_a_day(
    moved: Shop, console: Console
) -> None:
    before = _now(moved)
    assert str(before)[:8] in console("clock")[0]
    console("clock", "advance", "30d")
    assert before + 30 * DAY <= _now(moved) < before + 30 * DAY + 60
    console("clock", "advance", "12h")
    console("clock", "advance", "3600")
    assert before + 30 * DAY + 13 * 3600 <= _now(moved)
    printed = console("clock", "to", "2028-01-31")
    assert printed[0].startswith("2028-01-31 00:00:0")
    assert "does not run back" in console.refused("clock", "to", "2028-01-30T23:59")


def test_moving_the_clock_tells_what_happened_and_waits_for_the_webhooks(
    moved: Shop, heard: Receiver, console: Console
) -> None:
    customer = moved.customer()
    moved.pay(moved.checkout(customer=customer))
    heard.letters.clear()
    answer = console("clock", "advance", "65d", "--wait")
    work, events = answer[1].split()[0], answer[1].split()[2]
    assert int(work) >= 2
    assert int(events) >= 2 * 9
    assert answer[1].endswith("each sent once")
    # Nothing is waited for here: it has all been sent before the command ended.
    assert len(heard.letters) >= int(events)
    paid = [e for e in heard.events() if e["type"] == "invoice.paid"]
    assert [e["data"]["object"]["customer"] for e in paid] == [customer] * 2
    assert console("clock", "advance", "0")[1] == "0 due, 0 events"


def test_what_is_held_back_is_waited_for_no_longer_than_asked(moved: Shop) -> None:
    v1 = moved.client.v1
    late = v1.webhook_endpoints.create(
        params={"url": "http://localhost:9/", "enabled_events": ["*"]}
    )
    lab = f"/_sandbox/endpoints/{late.id}/lab"
    assert moved.sandbox.post(lab, {"delay": "on", "delay_ms": "60000"}).ok
    session = moved.checkout_pack()
    form = {"to": session.expires_at, "wait": "deliveries", "wait_seconds": "1"}
    answer = moved.sandbox.post("/_sandbox/clock", form).json()
    assert (answer["delivered"], answer["events"]) == (False, 1)
    v1.webhook_endpoints.delete(late.id)


def test_a_test_clock_is_advanced_until_it_is_ready(moved: Shop, console: Console) -> None:
    clocks = moved.client.v1.test_helpers.test_clocks
    made = clocks.create(params={"frozen_time": 1_700_000_000}).id
    printed = console("test-clock", "advance", made, "30d")
    assert printed == ["2023-12-14 22:13:20 UTC (1702592000)"]
    ready = clocks.retrieve(made)
    assert (ready.status, ready.frozen_time) == ("ready", 1_702_592_000)
    assert "No such" in console.refused("test-clock", "advance", "clock_none", "30d")
    clocks.delete(made)
    assert "is deleted" in console.refused("test-clock", "advance", made, "30d")


def test_deliveries_are_listed_and_an_event_is_sent_again(
    moved: Shop, heard: Receiver, console: Console
) -> None:
    made = moved.client.v1.products.create(params={"name": "Listed"}).id
    eventually(lambda: any(made in raw for raw, _, _ in list(heard.letters)))
    eventually(lambda: "succeeded" in console("deliveries", "--limit", "1")[0])
    line = console("deliveries", "--type", "product.*", "--limit", "1")[0]
    assert " 200 " in line
    assert "product.created" in line
    event = next(word for word in line.split() if word.startswith("evt_"))
    assert "goes to we_" in console("redeliver", event)[0]
    eventually(lambda: sum(made in raw for raw, _, _ in list(heard.letters)) == 2)
    assert "No such event" in console.refused("redeliver", "evt_none")
    assert "must be at most 100" in console.refused("deliveries", "--limit", "101")


def test_a_laboratory_is_set_shown_and_turned_off(moved: Shop, console: Console) -> None:
    endpoint = moved.client.v1.webhook_endpoints.list().data[-1].id
    assert console("lab", endpoint, "drop=20", "seed=7")[0].endswith("seed=7 drop=20% seen=0")
    assert "drop=20%" in "\n".join(console("endpoints"))
    assert console("lab", endpoint)[1].startswith("second secret whsec_")
    assert console("lab", endpoint, "off")[0].endswith("off")
    assert "drop is on, off or" in console.refused("lab", endpoint, "drop=often")
    assert "wants a value" in console.refused("lab", endpoint, "drop")


def test_faults_are_added_listed_and_cleared(moved: Shop, console: Console) -> None:
    added = console("faults", "add", "error", "path=/v1/coupons*", "times=2", "when=after")[0]
    number = added.split()[0]
    assert "error" in added
    assert console("faults") == [added]
    assert console("faults", "clear", number) == ["1 cleared"]
    assert console("faults") == []
    console("faults", "add", "slow", "path=/v1/coupons", "ms=5")
    assert console("faults", "clear") == ["1 cleared"]
    assert "belongs to" in console.refused("faults", "add", "slow", "when=after")


def test_without_a_sandbox_one_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    base = f"http://localhost:{free_port()}"
    assert entry.main(["clock", "--base", base]) == 1
    assert capsys.readouterr().err.startswith(f"stripe_sandbox: no sandbox answers at {base} (")
    assert entry.main(["clock", "--base", "localhost"]) == 1
    assert "--base is an address such as" in capsys.readouterr().err


def test_the_base_may_stand_before_the_verb_too(moved: Shop) -> None:
    assert entry.main(["clock", "--base", moved.sandbox.base, "advance", "1s"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clock", "advance", "thirty"], "is no length of time"),
        (["clock", "to", "tomorrow"], "is no moment"),
        (["clock", "back"], "invalid choice"),
        (["faults", "add", "earthquake"], "invalid choice"),
        (["test-clock"], "required"),
        (["dance"], "invalid choice"),
        (["--port", "0"], "a port is a number"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main(arguments)
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert len(printed.splitlines()) == 1
    assert words in printed


def test_the_command_runs_as_it_is_written_in_the_document(moved: Shop) -> None:
    command = [sys.executable, "-m", "stripe_sandbox", "clock", "--base", moved.sandbox.base]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "UTC" in shown.stdout
