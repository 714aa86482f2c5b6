"""The portal's addresses: each page in a transaction of its own, for who has a session."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, request

from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.objects import customers, portal_configurations, portal_sessions
from stripe_sandbox.pages import answer
from stripe_sandbox.pages.portal import cancel, details, overview, plan, ways
from stripe_sandbox.pages.portal.visit import Onward, Page, Visit, entered
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit

# As at the checkout: who goes back to the merchant finds that its webhooks were tried.
_WAIT_SECONDS = 1.0
_FLOW_PAGES = {
    "customer_update": "details",
    "payment_method_update": "card",
    "subscription_cancel": "cancel/{subscription}",
    "subscription_update": "plan/{subscription}",
    "subscription_update_confirm": "plan/{subscription}/confirm?price={price}&quantity={quantity}",
}


@dataclass(frozen=True)
class _Address:
    """A page of the portal, and the feature that has to be switched on for it."""

    method: str
    path: str
    verb: Callable[..., Page | Onward]
    feature: str | None = None


def _home(visit: Visit) -> Page | Onward:
    """The overview, or the page the customer was sent to."""
    flow = visit.flow
    if flow is None:
        return overview.show(visit)
    facts = dict(flow.get(flow["type"]) or {})
    for item in facts.pop("items", ()):
        facts.update(item)
    return Onward(f"{visit.base}/{_FLOW_PAGES[flow['type']].format(**facts)}")


_ADDRESSES = (
    _Address("GET", "", _home),
    _Address("GET", "/done", overview.confirmed),
    _Address("GET", "/invoices", overview.invoices, "invoice_history"),
    _Address("GET", "/card", ways.show, "payment_method_update"),
    _Address("POST", "/card", ways.add, "payment_method_update"),
    _Address("GET", "/card/saved", ways.saved, "payment_method_update"),
    _Address("POST", "/card/<method_id>/prefer", ways.prefer, "payment_method_update"),
    _Address("POST", "/card/<method_id>/remove", ways.remove, "payment_method_update"),
    _Address("GET", "/plan/<subscription_id>", plan.choose, "subscription_update"),
    _Address("GET", "/plan/<subscription_id>/confirm", plan.preview, "subscription_update"),
    _Address("POST", "/plan/<subscription_id>/confirm", plan.change, "subscription_update"),
    _Address("POST", "/plan/<subscription_id>/forget", plan.forget, "subscription_update"),
    _Address("GET", "/plan/<subscription_id>/asked", plan.asked, "subscription_update"),
    _Address("GET", "/cancel/<subscription_id>", cancel.show, "subscription_cancel"),
    _Address("POST", "/cancel/<subscription_id>", cancel.end, "subscription_cancel"),
    _Address("POST", "/keep/<subscription_id>", cancel.keep, "subscription_cancel"),
    _Address("GET", "/details", details.show, "customer_update"),
    _Address("POST", "/details", details.save, "customer_update"),
    _Address("POST", "/tax-ids", details.add_tax_id, "customer_update"),
    _Address("POST", "/tax-ids/<tax_id>/remove", details.remove_tax_id, "customer_update"),
)


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application serves the portal and its way in."""
    for address in _ADDRESSES:

        def view(session_id: str, address: _Address = address, **ids: str) -> Response:
            return _served(sandbox, address, session_id, ids)

        app.add_url_rule(
            f"/p/session/<session_id>{address.path}",
            f"portal {address.method} {address.path}",
            view,
            methods=[address.method],
        )

    def login(configuration_id: str) -> Response:
        return _login(sandbox, configuration_id)

    app.add_url_rule("/p/login/<configuration_id>", "portal login", login, methods=["GET", "POST"])


def _served(sandbox: Sandbox, address: _Address, session_id: str, ids: dict[str, str]) -> Response:
    try:
        with sandbox.transaction() as unit:
            visit = entered(unit, session_id)
            if visit is None:
                return _gone(sandbox)
            if address.feature and not visit.offers(address.feature):
                return _not_offered(sandbox, visit)
            found = address.verb(visit, **ids)
    except StripeFault as fault:
        return _failed(sandbox, visit, str(fault))
    if isinstance(found, Onward):
        if address.method == "POST":
            sandbox.deliverer.wait_for(unit.events, _WAIT_SECONDS)
        return answer.leave(found.address)
    frame = {
        "base": visit.base,
        "return_url": visit.session["return_url"],
        "profile": visit.configuration["business_profile"],
        "in_flow": visit.flow is not None,
    }
    return answer.page(
        sandbox,
        found.template,
        {**frame, **found.facts},
        status=found.status,
        leads_to=found.leads_to or visit.leads_to,
    )


def _login(sandbox: Sandbox, configuration_id: str) -> Response:
    """Whoever knows the e-mail address of a customer is let in, as nobody is at Stripe."""
    with sandbox.transaction() as unit:
        configuration = unit.find(configuration_id)
        known = configuration is not None and configuration["object"] == portal_configurations.KIND
        if configuration is None or not known or not configuration["login_page"]["enabled"]:
            return _gone(sandbox)
        email = request.form.get("email", "").strip()
        if request.method == "POST":
            address = _way_in(unit, email, configuration_id)
            if address:
                return answer.leave(address)
    facts: dict[str, object] = {
        "typed": {"email": email},
        "errors": {"email": "No customer has this e-mail address."} if email else {},
        "profile": configuration["business_profile"],
    }
    status = 422 if request.method == "POST" else 200
    return answer.page(sandbox, "portal/login.html", facts, status=status)


def _way_in(unit: Unit, email: str, configuration_id: str) -> str | None:
    found = customers.all_of(unit, {"email": email, "limit": 1})["data"] if email else []
    if not found:
        return None
    values = {"customer": found[0]["id"], "configuration": configuration_id}
    return str(portal_sessions.create(unit, values)["url"])


def _gone(sandbox: Sandbox) -> Response:
    facts: dict[str, object] = {
        "title": "This page is no longer open",
        "text": "For your safety it closes after an hour. Open it again from your account.",
    }
    return answer.page(sandbox, "message.html", facts, status=404)


def _not_offered(sandbox: Sandbox, visit: Visit) -> Response:
    facts: dict[str, object] = {
        "title": "This is not offered here",
        "text": f"{sandbox.settings.brand} has not switched it on. Nothing has changed.",
        "link": visit.base,
        "action": "Back to the overview",
    }
    return answer.page(sandbox, "message.html", facts, status=404)


def _failed(sandbox: Sandbox, visit: Visit | None, why: str) -> Response:
    facts: dict[str, object] = {
        "title": "That was not possible",
        "text": f"Nothing has changed. {why}",
    }
    if visit is not None:
        facts.update(link=visit.base, action="Back to the overview")
    return answer.page(sandbox, "message.html", facts, status=400)
