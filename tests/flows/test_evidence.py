"""What speaks for us in a dispute: one zip, the same bytes each time, without secrets."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from talkingphoto.foundation import errors
from talkingphoto.workflows import evidence
from tests.support.money_back import a_colleague, newest, payment_of, spends
from tests.support.shop import Shop

DISPUTED = "4000000000000259"
NAMES = [
    "01-payment.json",
    "02-receipts.csv",
    "03-videos.csv",
    "04-downloads.csv",
    "05-consents.csv",
    "06-log-ins.csv",
    "07-statement.csv",
    "08-refunds.csv",
    "09-refund-policy.txt",
]


def opened(packed: bytes) -> dict[str, str]:
    """The files of a zip by their names."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_pack_holds_what_the_bank_wants_to_see_and_is_the_same_each_time(shop: Shop) -> None:
    ada = shop.a_person()
    assert shop.pays(ada, "pack:10", card=DISPUTED).status == 303
    shop.deliver(shop.new_events())
    shop.sign_in(ada)
    dispute_id, support = newest(shop, "disputes").id, a_colleague(shop)

    packs = [shop.refunds.evidence(staff_id=support.id, dispute_id=dispute_id) for _ in range(2)]

    files = opened(packs[0])
    assert packs[0] == packs[1]
    assert list(files) == NAMES
    payment = json.loads(files["01-payment.json"])
    assert (payment["payment"], payment["amount"]) == (payment_of(shop, ada), "9.90")
    assert [row["what"] for row in rows(files["02-receipts.csv"])] == ["10 videos"]
    log_ins = [row["what"] for row in rows(files["06-log-ins.csv"])]
    assert (log_ins[0], log_ins[-1]) == ("account.created", "sign_in.succeeded")
    assert [row["what"] for row in rows(files["05-consents.csv"])] == ["terms"]
    assert rows(files["07-statement.csv"])[0]["videos"] == "10"
    assert "14 days" in files["09-refund-policy.txt"]
    whole = "".join(files.values())
    assert ada.email not in whole
    assert shop.key not in whole and shop.secret not in whole and "scrypt" not in whole


def test_only_admins_see_whole_addresses_and_customers_see_nothing(shop: Shop) -> None:
    ada = shop.a_person()
    assert shop.pays(ada, "pack:10", card=DISPUTED).status == 303
    shop.deliver(shop.new_events())
    dispute_id = newest(shop, "disputes").id
    spends(shop, ada, 1)

    def address(staff_id: str) -> str:
        packed = shop.refunds.evidence(staff_id=staff_id, dispute_id=dispute_id)
        return rows(opened(packed)["06-log-ins.csv"])[0]["address"]

    assert address(a_colleague(shop).id) == "127.0.0.0/24"
    assert address(a_colleague(shop, role="admin").id) == "127.0.0.1"
    with pytest.raises(errors.NotPermitted):
        shop.refunds.evidence(staff_id=ada.id, dispute_id=dispute_id)
    with pytest.raises(errors.NotFound):
        shop.refunds.evidence(staff_id=a_colleague(shop).id, dispute_id="du_unknown")


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(begins: str) -> None:
    told = evidence.table(("words",), [[f'{begins}HYPERLINK("http://evil")'], ["plain"]])

    assert [row["words"] for row in rows(told)] == [f'\'{begins}HYPERLINK("http://evil")', "plain"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("unknown", "hidden"),
    ],
)
def test_a_masked_address_names_a_network_and_no_household(address: str, shown: str) -> None:
    assert evidence.masked(address) == shown
