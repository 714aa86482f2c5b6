"""The wallet: lots in the order of their use, a forecast, warnings, and a year of a yearly plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.wallet_service import WalletService
from talkingphoto.billing import catalog, ledger, ledger_claims, plan_credits
from talkingphoto.foundation import errors
from talkingphoto.foundation.clock import add_months
from tests.flows.test_invoice_credits import invoice
from tests.support.purse import grant, in_days, use
from tests.support.shop import Person, Shop


@pytest.fixture
def shop(storefront: Shop) -> Shop:
    storefront.clock.now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    return storefront


@pytest.fixture
def wallets(shop: Shop) -> WalletService:
    return WalletService(shop.runtime)


def test_lots_are_shown_in_the_order_in_which_they_are_used(
    shop: Shop, wallets: WalletService
) -> None:
    ada = shop.a_person()
    grant(shop, ada, 3, source="pack", description="pack")
    grant(shop, ada, 3, source="plan", description="plan", expires_at=in_days(shop, 9))
    grant(shop, ada, 3, source="promo", description="promo", expires_at=in_days(shop, 9))
    grant(shop, ada, 3, source="gift", description="first to end", expires_at=in_days(shop, 2))
    shown = [lot.description for lot in wallets.wallet(ada.id).lots]
    assert [*shown[:3], *shown[4:]] == ["first to end", "promo", "plan", "pack"]
    used = []
    for _ in range(15):
        first = wallets.wallet(ada.id).lots[0]
        use(shop, ada, 1)
        lots = {lot.description: lot for lot in wallets.wallet(ada.id).lots}
        left = lots.get(first.description)
        assert (left.remaining if left else 0) == first.remaining - 1
        used.append(first.description)
    assert list(dict.fromkeys(used)) == shown


def test_a_wallet_says_what_is_held_and_when_it_runs_out(
    shop: Shop, wallets: WalletService
) -> None:
    ada = shop.a_person()
    grant(shop, ada, 27, source="plan", expires_at=in_days(shop, 60))
    shop.clock.advance(days=4)
    for credits in (3, 5):
        use(shop, ada, credits)
    use(shop, ada, 2, settled=False)
    wallet = wallets.wallet(ada.id)
    assert (wallet.available, wallet.held, wallet.frozen, wallet.owed) == (20, 2, 0, 0)
    # Eight in four days: two a day.
    assert wallet.forecast.per_day_tenths == 20
    assert wallet.forecast.runs_out_at == in_days(shop, 10)
    assert wallet.forecast.words == "20 videos left. At this pace you run out on 8 December."


@pytest.mark.parametrize(
    ("used", "kind", "words"),
    [
        (0, "", ""),
        (26, "", ""),  # seven of thirty are left, more than a fifth
        (27, "low", "6 videos left."),  # a fifth
        (32, "low", "1 video left."),
        (33, "out", "You have no videos left."),
    ],
)
def test_a_warning_comes_when_four_fifths_of_a_month_are_used(
    shop: Shop, wallets: WalletService, used: int, kind: str, words: str
) -> None:
    shop.clock.now = datetime.now(UTC)
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    if used:
        use(shop, ada, used)
    wallet = wallets.wallet(ada.id)
    assert (wallet.warning, wallet.warning_words[: len(words)]) == (kind, words)
    coming = wallet.forecast.next_credits_at
    assert coming is not None and coming > shop.clock.now


def test_credits_that_end_within_a_week_are_told_of(shop: Shop, wallets: WalletService) -> None:
    ada = shop.a_person()
    grant(shop, ada, 12, source="gift", expires_at=datetime(2026, 12, 3, tzinfo=UTC))
    assert wallets.wallet(ada.id).warning == ""
    shop.clock.move_to(datetime(2026, 11, 26, tzinfo=UTC))
    wallet = wallets.wallet(ada.id)
    assert (wallet.warning, wallet.warning_words) == ("expiring", "12 videos end on 3 December.")


def test_a_statement_is_paged_and_leads_to_no_video_that_is_not_there(
    shop: Shop, wallets: WalletService
) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    grant(shop, ada, 60)
    grant(shop, bob, 1)
    holds = [use(shop, ada, 1) for _ in range(60)]
    first = wallets.statement(user_id=ada.id)
    second = wallets.statement(user_id=ada.id, before=first.next)
    assert (len(first.rows), len(second.rows), second.next) == (50, 12, None)
    rows = [*first.rows, *second.rows]
    assert [row.balance_after for row in rows] == [*range(3, 64), 3]
    assert {row.video_id for row in rows} == {None}
    assert len(set(holds)) == 60
    with pytest.raises(errors.InvalidRequest):
        wallets.statement(user_id=ada.id, before="1 OR 1=1")


@pytest.mark.parametrize(
    ("began", "days"),
    [
        # From the day it began each time, so that short months do not move the later ones.
        ((2027, 1, 31), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
        ((2028, 1, 29), [29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29]),
        ((2027, 8, 30), [30, 30, 30, 30, 30, 30, 29, 30, 30, 30, 30, 30]),
    ],
)
def test_a_year_brings_each_month_on_its_day_and_rolls_over_one(
    shop: Shop, wallets: WalletService, began: tuple[int, int, int], days: list[int]
) -> None:
    start = datetime(*began, 12, 0, tzinfo=UTC)
    shop.clock.move_to(start)
    ada = shop.a_person()
    with shop.runtime.transaction() as session:
        price_id = catalog.current_price_id(session, item_key="starter:year")
        facts = invoice(shop, price_id, number=start.year * 100 + start.month)
        plan_credits.grant_invoice(session, user_id=ada.id, facts=facts, now=start)
    for month, day in enumerate(days):
        due = add_months(start, months=month)
        assert due.day == day
        if month:
            shop.clock.move_to(due)
            shop.clock.advance(seconds=-1)
            shop.payments.run_due_work()
            # This month's and the one rolled over; what began two months ago ends with them.
            assert shop.balance(ada) == 3 + 30 * min(month, 2)
            shop.clock.move_to(due)
        shop.payments.run_due_work()
        lots = [lot for lot in wallets.wallet(ada.id).lots if lot.source == "plan"]
        assert [lot.expires_at for lot in lots] == [
            add_months(start, months=number + 2) for number in range(max(0, month - 1), month + 1)
        ]
    shop.clock.move_to(add_months(start, months=13))
    shop.payments.run_due_work()
    assert shop.balance(ada) == 3
    with shop.runtime.read_only() as session:
        assert ledger.check(session) == ()


def notices_of(shop: Shop, person: Person) -> list[tuple[str, dict[str, str]]]:
    """The mails that the person is owed about credits, after a minute's sweep."""
    shop.wallets.run_due_work()
    with shop.runtime.read_only() as session:
        rows = session.execute(
            text(
                "SELECT template, facts FROM mails WHERE user_id = :id AND key LIKE 'notice:%'"
                " ORDER BY created_at, key"
            ),
            {"id": person.id},
        ).all()
        return [(row.template, row.facts) for row in rows]


