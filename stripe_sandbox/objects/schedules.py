"""Subscription schedules: the phases a subscription goes through, and when."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit, Where

KIND = "subscription_schedule"
_PATH = "/v1/subscription_schedules"
_OPEN = ("active", "not_started")
_EXPIRING_SECONDS = 7 * 24 * 3600
_DEFAULTS = {
    "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor": "automatic",
    "billing_thresholds": None,
    "collection_method": "charge_automatically",
    "default_payment_method": None,
    "description": None,
    "invoice_settings": {
        "account_tax_ids": None,
        "custom_fields": None,
        "days_until_due": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    },
    "on_behalf_of": None,
    "transfer_data": None,
}


def made(unit: Unit, customer_id: str, values: Json, phases: list[Json]) -> Json:
    """A schedule that has not started is stored; nobody has been told yet."""
    return unit.insert(
        {
            "id": ids.new_id("sub_sched"),
            "object": KIND,
            "application": None,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
            },
            "canceled_at": None,
            "completed_at": None,
            "created": unit.now,
            "current_phase": None,
            "customer": customer_id,
            "customer_account": None,
            "default_settings": {**_DEFAULTS, **(values.get("default_settings") or {})},
            "end_behavior": values.get("end_behavior") or "release",
            "livemode": False,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "pause_schedules": [],
            "phases": phases,
            "released_at": None,
            "released_subscription": None,
            "status": "not_started",
            "subscription": None,
            "test_clock": unit.clock,
        }
    )


def phase_at(body: Json, moment: int) -> int | None:
    """The number of the phase that the moment is in, or None after the last."""
    for number, phase in enumerate(body["phases"]):
        if moment < phase["end_date"]:
            return number
    return None


def enter(unit: Unit, body: Json, number: int) -> None:
    """The schedule is in this phase; its end, and a notice before the last one's, are due."""
    phase = body["phases"][number]
    body["status"] = "active"
    body["current_phase"] = {name: phase[name] for name in ("end_date", "start_date")}
    unit.schedule("phase", body["id"], phase["end_date"])
    if number == len(body["phases"]) - 1:
        notice = max(unit.now, phase["end_date"] - _EXPIRING_SECONDS)
        unit.schedule("expiring", body["id"], notice)
    unit.save(body)


def catch_up(unit: Unit, schedule_id: str) -> None:
    """A phase that ended while the subscription was paused ends now."""
    body = unit.get(KIND, schedule_id)
    if body["status"] == "active":
        unit.schedule("phase", schedule_id, max(unit.now, body["current_phase"]["end_date"]))


def tell_expiring(unit: Unit, schedule_id: str) -> None:
    """The merchant hears that the last phase ends within a week."""
    body = unit.get(KIND, schedule_id)
    if body["status"] == "active":
        unit.emit("subscription_schedule.expiring", body)


def close(unit: Unit, schedule_id: str, status: str) -> Json:
    """The schedule has ended: canceled, completed, or released from its subscription."""
    body = unit.get(KIND, schedule_id)
    if body["status"] not in _OPEN:
        return body
    for verb in ("phase", "expiring"):
        unit.unschedule(verb, schedule_id)
    body.update(status=status, current_phase=None)
    body[f"{status}_at"] = unit.now
    if status == "released":
        body.update(released_subscription=body["subscription"], subscription=None)
    unit.save(body)
    unit.emit(f"subscription_schedule.{status}", body)
    return body


def all_of(unit: Unit, values: Json) -> Json:
    """The schedules, newest first."""
    moments = ("canceled_at", "completed_at", "created", "released_at")
    wheres = [*lists.equal(values, "customer"), *lists.within(values, *moments)]
    if values.get("scheduled"):
        wheres.append(Where("json_extract(body, '$.status') = 'not_started'"))
    return lists.page(unit, KIND, _PATH, values, wheres)


ROUTES = (
    retrieve(KIND, _PATH),
    Route(
        "GET",
        _PATH,
        all_of,
        {
            **lists.PAGING,
            "canceled_at": params.span,
            "completed_at": params.span,
            "created": params.span,
            "customer": TEXT,
            "released_at": params.span,
            "scheduled": params.boolean,
        },
    ),
)
