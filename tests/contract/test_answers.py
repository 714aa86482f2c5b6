"""The checker of answers and events finds what is planted in them, and nothing where all is so."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.contract import checking, judging, removed
from tests.contract.fixtures import making
from tests.contract.table import Table
from tests.contract.world import Answer, World

Json = dict[str, Any]
Plant = Callable[[Json], object]


@pytest.fixture(scope="session")
def invoice(world: World) -> Json:
    """A paid invoice with what paid it, as it is answered."""
    made = making.paid(world, making.with_card(world))
    expand = ["payments.data.payment.payment_intent", "customer"]
    body: Json = world.get(f"/v1/invoices/{made['id']}", expand=expand).body
    return body


@pytest.fixture(scope="session")
def event(world: World) -> Json:
    """A delivered event that says what was before."""
    owner = making.customer(world)
    world.made(f"/v1/customers/{owner}", name="Ada")
    return next(one for one in world.events() if one["type"] == "customer.updated")


def test_what_the_sandbox_answers_has_no_fault(invoice: Json, event: Json) -> None:
    assert checking.faults(invoice, "invoice") == []
    assert checking.answer_faults(invoice, "GET /v1/invoices/<id>") == []
    assert list(removed.faults(invoice)) == []
    assert judging.event_faults(event) == []


PLANTED: dict[str, tuple[Plant, str]] = {
    "a text for a number": (lambda one: one.update(amount_due="5000"), "$.amount_due"),
    "a fraction for an amount": (lambda one: one.update(amount_due=5000.0), "$.amount_due"),
    "a flag for a number": (lambda one: one.update(amount_due=True), "$.amount_due"),
    "null where there is none": (lambda one: one.update(attempted=None), "$.attempted"),
    "a word of no list": (lambda one: one.update(status="settled"), "$.status"),
    "a field too many": (lambda one: one.update(mood="good"), "$"),
    "a field too few": (lambda one: one.pop("lines"), "$"),
    "an empty field left out": (lambda one: one.pop("due_date"), "$"),
    "live money": (lambda one: one.update(livemode=True), "$.livemode"),
    "a currency in capitals": (lambda one: one.update(currency="USD"), "$.currency"),
    "a count in a list": (lambda one: one["lines"].update(total_count=1), "$.lines"),
    "deep in a line": (
        lambda one: one["lines"]["data"][0]["pricing"].update(mood="good"),
        "$.lines.data[0].pricing",
    ),
    "in what is expanded": (lambda one: one["customer"].update(balance="0"), "$.customer.balance"),
    "deep in what is expanded": (
        lambda one: one["payments"]["data"][0]["payment"]["payment_intent"].update(amount=None),
        "$.payments.data[0].payment.payment_intent.amount",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_where_it_is(invoice: Json, name: str) -> None:
    plant, path = PLANTED[name]
    wrong = deepcopy(invoice)
    plant(wrong)
    assert [at for at, _ in checking.faults(wrong, "invoice")] == [path]


@pytest.mark.parametrize(
    ("plant", "path"),
    [
        (lambda one: one.update(paid=True), "$.paid"),
        (lambda one: one["lines"]["data"][0].update(price={}), "$.lines.data[0].price"),
        (lambda one: one["customer"].update(cards=None), "$.customer.cards"),
    ],
)
def test_a_field_that_was_removed_is_named_when_it_comes_back(
    invoice: Json, plant: Plant, path: str
) -> None:
    wrong = deepcopy(invoice)
    plant(wrong)
    ((at, said),) = removed.faults(wrong)
    assert (at, "no more" in said) == (path, True)
    assert list(removed.faults({"metadata": wrong})) == []


def test_removed_fields_of_phases_are_looked_for_in_the_schedule() -> None:
    phase = {"coupon": None, "items": [{"trial": False}]}
    found = removed.faults({"object": "subscription_schedule", "phases": [phase]})
    assert [at for at, _ in found] == ["$.phases[0].coupon", "$.phases[0].items[0].trial"]


def test_a_route_answers_with_its_own_kind_of_object(invoice: Json) -> None:
    assert checking.answer_faults(invoice, "GET /v1/customers/<id>")
    assert checking.answer_faults(invoice, "GET /v1/nothing") == [
        ("$", "the description has no such route")
    ]
    assert checking.faults(invoice, "nothing") == [("$", "the description has no object 'nothing'")]


def test_an_error_is_held_against_the_shape_of_errors() -> None:
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": "None"}
    route = "GET /v1/invoices/<id>"
    assert judging.answer_faults(Answer(route, 404, {"error": error}, "")) == []
    for change in ({"type": "sad"}, {"code": 404}, {"param": None}, {"mood": "good"}):
        wrong = {"error": {**error, **change}}
        assert judging.answer_faults(Answer(route, 404, wrong, "")), change


@pytest.mark.parametrize(
    ("plant", "path"),
    [
        (lambda one: one.update(type="customer.smiled"), "$.type"),
        (lambda one: one.update(pending_webhooks=None), "$.pending_webhooks"),
        (lambda one: one["data"]["object"].update(balance="0"), "$.data.object.balance"),
        (
            lambda one: one["data"]["previous_attributes"].update(mood="bad"),
            "$.data.previous_attributes.mood",
        ),
        (
            lambda one: one["data"]["previous_attributes"].update(balance="0"),
            "$.data.previous_attributes.balance",
        ),
    ],
)
def test_a_fault_in_an_event_is_found_where_it_is(event: Json, plant: Plant, path: str) -> None:
    wrong = deepcopy(event)
    plant(wrong)
    assert [at for at, _ in judging.event_faults(wrong)] == [path]


def test_a_fixture_that_does_not_reach_its_state_is_told(world: World) -> None:
    table = Table("planted")

    @table.row("POST /v1/customers", "named", name="Ada")
    def named(world: World) -> Answer:
        return world.post("/v1/customers", name="Eve")

    @table.row("GET /v1/customers/<id>", "elsewhere")
    def elsewhere(world: World) -> Answer:
        return world.get("/v1/customers")

    @table.row("POST /v1/customers", "refused", http=400)
    def refused(world: World) -> Answer:
        return world.post("/v1/customers")

    said = [one.not_reached(one.make(world)) for one in table.fixtures]
    assert said[0] == "name is 'Eve' instead of 'Ada'"
    assert said[1] == "answered by GET /v1/customers"
    assert str(said[2]).startswith("status 200 instead of 400")
    routes = {"POST /v1/customers", "GET /v1/customers/<id>", "GET /v1/prices"}
    assert [one.route for one in judging.unlisted(routes, [table])] == ["GET /v1/prices"]
    assert [one.route for one in judging.unlisted(set(), [table])] == [
        "GET /v1/customers/<id>",
        "POST /v1/customers",
    ]


def test_a_family_with_a_fault_says_route_state_and_path() -> None:
    table = Table("planted")

    @table.row("GET /v1/customers/<id>", "unknown", name="Ada")
    def unknown(world: World) -> Answer:
        world.made("/v1/customers", shoe_size=43)
        raise AssertionError("it was made")

    (violation,) = judging.judge(table).violations
    assert str(violation).startswith(
        "GET /v1/customers/<id>, unknown, $, could not be made: AssertionError POST /v1/customers"
    )
