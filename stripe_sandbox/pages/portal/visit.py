"""A visit to the portal: whose it is, what they may do, and what a page answers."""

from dataclasses import dataclass, field

from stripe_sandbox import Json
from stripe_sandbox.api import lists
from stripe_sandbox.objects import portal_configurations, portal_sessions, subscriptions
from stripe_sandbox.unit import Unit


@dataclass(frozen=True)
class Page:
    """A page to show; ``leads_to`` is where one of its forms may send the customer."""

    template: str
    facts: dict[str, object] = field(default_factory=dict)
    status: int = 200
    leads_to: str | None = None


@dataclass(frozen=True)
class Onward:
    """An address to go to next."""

    address: str


@dataclass(frozen=True)
class Visit:
    """One customer in the portal, in one transaction."""

    unit: Unit
    session: Json
    customer: Json
    configuration: Json

    @property
    def base(self) -> str:
        """The address all pages of this visit begin with."""
        return str(self.session["url"])

    @property
    def flow(self) -> Json | None:
        """What the customer was sent to do, until it is done."""
        found: Json | None = self.session["flow"]
        return None if self.session.get("_flow_done") else found

    @property
    def after(self) -> Json:
        """What comes after the flow, if it was one."""
        found: Json = (self.session["flow"] or {}).get("after_completion") or {}
        return found

    @property
    def leads_to(self) -> str | None:
        """The merchant's address that this visit may go back to."""
        redirect = self.after.get("redirect") or {}
        address: str | None = redirect.get("return_url") or self.session["return_url"]
        return address

    def offers(self, feature: str) -> bool:
        """True if the configuration has switched the feature on."""
        return bool(self.configuration["features"][feature]["enabled"])

    def done(self, what: str) -> Onward:
        """On to what comes after the thing done: the overview, or what the flow asked for."""
        kind = self.after.get("type") if self.flow else None
        if self.flow:
            self.session["_flow_done"] = True
            self.unit.save(self.session)
        if kind == "redirect":
            return Onward(str(self.after["redirect"]["return_url"]))
        if kind == "hosted_confirmation":
            return Onward(f"{self.base}/done")
        return Onward(f"{self.base}?done={what}")

    def instead(self) -> Onward:
        """On to the overview: what was asked for cannot be done, or not any more."""
        if self.flow:
            self.session["_flow_done"] = True
            self.unit.save(self.session)
        return Onward(self.base)

    def plan(self, subscription_id: str) -> Json | None:
        """The customer's running subscription with this id, or None."""
        body = self.unit.find(subscription_id)
        if body is None or body["object"] != "subscription":
            return None
        mine = body["customer"] == self.customer["id"]
        return body if mine and body["status"] not in subscriptions.ENDED else None


def entered(unit: Unit, session_id: str) -> Visit | None:
    """The visit to this session, or None if there is none, or it is over."""
    session = unit.find(session_id)
    if session is None or session["object"] != portal_sessions.KIND:
        return None
    customer = unit.get("customer", session["customer"])
    if customer.get("deleted") or portal_sessions.is_over(unit, session):
        return None
    configuration = unit.get(portal_configurations.KIND, session["configuration"])
    return Visit(unit, session, customer, configuration)


def default_method(visit: Visit, plan: Json | None = None) -> Json | None:
    """The method that pays: the plan's own, or the customer's, or none."""
    settings = visit.customer["invoice_settings"]
    for method_id in (
        (plan or {}).get("default_payment_method"),
        settings["default_payment_method"],
    ):
        body = visit.unit.find(method_id) if method_id else None
        if body is not None and body.get("customer") == visit.customer["id"]:
            return body
    return None


def invoices_of(visit: Visit, most: int) -> list[Json]:
    """The customer's invoices that are final, newest first."""
    found = visit.unit.select(
        "invoice", lists.equal({"customer": visit.customer["id"]}, "customer"), most
    )
    return [body for body in found if body["status"] != "draft" and not body.get("deleted")]
