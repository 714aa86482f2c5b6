"""The delivery laboratory, seen from outside: by receivers, and in the log of deliveries."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from stripe_sandbox.delivery import laboratory, log, modes
from stripe_sandbox.delivery.log import Wanted
from stripe_sandbox.delivery.modes import Modes
from stripe_sandbox.sandbox import Sandbox, Settings
from tests.sandbox.running import Process, Receiver, Shop, eventually

_NAMES = count(1)


@dataclass
class Bench:
    """An endpoint of one test that hears of new products only, and its receiver."""

    shop: Shop
    receiver: Receiver
    id: str
    secret: str

    @property
    def lab(self) -> str:
        return f"{self.shop.sandbox.base}/_sandbox/endpoints/{self.id}/lab"

    def treat(self, **form: object) -> dict[str, Any]:
        """The laboratory is set up so."""
        answer = requests.post(self.lab, form, timeout=5)
        assert answer.ok, answer.text
        return dict(answer.json())

    def happen(self, times: int = 1) -> list[str]:
        """So many events have happened; the products they are about."""
        names = [f"Thing {next(_NAMES)}" for _ in range(times)]
        return [self.shop.client.v1.products.create(params={"name": name}).id for name in names]

    def heard(self) -> list[str]:
        """The products that the receiver was told of, in the order of arrival."""
        return [event["data"]["object"]["id"] for event in self.receiver.events()]

    def log(self, **query: str | int) -> list[dict[str, Any]]:
        """What the sandbox has on record for the endpoint, newest first."""
        query = {"endpoint": self.id, **query}
        answer = requests.get(f"{self.shop.sandbox.base}/_sandbox/deliveries", query, timeout=5)
        assert answer.ok, answer.text
        return list(answer.json()["data"])

    def redeliver(self, event: str, **form: str) -> requests.Response:
        address = f"{self.shop.sandbox.base}/_sandbox/events/{event}/redeliver"
        return requests.post(address, form, timeout=5)


def open_bench(shop: Shop) -> Bench:
    receiver = Receiver()
    receiver.open()
    made = shop.client.v1.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["product.created"]}
    )
    assert made.secret is not None
    return Bench(shop, receiver, made.id, made.secret)


def close_bench(bench: Bench) -> None:
    bench.shop.client.v1.webhook_endpoints.delete(bench.id)
    bench.receiver.close()


@pytest.fixture
def bench(shop: Shop) -> Iterator[Bench]:
    opened = open_bench(shop)
    yield opened
    close_bench(opened)


def test_a_duplicated_event_arrives_several_times_under_one_id(bench: Bench) -> None:
    bench.treat(duplicate="on", copies=3)
    made = bench.happen()
    eventually(lambda: bench.heard() == made * 3)
    assert len({event["id"] for event in bench.receiver.events()}) == 1
    eventually(lambda: [row["state"] for row in bench.log()] == ["succeeded"] * 3)


def test_a_dropped_event_never_arrives_until_it_is_redelivered(bench: Bench) -> None:
    bench.treat(drop="on")
    dropped = bench.happen()
    requests.delete(bench.lab, timeout=5)
    sent = bench.happen()
    eventually(lambda: bench.heard() == sent)
    row = bench.log(state="dropped")[0]
    assert (row["tries"], row["attempts"], row["quirks"]) == (0, [], {"dropped": True})
    events = bench.shop.client.v1.events
    lost = events.list(params={"delivery_success": False, "type": "product.created"}).data
    assert row["event"] in [event.id for event in lost]
    assert bench.redeliver(row["event"], endpoint=bench.id).ok
    eventually(lambda: bench.heard() == sent + dropped)
    eventually(lambda: len(bench.log(event=row["event"], state="succeeded")) == 1)
    lost = events.list(params={"delivery_success": False, "type": "product.created"}).data
    assert row["event"] not in [event.id for event in lost]


def test_a_delayed_event_arrives_late_and_holds_up_no_other(bench: Bench) -> None:
    bench.treat(delay="on", delay_ms=1500)
    late = bench.happen()
    requests.delete(bench.lab, timeout=5)
    prompt = bench.happen()
    eventually(lambda: bench.heard() == prompt + late)
    first_try = bench.log()[-1]
    assert first_try["attempts"][0]["at"] - first_try["made_at"] >= 1.5


def test_reordered_events_all_arrive_and_not_in_the_order_they_happened(bench: Bench) -> None:
    # With this seed the first of five is held longest, by more than a second.
    bench.treat(reorder="on", reorder_ms=2000, seed=7)
    made = bench.happen(5)
    eventually(lambda: len(bench.heard()) == 5)
    assert sorted(bench.heard()) == sorted(made)
    assert bench.heard()[-1] == made[0]


def test_a_stale_signature_is_refused_and_the_next_try_is_signed_just_now(bench: Bench) -> None:
    bench.receiver.secret = bench.secret
    bench.treat(stale="on", stale_seconds=301)
    made = bench.happen()
    eventually(lambda: bench.heard() == made * 2)
    raw, header, at = bench.receiver.letters[0]
    stamped = int(header.split(",")[0].removeprefix("t="))
    assert 300 <= at - stamped <= 303
    # Signed right, only long ago: without the check of the time it would pass.
    assert stripe.WebhookSignature.verify_header(raw, header, bench.secret)
    eventually(lambda: bench.log()[0]["state"] == "succeeded")
    assert [attempt["status"] for attempt in bench.log()[0]["attempts"]] == [400, 200]


def test_two_secrets_sign_and_either_is_enough(bench: Bench) -> None:
    second = bench.treat(two_secrets="on")["second_secret"]
    bench.happen()
    eventually(lambda: bool(bench.receiver.letters))
    raw, header, _ = bench.receiver.letters[0]
    assert header.count("v1=") == 2
    for secret in (second, bench.secret):
        assert stripe.WebhookSignature.verify_header(raw, header, secret, 300)


def test_an_older_version_is_named_by_the_events_the_mode_meets(bench: Bench) -> None:
    bench.treat(older="on", older_version="2023-10-16")
    bench.happen()
    requests.delete(bench.lab, timeout=5)
    bench.happen()
    eventually(lambda: len(bench.heard()) == 2)
    assert {event["api_version"] for event in bench.receiver.events()} == {
        "2023-10-16",
        "2026-10-28.endive",
    }


def test_the_same_seed_decides_the_same_for_the_same_events(shop: Shop) -> None:
    one, same, other = benches = [open_bench(shop) for _ in range(3)]
    chosen = {"drop": "30%", "duplicate": 20, "two_secrets": 50}
    for bench, seed in zip(benches, (5, 5, 6), strict=True):
        bench.treat(seed=seed, **chosen)
    one.happen(30)

    def decided(bench: Bench) -> list[tuple[str, str]]:
        rows = bench.log(type="product.*")
        return [(row["event"], str(row["quirks"])) for row in reversed(rows)]

    assert decided(one) == decided(same) != decided(other)
    wanted = Modes(seed=5, drop=30, duplicate=20, two_secrets=50)
    dropped = [place for place in range(1, 31) if modes.decide(wanted, place).dropped]
    assert 0 < len(dropped) < 30
    events = list(dict.fromkeys(event for event, _ in decided(one)))
    gone = {event for event, quirks in decided(one) if "dropped" in quirks}
    assert [place for place, event in enumerate(events, 1) if event in gone] == dropped
    for bench in benches:
        close_bench(bench)


def test_a_share_meets_about_its_share_of_the_events() -> None:
    drawn = [modes.decide(Modes(seed=11, drop=25), place).dropped for place in range(1, 2001)]
    assert 420 < sum(drawn) < 580
    assert not any(modes.decide(Modes(drop=0), place).dropped for place in range(1, 500))
    assert all(modes.decide(Modes(drop=100), place).dropped for place in range(1, 500))


def test_a_laboratory_is_read_as_it_was_set_and_setting_it_anew_turns_the_rest_off(
    bench: Bench,
) -> None:
    assert requests.get(bench.lab, timeout=5).json()["on"] is False
    bench.treat(drop="on", seed=3)
    read = requests.get(bench.lab, timeout=5).json()
    assert (read["on"], read["modes"]["drop"], read["modes"]["seed"]) == (True, 100, 3)
    assert bench.treat(delay=10)["modes"]["drop"] == 0
    listed = requests.get(f"{bench.shop.sandbox.base}/_sandbox/endpoints", timeout=5).json()
    assert bench.id in [row["endpoint"] for row in listed["data"]]
    assert requests.delete(bench.lab, timeout=5).json()["on"] is False


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"drop": "101"}, "drop"),
        ({"drop": "often"}, "drop"),
        ({"delay_ms": "0"}, "delay_ms"),
        ({"copies": "1"}, "copies"),
        ({"older_version": "1999-01-01"}, "older_version"),
        ({"explode": "on"}, "explode"),
    ],
)
def test_a_mode_that_is_not_served_is_refused_by_its_name(
    bench: Bench, form: dict[str, str], param: str
) -> None:
    answer = requests.post(bench.lab, form, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_what_is_not_there_is_404(bench: Bench) -> None:
    base = bench.shop.sandbox.base
    nowhere = f"{base}/_sandbox/endpoints/we_none/lab"
    assert requests.post(nowhere, {"drop": "on"}, timeout=5).status_code == 404
    assert bench.redeliver("evt_none").status_code == 404
    bench.happen()
    event = bench.log()[0]["event"]
    assert bench.redeliver(event, endpoint="we_none").status_code == 404


def test_an_event_is_redelivered_to_one_endpoint_or_to_all_that_were_told(
    shop: Shop, receiver: Receiver, bench: Bench
) -> None:
    made = bench.happen()[0]
    eventually(lambda: bench.heard() == [made])
    eventually(lambda: any(made in raw for raw, _, _ in list(receiver.letters)))
    event = bench.log()[0]["event"]
    told = bench.redeliver(event, endpoint=bench.id).json()["deliveries"]
    assert [row["endpoint"] for row in told] == [bench.id]
    eventually(lambda: bench.heard() == [made] * 2)
    assert len(bench.redeliver(event).json()["deliveries"]) >= 2
    eventually(lambda: bench.heard() == [made] * 3)
    eventually(lambda: sum(made in raw for raw, _, _ in list(receiver.letters)) == 2)


def test_an_event_nobody_was_told_of_is_redelivered_to_a_named_endpoint_only(
    own_sandbox: Process,
) -> None:
    v1 = own_sandbox.client().v1
    v1.products.create(params={"name": "Unheard"})
    event = v1.events.list(params={"limit": 1}).data[0].id
    address = f"{own_sandbox.base}/_sandbox/events/{event}/redeliver"
    refused = requests.post(address, timeout=5)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "endpoint"
    receiver = Receiver()
    receiver.open()
    late = v1.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["invoice.paid"]}
    )
    assert requests.post(address, {"endpoint": late.id}, timeout=5).ok
    eventually(lambda: [e["id"] for e in receiver.events()] == [event])
    receiver.close()


def test_the_log_is_filtered_and_cut_into_pages(bench: Bench) -> None:
    made = bench.happen(5)
    eventually(lambda: len(bench.heard()) == 5)
    eventually(lambda: len(bench.log(state="succeeded")) == 5)
    assert bench.log(state="waiting") == []
    assert len(bench.log(type="product.*")) == 5
    assert bench.log(type="invoice.*") == []
    newest = bench.log(limit=2)
    older = bench.log(limit=2, starting_after=newest[-1]["id"])
    numbers = [row["id"] for row in newest + older]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 4
    address = f"{bench.shop.sandbox.base}/_sandbox/deliveries"
    page = requests.get(address, {"endpoint": bench.id, "limit": "5"}, timeout=5).json()
    assert (len(page["data"]), page["has_more"]) == (len(made), False)
    assert requests.get(address, {"state": "lost"}, timeout=5).status_code == 400
    assert requests.get(address, {"colour": "red"}, timeout=5).status_code == 400


def test_a_slow_receiver_holds_up_no_other(shop: Shop, bench: Bench) -> None:
    slow = open_bench(shop)
    slow.receiver.hold_seconds = 5.0
    began = time.monotonic()
    made = bench.happen(12)
    eventually(lambda: sorted(bench.heard()) == sorted(made))
    assert time.monotonic() - began < 5.0
    close_bench(slow)


def test_a_laboratory_outlives_a_restart(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.open()
    sandbox = Process(tmp_path, webhook_url=receiver.url).start()
    v1 = sandbox.client().v1
    lab = f"/_sandbox/endpoints/{v1.webhook_endpoints.list().data[0].id}/lab"
    assert sandbox.post(lab, {"duplicate": "on"}).ok
    sandbox.stop()
    sandbox.start()
    v1.products.create(params={"name": "Twice"})
    eventually(lambda: len(receiver.letters) == 2)
    sandbox.stop()
    receiver.close()


def test_an_event_that_cannot_be_written_is_given_up_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver()
    receiver.open()
    sandbox = Sandbox(
        Settings(tmp_path / "s.sqlite", "http://localhost:1", "Shop", receiver.url, ("whsec_x",))
    )
    with sandbox.transaction() as unit:
        endpoint = unit.select("webhook_endpoint")[0]
        laboratory.set_up(unit, endpoint["id"], {"older": 100})
    with sandbox.transaction() as unit:
        # No older shape can be made of an invoice without lines.
        unit.emit("invoice.paid", {"id": "in_1", "object": "invoice"})
        unit.emit("product.created", {"id": "prod_1", "object": "product"})
    sandbox.start()
    eventually(lambda: [e["type"] for e in receiver.events()] == ["product.created"])
    with sandbox.store.transaction() as database:
        page = log.page(database, Wanted(state="failed"))
    assert [row["type"] for row in page["data"]] == ["invoice.paid"]
    assert "cannot be written" in caplog.text
    sandbox.stop()
    receiver.close()
