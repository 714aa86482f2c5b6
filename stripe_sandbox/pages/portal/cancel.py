"""The end of a plan in the portal, with a reason; and the customer who thinks better of it."""

from flask import request

from stripe_sandbox import Json
from stripe_sandbox.flows import changing, deferring, ending
from stripe_sandbox.objects import subscriptions
from stripe_sandbox.pages import answer
from stripe_sandbox.pages.portal import overview
from stripe_sandbox.pages.portal.visit import Onward, Page, Visit

_REASONS = {
    "too_expensive": "It costs too much",
    "missing_features": "I miss something in it",
    "switched_service": "I found something better",
    "unused": "I do not use it enough",
    "customer_service": "I was not helped well",
    "too_complex": "It is too difficult to use",
    "low_quality": "It is not good enough",
    "other": "Something else",
}


def show(visit: Visit, subscription_id: str) -> Page | Onward:
    """The page that says when the plan would end, and asks why."""
    body = visit.plan(subscription_id)
    if body is None or body["cancel_at"]:
        return visit.instead()
    feature = _feature(visit)
    reasons = feature["cancellation_reason"]
    at_once = feature["mode"] == "immediately"
    name = str(overview.plan_facts(visit, body)["name"])
    ends = answer.day(subscriptions.period_of(body)[1])
    keeps = "You keep it until then, and nothing more is charged."
    ends_now = "It ends now. "
    gives_back = feature["proration_behavior"] != "none"
    lost = (
        "What you paid for the rest of the time comes back as a credit."
        if gives_back
        else ("What you paid for the rest of the time is not paid back.")
    )
    return Page(
        "portal/cancel.html",
        {
            "name": name,
            "text": ends_now + lost if at_once else f"It ends on {ends}. {keeps}",
            "subscription": subscription_id,
            "reasons": {key: _REASONS[key] for key in _REASONS if key in reasons["options"]}
            if reasons["enabled"]
            else {},
        },
    )


def end(visit: Visit, subscription_id: str) -> Page | Onward:
    """The plan ends as the configuration says: now, or with its period."""
    body = visit.plan(subscription_id)
    if body is None or body["cancel_at"]:
        return visit.instead()
    # A change that was to come with the next period does not come either.
    deferring.forget(visit.unit, body)
    details = {"cancellation_details": _details(visit)}
    if _feature(visit)["mode"] == "immediately":
        prorate = _feature(visit)["proration_behavior"] != "none"
        ending.cancel(visit.unit, {**details, "prorate": prorate}, subscription_id)
    else:
        changing.update(visit.unit, {**details, "cancel_at_period_end": True}, subscription_id)
    return visit.done("canceled")


def keep(visit: Visit, subscription_id: str) -> Onward:
    """The plan that was to end goes on."""
    body = visit.plan(subscription_id)
    if body is not None and body["cancel_at"]:
        changing.update(visit.unit, {"cancel_at_period_end": False}, subscription_id)
        return visit.done("kept")
    return visit.instead()


def _feature(visit: Visit) -> Json:
    found: Json = visit.configuration["features"]["subscription_cancel"]
    return found


def _details(visit: Visit) -> Json:
    reasons = _feature(visit)["cancellation_reason"]
    feedback = request.form.get("feedback", "")
    known = reasons["enabled"] and feedback in reasons["options"]
    comment = request.form.get("comment", "").strip()[:500]
    return {
        "comment": comment or None if reasons["enabled"] else None,
        "feedback": feedback if known else None,
    }