def test_who_runs_low_is_told_once_a_month_of_the_plan(shop: Shop) -> None:
    shop.clock.now = datetime.now(UTC)
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    use(shop, ada, 26)
    assert notices_of(shop, ada) == []
    use(shop, ada, 1)
    for _ in range(2):
        assert notices_of(shop, ada) == [("credits_low", {"left": "6", "runs_out_at": ""})]
    use(shop, ada, 6)
    told = notices_of(shop, ada)
    assert told[1:] == [("credits_low", {"left": "0", "runs_out_at": ""})]
    assert notices_of(shop, ada) == told


def test_who_runs_out_before_more_come_is_told_three_days_ahead(shop: Shop) -> None:
    shop.clock.now = datetime.now(UTC)
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    shop.clock.advance(days=4)
    use(shop, ada, 18)  # four and a half a day: 15 last a bit longer than three days
    assert notices_of(shop, ada) == []
    use(shop, ada, 1)
    ((template, facts),) = notices_of(shop, ada)
    assert (template, facts["left"]) == ("credits_low", "14")
    assert facts["runs_out_at"][:10] == f"{shop.clock.now + 14 * timedelta(days=4) / 19:%Y-%m-%d}"


def test_nobody_is_told_who_gets_more_before_they_run_out(shop: Shop) -> None:
    shop.clock.now = datetime.now(UTC)
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    shop.clock.advance(days=26)
    use(shop, ada, 26)  # one a day; seven are left and four days to go
    assert notices_of(shop, ada) == []


def test_what_ends_within_a_week_is_told_of_once_and_only_to_who_wants_it(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    shop.wallets.set_notices(user_id=bob.id, on=False)
    end = in_days(shop, 8)
    for person in (ada, bob):
        grant(shop, person, 12, source="gift", expires_at=end)
    assert notices_of(shop, ada) == []
    shop.clock.advance(days=1)
    for _ in range(2):
        told = [("credits_expiring", {"credits": "12", "expires_at": end.isoformat()})]
        assert notices_of(shop, ada) == told
    assert notices_of(shop, bob) == []
    assert not shop.wallets.wallet(bob.id).notices
    shop.wallets.set_notices(user_id=bob.id, on=True)
    assert notices_of(shop, bob) == told


def test_who_bought_packs_is_told_each_time_they_are_gone(shop: Shop) -> None:
    ada, free = shop.a_person(), shop.a_person()
    use(shop, free, 3)
    for count in (1, 2):
        grant(shop, ada, 10)
        assert len(notices_of(shop, ada)) == count - 1
        use(shop, ada, 13 if count == 1 else 10)
        assert len(notices_of(shop, ada)) == count
    assert notices_of(shop, free) == []


def test_frozen_lots_are_shown_last_and_not_counted(shop: Shop, wallets: WalletService) -> None:
    ada = shop.a_person()
    grant(shop, ada, 5, source="plan", reference=f"in_{ada.id}", expires_at=in_days(shop, 3))
    with shop.runtime.transaction() as session:
        ledger_claims.freeze(
            session,
            key=f"dispute:{ada.id}",
            reference=f"in_{ada.id}",
            reason="disputed",
            now=shop.clock.now,
        )
    wallet = wallets.wallet(ada.id)
    assert (wallet.available, wallet.frozen) == (3, 5)
    assert [lot.frozen for lot in wallet.lots] == [False, True]
    assert wallet.forecast.words == "3 videos left."
    assert (wallet.warning, notices_of(shop, ada)) == ("", [])
