"""W10 and W18: one id says one thing, and a person may have an event processed again."""

from __future__ import annotations

import copy

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from talkingphoto.foundation import errors
from tests.support.jobs import run_due_jobs
from tests.support.sandbox import of_type, sign
from tests.support.shop import Person, Shop
from tests.support.webhooks import made_up_event, results


def an_admin(shop: Shop) -> Person:
    """Somebody who works here."""
    admin = shop.a_person()
    shop.auth.appoint(email=admin.email, role="admin", reason="a test")
    return admin


def count(shop: Shop, table: str) -> int:
    """How many rows a table has."""
    with shop.runtime.read_only() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


def actions(shop: Shop) -> list[tuple[str, ...]]:
    """Who asked for what to be processed again, and why."""
    query = text(
        "SELECT staff_id, about, reason FROM staff_actions WHERE action = 'event.replay'"
        " ORDER BY at"
    )
    with shop.runtime.read_only() as session:
        return [tuple(row) for row in session.execute(query)]


@pytest.mark.parametrize("worked_between", [True, False])
def test_w18_an_event_that_is_replayed_three_times_brings_nothing_new(
    shop: Shop, worked_between: bool
) -> None:
    ada, admin = shop.a_person(), an_admin(shop)
    paid = of_type(shop.buys(ada, "pack:10"), "checkout.session.completed")
    before = count(shop, "ledger_transactions")
    for number in range(3):
        shop.reconciliation.replay(
            staff_id=admin.id, event_id=paid[0]["id"], reason=f"try {number}"
        )
        if worked_between:
            run_due_jobs(shop)
    run_due_jobs(shop)
    assert results(shop, paid) == {"done"}
    assert count(shop, "ledger_transactions") == before
    assert shop.balance(ada) == 13
    assert actions(shop) == [(admin.id, paid[0]["id"], f"try {number}") for number in range(3)]


def test_w18_a_dead_event_is_done_when_it_is_replayed(shop: Shop) -> None:
    ada, admin = shop.a_person(), an_admin(shop)
    shop.pays(ada, "pack:10")
    paid = of_type(shop.new_events(), "checkout.session.completed")
    shop.webhooks.receive(*sign(paid[0], shop.secret))
    with capture_logs() as logs:
        shop.webhooks.bury(paid[0]["id"], error="KeyError")
    assert [line["event"] for line in logs] == ["alert.webhook_dead"]
    run_due_jobs(shop)
    assert (results(shop, paid), shop.balance(ada)) == ({"dead"}, 3)
    shop.reconciliation.replay(staff_id=admin.id, event_id=paid[0]["id"], reason="mended")
    run_due_jobs(shop)
    assert (results(shop, paid), shop.balance(ada)) == ({"done"}, 13)


@pytest.mark.parametrize("role", ["customer", "support"])
def test_only_an_admin_with_a_reason_may_replay_an_event(shop: Shop, role: str) -> None:
    ada = shop.a_person()
    shop.auth.appoint(email=ada.email, role=role, reason="a test")  # type: ignore[arg-type]
    (event, *_) = shop.buys(ada, "pack:10")
    with pytest.raises(errors.NotPermitted):
        shop.reconciliation.replay(staff_id=ada.id, event_id=event["id"], reason="please")
    admin = an_admin(shop)
    with pytest.raises(errors.InvalidRequest):
        shop.reconciliation.replay(staff_id=admin.id, event_id=event["id"], reason=" ")
    with pytest.raises(errors.NotFound):
        shop.reconciliation.replay(staff_id=admin.id, event_id="evt_none", reason="please")
    assert actions(shop) == []


def test_w10_the_same_id_with_other_contents_is_parked_and_changes_nothing(shop: Shop) -> None:
    ada = shop.a_person()
    (first, *_) = of_type(shop.buys(ada, "pack:10"), "checkout.session.completed")
    other = copy.deepcopy(first)
    other["data"]["object"]["amount_total"] = 1
    with capture_logs() as logs:
        shop.deliver([other])
        shop.deliver([other])
    assert {line["event"] for line in logs} == {"alert.webhook_conflict"}
    assert count(shop, "event_conflicts") == 1
    assert shop.balance(ada) == 13
    query = text("SELECT kind, class, object_id, state FROM differences")
    with shop.runtime.read_only() as session:
        assert [tuple(row) for row in session.execute(query)] == [
            ("event", "conflict", first["id"], "alerted")
        ]


def test_w10_what_says_the_same_in_another_form_is_no_conflict(shop: Shop) -> None:
    ada = shop.a_person()
    (first, *_) = of_type(shop.buys(ada, "pack:10"), "checkout.session.completed")
    again = {"pending_webhooks": 7, **{name: first[name] for name in reversed(first)}}
    older = copy.deepcopy(first) | {"api_version": "2024-06-20"}
    older["data"]["object"]["ui_mode"] = "hosted"
    shop.deliver([again, older])
    assert count(shop, "event_conflicts") == 0


def test_w16_a_type_that_nobody_knows_is_stored_as_ignored_without_an_alert(shop: Shop) -> None:
    event = made_up_event("invoice.dreamt_of", {"id": "in_x", "object": "invoice"})
    with capture_logs() as logs:
        shop.deliver([event])
    assert results(shop, [event]) == {"ignored"}
    assert [line for line in logs if line["log_level"] in {"warning", "error"}] == []


def test_w13_two_updates_of_one_second_in_either_order_end_as_stripe_has_it(shop: Shop) -> None:
    ada = shop.a_person()
    shop.buys(ada, "starter:month")
    client = shop.sandbox.client(shop.key)
    plan = client.v1.subscriptions.list({"limit": 1}).data[0]
    for ends in (True, False):
        client.v1.subscriptions.update(plan.id, {"cancel_at_period_end": ends})
    updates = of_type(shop.new_events(), "customer.subscription.updated")[-2:]
    tied = [event | {"created": updates[0]["created"]} for event in updates]
    assert [event["data"]["object"]["cancel_at_period_end"] for event in tied] == [True, False]
    shop.deliver(reversed(tied))
    view = shop.payments.account(ada.id).plan
    assert view is not None
    assert view.cancel_at_period_end is False


def test_v2_what_waits_is_dead_parked_or_differs_is_counted(shop: Shop) -> None:
    ada = shop.a_person()
    dead, waiting, *_ = shop.buys(ada, "pack:10")
    fresh = [event | {"id": f"{event['id']}_again"} for event in (dead, waiting)]
    for event in fresh:
        shop.webhooks.receive(*sign(event, shop.secret))
    shop.webhooks.bury(fresh[0]["id"], error="KeyError")
    other = copy.deepcopy(dead)
    other["data"]["object"]["livemode"] = "perhaps"
    shop.webhooks.receive(*sign(other, shop.secret))
    standing = shop.reconciliation.standing()
    assert (standing.waiting, standing.dead, standing.parked) == (1, 1, 1)
    assert standing.oldest_seconds >= 0
    assert standing.differences == {("event", "dead"): 1, ("event", "conflict"): 1}
