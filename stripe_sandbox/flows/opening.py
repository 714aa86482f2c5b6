"""A Checkout Session is opened, or opened again for a payer who came too late."""

import json

from stripe_sandbox import Json, amounts, ids
from stripe_sandbox.api import errors, lists
from stripe_sandbox.api.routes import Route
from stripe_sandbox.flows import offering, quoting
from stripe_sandbox.objects import line_items, session_fields, sessions, setup_intents
from stripe_sandbox.unit import Unit


def create(unit: Unit, values: Json) -> Json:
    """An open session waits at its page for the payer."""
    session_fields.check(unit, values)
    setup = values["mode"] == "setup"
    currency, lines = (values["currency"], []) if setup else line_items.opened(unit, values)
    body = sessions.drawn(unit, values, currency, lines, session_fields.expiry(unit, values))
    offering.offer(unit, body, values.get("discounts") or [])
    quoting.quote(unit, body)
    _check_total(body)
    return _open(unit, body)


def again(unit: Unit, expired: Json) -> Json | None:
    """An open session sells once more what the expired one did, while that may be recovered."""
    recovery = (expired["after_expiration"] or {}).get("recovery") or {}
    if expired["status"] != "expired" or not recovery.get("url"):
        return None
    if unit.now >= recovery["expires_at"]:
        return None
    wanted = {"recovered_from": expired["id"], "status": "open"}
    wheres = lists.equal(wanted, *wanted)
    for open_one in unit.select(sessions.KIND, wheres, 1):
        return open_one
    body: Json = json.loads(json.dumps(expired))
    session_id = ids.new_id("cs_test", 58)
    codes = recovery["allow_promotion_codes"] and not body["discounts"]
    body.update(
        id=session_id,
        created=unit.now,
        expires_at=unit.now + session_fields.LONGEST_SECONDS,
        recovered_from=expired["id"],
        status="open",
        url=f"{unit.public_url}/c/pay/{session_id}",
        allow_promotion_codes=True if codes else body["allow_promotion_codes"],
        setup_intent=None,
        _intent=None,
    )
    body["after_expiration"]["recovery"].update(expires_at=None, url=None)
    for line in body["_lines"]:
        line["id"] = ids.new_id("li")
    if body["_discount"]:
        body["_discount"]["id"] = ids.new_id("di")
        body["_discount"]["checkout_session"] = session_id
    return _open(unit, quoting.quote(unit, body))


def _open(unit: Unit, body: Json) -> Json:
    unit.insert(body)
    if body["mode"] == "setup":
        setup = setup_intents.made(
            unit, {**body["_data"], "customer": body["customer"], "return_url": body["url"]}
        )
        body.update(setup_intent=setup["id"], _intent=setup["id"])
        unit.save(body)
        unit.emit("setup_intent.created", setup)
    unit.schedule("expire", body["id"], body["expires_at"])
    return body


def _check_total(body: Json) -> None:
    if body["mode"] == "setup":
        return
    least = amounts.smallest(body["currency"])
    if 0 < body["amount_total"] < least:
        written = amounts.written(least, body["currency"])
        raise errors.invalid(
            "The Checkout Session's total amount due must add up to at least "
            f"{written} {body['currency']}",
            code="amount_too_small",
            param="line_items",
        )


ROUTES = (
    Route(
        "POST",
        "/v1/checkout/sessions",
        create,
        session_fields.FIELDS,
        ("mode", "success_url"),
        partly="hosted page in English; no shipping, custom fields, optional items, "
        "billing_cycle_anchor, payment_method_options, branding, Connect",
    ),
)
