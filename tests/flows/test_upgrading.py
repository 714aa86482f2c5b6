"""A database of the version before, with customers in it, becomes one of this version and back."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from talkingphoto.foundation import settings
from talkingphoto.integrations import schema
from tests.support.money_back import FREE, balance, spends
from tests.support.shop import Shop

# The last migration before subscriptions and credits had their whole life.
BEFORE = "0008"


def test_o4_plans_packs_months_to_come_and_free_videos_live_through_an_upgrade(shop: Shop) -> None:
    ada, bob = shop.a_person(), shop.a_person()
    shop.buys(ada, "starter:year")
    shop.buys(bob, "pack:10")
    spends(shop, bob, FREE + 4)
    before = {one: (balance(shop, one), shop.payments.account(one.id)) for one in (ada, bob)}
    config = Config()
    config.set_main_option("script_location", str(settings.PROJECT_ROOT / "migrations"))
    config.attributes["database_url"] = shop.runtime.database_url

    command.downgrade(config, BEFORE)
    schema.upgrade(shop.runtime.database)

    for one, (had, account) in before.items():
        assert balance(shop, one) == had
        now = shop.payments.account(one.id)
        assert (now.credits, now.statement, now.invoices) == (
            account.credits,
            account.statement,
            account.invoices,
        )
        assert now.plan is None or now.plan.item == "starter:year"
        assert shop.auth.free_videos(one.id).state == "granted"
    spends(shop, bob, 6)
    shop.clock.advance(days=32)
    shop.payments.run_due_work()
    assert (balance(shop, ada).available, balance(shop, bob).available) == (FREE + 60, 0)
    offer = shop.refunds.offer(user_id=ada.id, payment_id=before[ada][1].invoices[0].id)
    assert (offer.credits, offer.unused) == (360, 360)
