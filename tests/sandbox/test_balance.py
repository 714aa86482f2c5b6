"""The balance and every movement of it."""

from tests.sandbox.payer import Payer
from tests.sandbox.running import Process

DAY = 24 * 3600


def test_the_balance_is_the_sum_of_its_movements_and_ripens_in_two_days(
    own_sandbox: Process,
) -> None:
    payer = Payer(own_sandbox)
    assert payer.balance() == {("available", "usd"): 0, ("pending", "usd"): 0}
    # 2000 less 2.9 % (58) and 30 is 1912; 3000 less 87 and 30 is 2883.
    payer.pay()
    payer.pay(amount=3000, currency="eur")
    payer.pay("bypassPending")
    assert payer.balance() == {
        ("available", "eur"): 0,
        ("available", "usd"): 1912,
        ("pending", "eur"): 2883,
        ("pending", "usd"): 1912,
    }
    own_sandbox.advance(2 * DAY)
    assert payer.balance() == {
        ("available", "eur"): 2883,
        ("available", "usd"): 3824,
        ("pending", "eur"): 0,
        ("pending", "usd"): 0,
    }
    moves = payer.v1.balance_transactions.list(params={"currency": "usd"}).data
    assert {move.status for move in moves} == {"available"}
    # A dispute takes 2000 and 1500 at once.
    payer.pay("createDispute")
    assert payer.balance()["available", "usd"] == 324
    assert payer.balance()["pending", "usd"] == 1912


def test_movements_are_found_by_kind_and_source_and_say_what_they_are(
    timed_payer: Payer,
) -> None:
    payer = timed_payer
    paid = payer.pay(description="Order 6735")
    refund = payer.v1.refunds.create(params={"payment_intent": paid.id})
    by_charge = payer.v1.balance_transactions.list(params={"source": paid.latest_charge.id}).data
    assert [(m.type, m.reporting_category, m.description) for m in by_charge] == [
        ("charge", "charge", "Order 6735")
    ]
    by_kind = payer.v1.balance_transactions.list(params={"type": "refund", "limit": 1}).data
    assert (by_kind[0].source, by_kind[0].net) == (refund.id, -2000)
    one = payer.v1.balance_transactions.retrieve(by_kind[0].id)
    assert (one.id, one.status) == (by_kind[0].id, "pending")
    shown = payer.v1.charges.retrieve(
        paid.latest_charge.id, params={"expand": ["balance_transaction"]}
    )
    assert shown.balance_transaction.status == "pending"
    payer.sandbox.advance(2 * DAY)
    ripe = payer.v1.charges.retrieve(
        paid.latest_charge.id, params={"expand": ["balance_transaction"]}
    )
    assert ripe.balance_transaction.status == "available"


def test_the_balance_says_what_came_from_cards_and_what_from_banks(timed_payer: Payer) -> None:
    payer = timed_payer
    before = payer.v1.balance.retrieve().pending
    payer.debit("sepaDebit_success")
    payer.sandbox.advance(3)
    after = payer.v1.balance.retrieve().pending
    banks = [
        sum(
            getattr(part.source_types, "bank_account", 0)
            for part in shown
            if part.currency == "eur"
        )
        for shown in (before, after)
    ]
    assert banks[1] - banks[0] == 1912
