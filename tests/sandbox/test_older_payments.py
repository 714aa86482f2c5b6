"""Payments that an older sandbox began: they go on in this one as if they had begun here."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox import old_stores
from tests.sandbox.payer import Payer
from tests.sandbox.running import Process

# As version 2 wrote them: a paid intent with its charge, an open one, a customer with a card.
BODIES = Path(__file__).parent / "data" / "payments_of_version_2.json"


@pytest.fixture(scope="module")
def old_payer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Payer]:
    process = Process(tmp_path_factory.mktemp("old"))
    old_stores.write(process.store, 2)
    with sqlite3.connect(process.store) as database:
        for body in json.loads(BODIES.read_text()):
            row = (body["id"], body["object"], json.dumps(body))
            database.execute("INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)", row)
    database.close()
    yield Payer(process.start())
    process.stop()


def test_a_payment_of_an_older_sandbox_is_refunded(old_payer: Payer) -> None:
    refund = old_payer.v1.refunds.create(params={"payment_intent": "pi_old_1", "amount": 500})
    assert refund.status == "succeeded"
    assert old_payer.v1.charges.retrieve("ch_old_1").amount_refunded == 500


def test_an_open_intent_of_an_older_sandbox_is_paid(old_payer: Payer) -> None:
    confirm = old_payer.v1.payment_intents.confirm
    paid = confirm("pi_old_2", params={"payment_method": "pm_card_visa"})
    assert (paid.status, paid.payment_method_options.card.request_three_d_secure) == (
        "succeeded",
        "automatic",
    )


def test_a_card_saved_in_an_older_sandbox_pays(old_payer: Payer) -> None:
    paid = old_payer.pay(customer="cus_old_1", payment_method="pm_old_2", off_session=True)
    assert paid.status == "succeeded"
    old_payer.v1.payment_methods.detach("pm_old_2")
