"""An event is a hint: endpoints of older API versions may send it in an older shape."""

from __future__ import annotations

import itertools

from tests.support import old_events
from tests.support.sandbox import of_type
from tests.support.shop import Shop
from tests.support.webhooks import results


def test_events_of_older_versions_do_what_those_of_ours_do_in_any_order(shop: Shop) -> None:
    for order in itertools.permutations(range(3)):
        ada = shop.a_person()
        shop.pays(ada, "starter:month")
        (completed,) = of_type(shop.new_events(), "checkout.session.completed")
        session = completed["data"]["object"]
        who = {"customer": session["customer"], "subscription": session["subscription"]}
        old = (
            old_events.checkout_completed(session=session["id"], **who),
            old_events.subscription_updated(**who),
            old_events.invoice_paid(invoice=session["invoice"], **who),
        )
        shop.deliver([old[index] for index in order])
        assert results(shop, old) == {"done"}
        account = shop.payments.account(ada.id)
        assert account.credits.available == 33
        assert account.plan is not None
        # As Stripe has it now, not as the old event says.
        assert account.plan.current_period_end > shop.runtime.clock()
        assert [row.status for row in account.invoices] == ["paid"]


def test_events_of_older_versions_about_strangers_are_ignored(shop: Shop) -> None:
    who = {"customer": "cus_of_somebody_else", "subscription": "sub_of_somebody_else"}
    old = (
        old_events.checkout_completed(session="cs_test_of_somebody_else", **who),
        old_events.subscription_updated(**who),
        old_events.invoice_paid(invoice="in_of_somebody_else", **who),
    )
    shop.deliver(old)
    assert results(shop, old) == {"ignored"}
