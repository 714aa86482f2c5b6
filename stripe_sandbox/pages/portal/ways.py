"""Ways to pay in the portal: a card is added, chosen to pay with, or removed."""

from flask import request

from stripe_sandbox import Json
from stripe_sandbox.flows import completing, saving
from stripe_sandbox.objects import subscriptions
from stripe_sandbox.pages import entry, wallet
from stripe_sandbox.pages.entry import Asked, Entry
from stripe_sandbox.pages.portal.visit import Onward, Page, Visit
from stripe_sandbox.refusals import Refusal


def show(visit: Visit) -> Page:
    """The form for a new card."""
    fresh = entry.known(None, name=visit.customer["name"])
    return _form(visit, Entry(fresh.typed, ticked=frozenset({"prefer"})), None)


def add(visit: Visit) -> Page | Onward:
    """The card was tried to be saved: done, asked about by its bank, or shown what is wrong."""
    typed = entry.read(request.form, visit.unit.now, Asked(email=False))
    if typed.wrong:
        return _form(visit, typed, None, status=422)
    typed.typed["email"] = visit.customer["email"] or ""
    method = wallet.given(visit.unit, request.form, typed, ("card",))
    if isinstance(method, Refusal):
        return _form(visit, typed, method, status=402)
    # Saved in the portal, it may be shown to the customer again.
    method["allow_redisplay"] = "always"
    visit.unit.save(method)
    prefers = "prefer" in typed.ticked or visit.flow is not None
    how = saving.Saving(prefers=prefers, return_url=f"{visit.base}/card/saved")
    setup = saving.save(visit.unit, visit.customer["id"], method, how)
    if setup["status"] == "requires_action":
        return Onward(setup["next_action"]["redirect_to_url"]["url"])
    if setup["status"] != "succeeded":
        refusal = completing.refusal_of(visit.unit, setup)
        return _form(visit, typed, refusal, status=402)
    return visit.done("card")


def saved(visit: Visit) -> Page | Onward:
    """The customer comes back from the bank: the card is saved, or it is not."""
    setup = visit.unit.find(request.args.get("setup_intent", ""))
    mine = setup is not None and setup["object"] == "setup_intent"
    if setup is None or not mine or setup["customer"] != visit.customer["id"]:
        return Onward(f"{visit.base}/card")
    if setup["status"] == "succeeded":
        return visit.done("card")
    return _form(visit, entry.known(None), completing.refusal_of(visit.unit, setup))


def prefer(visit: Visit, method_id: str) -> Onward:
    """The customer and their plans pay with this method from now on."""
    if _is_mine(visit, method_id):
        saving.prefer(visit.unit, visit.customer["id"], method_id)
        return visit.done("preferred")
    return visit.instead()


def remove(visit: Visit, method_id: str) -> Page | Onward:
    """The method is the customer's no more, unless a running plan would be left without one."""
    if not _is_mine(visit, method_id):
        return visit.instead()
    if _is_last_of_running(visit, method_id):
        facts = {
            "title": "This card pays your plan",
            "text": "Add another card first, then remove this one.",
            "link": f"{visit.base}/card",
            "action": "Add card",
        }
        return Page("message.html", dict(facts), 409)
    saving.remove(visit.unit, method_id)
    return visit.done("removed")


def _form(visit: Visit, typed: Entry, refusal: Refusal | None, *, status: int = 200) -> Page:
    return Page(
        "portal/card.html",
        {
            "typed": typed.typed,
            "ticked": typed.ticked,
            "errors": typed.errors,
            "beside": wallet.beside(typed, refusal),
            "refusal": refusal,
            "hints": wallet.HINTS,
        },
        status,
    )


def _is_mine(visit: Visit, method_id: str) -> bool:
    body = visit.unit.find(method_id)
    return bool(
        body is not None
        and body["object"] == "payment_method"
        and body["customer"] == visit.customer["id"]
    )


def _is_last_of_running(visit: Visit, method_id: str) -> bool:
    running: list[Json] = subscriptions.of_customer(visit.unit, visit.customer["id"])
    goes_on = any(not plan["cancel_at"] for plan in running)
    others = [
        body
        for body in wallet.of_customer(visit.unit, visit.customer["id"])
        if body["id"] != method_id
    ]
    return goes_on and not others
