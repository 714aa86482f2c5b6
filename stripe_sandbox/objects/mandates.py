"""Mandates: a payer's leave to debit an account."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import retrieve
from stripe_sandbox.unit import Unit

# How a payer accepts on this sandbox's own pages.
ON_PAGE: Json = {"type": "online"}


def given(unit: Unit, method: Json, acceptance: Json) -> Json:
    """The payer allows debits of the account; the payment method knows its mandate."""
    kind = method["type"]
    mandate_id = ids.new_id("mandate")
    shown: Json = {}
    if kind == "sepa_debit":
        reference = mandate_id[-10:].upper()
        shown = {"reference": reference, "url": f"{unit.public_url}/m/{mandate_id}"}
    way = acceptance["type"]
    details = {"ip_address": None, "user_agent": None} if way == "online" else {}
    body = unit.insert(
        {
            "id": mandate_id,
            "object": "mandate",
            "customer_acceptance": {
                "accepted_at": acceptance.get("accepted_at") or unit.now,
                way: {**details, **(acceptance.get(way) or {})},
                "type": way,
            },
            "livemode": False,
            "multi_use": {},
            "payment_method": method["id"],
            "payment_method_details": {kind: shown, "type": kind},
            "status": "active",
            "type": "multi_use",
        }
    )
    method["_mandate"] = mandate_id
    unit.save(method)
    return body


DATA = params.hash_of(
    {
        "customer_acceptance": params.hash_of(
            {
                "accepted_at": params.integer(),
                "offline": params.hash_of({}),
                "online": params.hash_of({"ip_address": TEXT, "user_agent": TEXT}),
                "type": params.choice("offline", "online"),
            },
            ("type",),
        )
    },
    ("customer_acceptance",),
)
ROUTES = (retrieve("mandate", "/v1/mandates"),)
