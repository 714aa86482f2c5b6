"""Webhooks: signed, prompt, repeated until taken, and on record."""

import time
from pathlib import Path

import pytest
import requests
import stripe

from stripe_sandbox.delivery import signing
from tests.sandbox.running import SECRET, Process, Receiver, Shop, eventually


def test_every_event_arrives_signed_for_the_official_check(shop: Shop, receiver: Receiver) -> None:
    before = len(receiver.letters)
    session = shop.checkout_pack()
    shop.pay(session)

    def letters() -> list[tuple[str, str, float]]:
        # The receiver is shared: what came before this test may be too old for the check by now.
        return [letter for letter in receiver.letters[before:] if session.id in letter[0]]

    eventually(lambda: any('"checkout.session.completed"' in raw for raw, _, _ in letters()))
    for raw, header, _ in letters():
        assert stripe.WebhookSignature.verify_header(raw, header, SECRET, tolerance=300)
    with pytest.raises(stripe.SignatureVerificationError):
        raw, header, _ = letters()[0]
        stripe.WebhookSignature.verify_header(raw + " ", header, SECRET)


def test_an_event_has_the_endpoints_version_and_the_request_that_caused_it(
    shop: Shop, receiver: Receiver
) -> None:
    made = shop.client.v1.customers.create(
        params={"name": "Cause"}, options={"idempotency_key": "a cause of its own"}
    )

    def mine() -> list[dict[str, object]]:
        return [e for e in receiver.events() if e["data"]["object"].get("id") == made.id]

    eventually(lambda: bool(mine()))
    event = mine()[0]
    assert event["api_version"] == "2026-10-28.endive"
    assert event["livemode"] is False
    request = event["request"]
    assert isinstance(request, dict)
    assert request["idempotency_key"] == "a cause of its own"
    assert str(request["id"]).startswith("req_")


def test_delivery_begins_within_a_moment_of_the_effect(shop: Shop, receiver: Receiver) -> None:
    waits = []
    for _ in range(5):
        began = time.time()
        made = shop.client.v1.customers.create(params={"name": "Prompt"}).id

        def seen(made: str = made) -> bool:
            return any(made in raw for raw, _, _ in list(receiver.letters))

        eventually(seen)
        waits.append(next(at for raw, _, at in receiver.letters if made in raw) - began)
    assert sorted(waits)[2] < 0.25


def test_a_refused_delivery_is_tried_again_and_every_try_is_on_record(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.status = 500
    made = shop.client.v1.customers.create(params={"name": "Stubborn"}).id
    eventually(lambda: any(made in raw for raw, _, _ in list(receiver.letters)))
    event = shop.client.v1.events.list(params={"type": "customer.created", "limit": 1}).data[0]
    undelivered = shop.client.v1.events.list(params={"delivery_success": False, "limit": 5}).data
    assert event.id in [e.id for e in undelivered]
    assert event.pending_webhooks == 1
    receiver.status = 200

    def taken() -> bool:
        return shop.client.v1.events.retrieve(event.id).pending_webhooks == 0

    eventually(taken)
    record = requests.get(
        f"{shop.sandbox.base}/_sandbox/deliveries", {"event": event.id}, timeout=5
    ).json()["data"][0]
    assert record["state"] == "succeeded"
    assert [attempt["status"] for attempt in record["attempts"]] == [500, 200]
    assert all(attempt["seconds"] >= 0 for attempt in record["attempts"])


def test_deliveries_outlive_a_receiver_that_is_down_and_a_restart(tmp_path: Path) -> None:
    receiver = Receiver()
    sandbox = Process(tmp_path, webhook_url=receiver.url).start()
    made = sandbox.client().v1.customers.create(params={"name": "Patient"}).id

    def tried() -> bool:
        return bool(sandbox.get("/_sandbox/deliveries").json()["data"][0]["attempts"])

    eventually(tried)
    sandbox.stop()
    receiver.open()
    sandbox.start()
    eventually(lambda: any(made in raw for raw, _, _ in list(receiver.letters)))
    sandbox.stop()
    receiver.close()


def test_an_endpoint_shows_its_secret_once_and_hears_only_what_it_asked_for(shop: Shop) -> None:
    own = Receiver()
    own.open()
    v1 = shop.client.v1
    made = v1.webhook_endpoints.create(
        params={"url": own.url, "enabled_events": ["product.created"]}
    )
    assert made.secret is not None and made.secret.startswith("whsec_")
    assert "secret" not in v1.webhook_endpoints.retrieve(made.id)
    shop.customer()
    v1.products.create(params={"name": "Heard"})
    eventually(lambda: bool(own.letters))
    assert {event["type"] for event in own.events()} == {"product.created"}
    raw, header, _ = own.letters[0]
    assert stripe.WebhookSignature.verify_header(raw, header, made.secret)
    assert v1.webhook_endpoints.update(made.id, params={"disabled": True}).status == "disabled"
    assert v1.webhook_endpoints.delete(made.id).deleted
    own.close()


def test_events_are_found_by_type_and_by_family(shop: Shop) -> None:
    shop.pay(shop.checkout(customer=shop.customer()))
    events = shop.client.v1.events
    family = events.list(params={"type": "invoice.*", "limit": 4}).data
    assert {e.type.split(".")[0] for e in family} == {"invoice"}
    some = events.list(params={"types": ["invoice.paid", "customer.created"], "limit": 20}).data
    assert {e.type for e in some} == {"invoice.paid", "customer.created"}
    assert events.list(params={"created": {"lt": 1000}}).data == []


def test_two_secrets_in_force_sign_twice() -> None:
    header = signing.signature(["whsec_old", "whsec_new"], "{}", 1_800_000_000)
    assert header.count("v1=") == 2
    for secret in ("whsec_old", "whsec_new"):
        assert stripe.WebhookSignature.verify_header("{}", header, secret)
