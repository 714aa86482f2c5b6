"""Stripe's knocks on the real door: gunicorn, raw bytes, hostile headers, storms and outages."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest
import requests

from talkingphoto.foundation.database import Database
from talkingphoto.integrations import schema
from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres
from tests.support.gunicorn import Gunicorn
from tests.support.jobs import run_due_jobs
from tests.support.proxy import Proxy
from tests.support.running import wait_until
from tests.support.sandbox import Event, of_type, sign
from tests.support.shop import Shop, environment, rows

PATH = "/webhook/stripe"
OLD_SECRET = "whsec_thesecretbeforetherotation"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1790000000,
    "livemode": False,
    "type": "customer.created",
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}


@pytest.fixture(scope="module")
def shop(storefront: Shop) -> Shop:
    """One shop behind one door for all of these stories."""
    return storefront


def post(web: Gunicorn, raw: bytes, header: str | bytes | None) -> requests.Response:
    """One delivery."""
    headers = {} if header is None else {"Stripe-Signature": header}
    return requests.post(web.base + PATH, data=raw, headers=headers, timeout=15)


def refused(answer: requests.Response) -> bool:
    """True for a 400 that says why in a code and shows no trace."""
    return (
        answer.status_code == 400 and "webhook." in answer.text and "Traceback" not in answer.text
    )


def test_w1_one_flipped_byte_is_refused_and_writes_nothing(shop: Shop, web: Gunicorn) -> None:
    raw, header = sign(EVENT, shop.secret)
    before = rows(shop)
    for position in range(0, len(raw), 7):
        flipped = bytearray(raw)
        flipped[position] ^= 1
        assert refused(post(web, bytes(flipped), header)), position
    assert rows(shop) == before
    assert post(web, raw, header).status_code == 200


def test_w2_headers_that_sign_nothing_are_refused_and_counted(shop: Shop, web: Gunicorn) -> None:
    raw, header = sign(EVENT, shop.secret)

    def counted() -> list[float]:
        return [
            web.metric("webhook_rejected_total", reason=f"webhook.{reason}")
            for reason in ("header_missing", "header")
        ]

    missing, unreadable = counted()
    only_v0 = header.replace("v1=", "v0=")
    for bad in (None, "", "garbage", only_v0):
        assert refused(post(web, raw, bad)), bad
    assert counted() == [missing + 2, unreadable + 2]


def signed(raw: bytes, secret: str) -> str:
    """A signature made by hand, for bytes that no library would sign."""
    at = int(time.time())
    mac = hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"",
        b"[]",
        b"null",
        b"{}",
        b'"text"',
        b"{" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        json.dumps({**EVENT, "id": None}).encode(),
        json.dumps({**EVENT, "id": "evt_" + "x" * 300}).encode(),
        json.dumps({**EVENT, "id": "evt_\u0000"}).encode(),
        json.dumps({**EVENT, "created": "soon"}).encode(),
        json.dumps({**EVENT, "created": 10**30}).encode(),
        json.dumps({**EVENT, "data": {"object": []}}).encode(),
        json.dumps({**EVENT, "data": None}).encode(),
        json.dumps({**EVENT, "livemode": True}).encode(),
        json.dumps({"id": "evt_1", "object": "v2.core.event", "type": "v2.x"}).encode(),
    ],
    ids=lambda raw: raw[:12].decode("latin-1"),
)
def test_w3_hostile_bodies_never_become_a_500(shop: Shop, web: Gunicorn, raw: bytes) -> None:
    before = rows(shop)
    assert refused(post(web, raw, signed(raw, shop.secret)))
    assert rows(shop) == before


def test_w3_a_signature_outside_ascii_is_refused(shop: Shop, web: Gunicorn) -> None:
    raw, header = sign(EVENT, shop.secret)
    assert refused(post(web, raw, header.replace("v1=", "v1=é").encode("latin-1")))
    assert refused(post(web, raw, header.replace("v1=", "v1=é").encode()))


@pytest.mark.parametrize(
    ("seconds", "status"), [(-301, 400), (-290, 200), (290, 200), (302, 400), (3600, 400)]
)
def test_w4_the_time_of_a_signature_may_differ_by_five_minutes_either_way(
    shop: Shop, web: Gunicorn, seconds: int, status: int
) -> None:
    raw, header = sign(EVENT, shop.secret, at=time.time() + seconds)
    assert post(web, raw, header).status_code == status


def test_w5_two_secrets_are_good_while_one_is_rotated_out(shop: Shop, tmp_path: Path) -> None:
    keys = {
        "STRIPE_SECRET_KEY": shop.key,
        "SECRET_KEY": "s" * 40,
        "JWT_SECRET_KEY": "j" * 40,
    }
    rotating = {**keys, "STRIPE_WEBHOOK_SECRET": f"{shop.secret},{OLD_SECRET}"}
    for settings, accepted in (
        (rotating, {shop.secret: 200, OLD_SECRET: 200, "whsec_somebodyelse": 400}),
        ({**keys, "STRIPE_WEBHOOK_SECRET": shop.secret}, {shop.secret: 200, OLD_SECRET: 400}),
    ):
        web = Gunicorn(tmp_path, environment(shop, **settings), processes=1)
        try:
            for secret, status in accepted.items():
                assert post(web, *sign(EVENT, secret)).status_code == status, secret
        finally:
            web.stop()


def test_w7_more_than_a_mebibyte_is_refused_with_or_without_a_length(
    shop: Shop, web: Gunicorn
) -> None:
    raw = b"x" * (1024 * 1024 + 1)
    header = signed(raw, shop.secret)

    def refuse_both(_: int) -> None:
        pieces = (raw[start : start + 65536] for start in range(0, len(raw), 65536))
        for body in (raw, pieces):
            answer = requests.post(
                web.base + PATH, data=body, headers={"Stripe-Signature": header}, timeout=15
            )
            assert answer.status_code == 413

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(refuse_both, range(48)))  # by then each thread has met some
        before = web.memory_bytes()
        list(pool.map(refuse_both, range(100)))
    # A thread's memory wavers by some MiB; two hundred bodies that were kept would be 200.
    assert web.memory_bytes() - before < 20 * 1024 * 1024


def test_w9_the_same_event_fifty_times_at_once_is_stored_and_granted_once(
    shop: Shop, web: Gunicorn
) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    (event,) = of_type(shop.new_events(), "checkout.session.completed")
    before = rows(shop)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: post(web, *sign(event, shop.secret)).status_code, range(50))
        )
    assert answers == [200] * 50
    assert rows(shop)["stripe_events"] == before["stripe_events"] + 1
    run_due_jobs(shop)
    shop.webhooks.process(event["id"])
    after = rows(shop)
    assert after["ledger_transactions"] == before["ledger_transactions"] + 1
    # The receipt, and to the founder the word of the first sale.
    assert after["mails"] == before["mails"] + 2
    assert shop.balance(ada) == 13


def test_w15_an_acknowledgement_does_not_wait_for_the_handler(shop: Shop, tmp_path: Path) -> None:
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    (event,) = of_type(shop.new_events(), "checkout.session.completed")
    with Proxy(shop.sandbox.base, delay=5) as slow:
        web = Gunicorn(tmp_path, environment(shop, STRIPE_API_BASE=slow.base, WORKER="embedded"))
        try:
            events = [event, *(other(event) for _ in range(99))]
            took = [timed(partial(post, web, *sign(sent, shop.secret))) for sent in events]
            assert [status for status, _ in took] == [200] * 100
            seconds = sorted(seconds for _, seconds in took)
            # The handler takes five at least; half a second is the promise for the usual one.
            assert seconds[50] < 0.5
            assert seconds[-1] < 2.5
            assert shop.balance(ada) == 3
            wait_until(lambda: shop.balance(ada) == 13)
        finally:
            web.stop()


def other(event: Event) -> Event:
    """The same news under another id."""
    return {**event, "id": f"evt_{uuid.uuid4().hex}"}


def timed(call: Callable[[], requests.Response]) -> tuple[int, float]:
    """The status and the seconds it took."""
    began = time.monotonic()
    return call().status_code, time.monotonic() - began


def test_c6_a_database_restart_under_load_loses_and_doubles_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    url = server.ensure()
    database = Database(url)
    schema.upgrade(database)
    database.dispose()
    web = Gunicorn(tmp_path, environment(shop, DATABASE_URL=url))
    sent = [{**EVENT, "id": f"evt_{number}"} for number in range(300)]
    try:
        with ThreadPoolExecutor(6) as pool:
            tries = pool.map(lambda event: until_accepted(web, event, shop.secret), sent)
            wait_until(lambda: stored(url) >= 50)
            server.stop()
            server.ensure()
            recovered = time.monotonic()
            refusals = [status for answer in tries for status in answer]
            assert time.monotonic() - recovered < 10
        assert refusals, "the restart came when everything was accepted already"
        assert all(status >= 500 for status in refusals)
        assert (stored(url), stored(url, "procrastinate_jobs")) == (300, 300)
    finally:
        web.stop()
        server.stop()


def stored(url: str, table: str = "stripe_events") -> int:
    """How many rows the table holds, asked past the product."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def until_accepted(web: Gunicorn, event: Event, secret: str) -> list[int]:
    """Sends as Stripe does until it is told 200; the refusals on the way."""
    refusals: list[int] = []
    for _ in range(200):
        status = post(web, *sign(event, secret)).status_code
        if status == 200:
            return refusals
        refusals.append(status)
        time.sleep(0.05)
    raise AssertionError(f"never accepted: {refusals[-3:]}")
