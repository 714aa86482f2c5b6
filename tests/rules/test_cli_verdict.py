"""The check by Stripe's CLI notices what it is there to notice."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.stripe_cli import verdict
from tests.stripe_cli.binary import Said
from tests.stripe_cli.flows import (
    FLOWS,
    ITERATIONS,
    METHOD_TYPES,
    TOO_EARLY,
    Flow,
    Reason,
)
from tests.stripe_cli.product import Arrival
from tests.stripe_cli.recorder import Exchange
from tests.stripe_cli.running import Run

MADE = Exchange("POST /v1/customers", 200, '{"id": "cus_1"}')
PASSED = Run(Flow("customer.created", "customer.created"), False, Said(0, ""), (MADE,))
ARRIVED = Arrival("customer.created (evt_1)", (200,), "ignored")


def refusal(param: str, *, code: str = "parameter_unknown", status: int = 400) -> Exchange:
    error = {"type": "invalid_request_error", "code": code, "param": param}
    return Exchange("POST /v1/payment_intents", status, json.dumps({"error": error}))


def listed(reason: Reason, *exchanges: Exchange) -> Run:
    flow = Flow("charge.failed", "charge.failed", reason)
    return Run(flow, False, Said(1, ""), exchanges)


def test_a_flow_that_is_in_the_table_and_triggered_is_no_fault() -> None:
    names = [flow.name for flow in FLOWS]
    assert list(verdict.of_the_table(FLOWS, [*names, "issuing_card.created"])) == []


def test_a_flow_that_the_table_does_not_know_is_a_fault() -> None:
    names = [flow.name for flow in FLOWS]
    (fault,) = verdict.of_the_table(FLOWS, [*names, "invoice.overpaid"])
    assert "invoice.overpaid" in fault


def test_a_flow_that_the_cli_does_not_know_or_that_stands_there_twice_is_a_fault() -> None:
    table = [PASSED.flow, PASSED.flow, Flow("customer.lost", "customer.lost")]
    faults = list(verdict.of_the_table(table, ["customer.created"]))
    assert ["twice" in fault or "customer.lost" in fault for fault in faults] == [True, True]


def test_a_run_whose_event_was_taken_and_worked_on_has_passed() -> None:
    for result in ("done", "ignored"):
        arrivals = {"evt_1": replace(ARRIVED, result=result)}
        assert verdict.of_a_pass(PASSED, "evt_1", arrivals) == ""


@pytest.mark.parametrize(
    ("run", "event", "arrival"),
    [
        (replace(PASSED, said=Said(1, "Trigger failed")), "evt_1", ARRIVED),
        (PASSED, None, ARRIVED),
        (PASSED, "evt_2", ARRIVED),
        (PASSED, "evt_1", replace(ARRIVED, statuses=())),
        (PASSED, "evt_1", replace(ARRIVED, statuses=(400,))),
        (PASSED, "evt_1", replace(ARRIVED, statuses=(500, 200))),
        (PASSED, "evt_1", replace(ARRIVED, result=None)),
        (PASSED, "evt_1", replace(ARRIVED, result="dead")),
    ],
)
def test_a_run_has_not_passed_if_anything_on_the_way_failed(
    run: Run, event: str | None, arrival: Arrival
) -> None:
    assert verdict.of_a_pass(run, event, {"evt_1": arrival})


def test_a_listed_run_is_refused_for_the_parameter_of_its_reason() -> None:
    for reason, param in (
        (METHOD_TYPES, "payment_method_types"),
        (METHOD_TYPES, "payment_method_types[0]"),
        (ITERATIONS, "phases[1][iterations]"),
    ):
        assert verdict.of_a_refusal(listed(reason, MADE, refusal(param)), None) == ""


def test_a_listed_run_without_parameters_just_does_not_lead_to_its_event() -> None:
    run = listed(TOO_EARLY, MADE)
    assert verdict.of_a_refusal(run, None) == ""
    assert "passes now" in verdict.of_a_refusal(run, "evt_1")


def test_an_event_is_a_run_s_own_if_an_answer_named_its_object_or_payment() -> None:
    paid = replace(PASSED, exchanges=(Exchange("POST /v1/x", 200, '{"id": "pi_1"}'),))
    assert paid.concerns({"id": "pi_1"})
    assert paid.concerns({"id": "dp_1", "payment_intent": "pi_1"})
    assert not paid.concerns({"id": "pi_12", "payment_intent": None})
    assert not paid.concerns({"object": "balance"})


@pytest.mark.parametrize(
    "exchange",
    [
        refusal("amount"),
        refusal("payment_method_types", code="parameter_missing"),
        refusal("payment_method_types", status=404),
        MADE,
    ],
)
def test_a_listed_run_that_is_refused_for_something_else_is_a_fault(exchange: Exchange) -> None:
    assert verdict.of_a_refusal(listed(METHOD_TYPES, exchange), None)


def test_a_listed_run_that_passes_now_is_a_fault() -> None:
    run = listed(METHOD_TYPES, refusal("payment_method_types"))
    assert "passes now" in verdict.of_a_refusal(run, "evt_1")
