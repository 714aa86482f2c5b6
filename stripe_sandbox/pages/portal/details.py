"""The customer's details in the portal: name, addresses, tax ids."""

import re

from flask import request

from stripe_sandbox import Json
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.objects import customers, tax_ids
from stripe_sandbox.pages import entry, words
from stripe_sandbox.pages.portal import overview
from stripe_sandbox.pages.portal.visit import Onward, Page, Visit

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_COUNTRY = re.compile(r"[A-Za-z]{2}\Z")
_SHIPPING = "shipping_"


def show(visit: Visit) -> Page:
    """The details as they are, to be changed."""
    return _form(visit, _known(visit), {})


def save(visit: Visit) -> Page | Onward:
    """The details are as typed."""
    typed = {name: value.strip()[:200] for name, value in request.form.items()}
    wrong = _wrong(visit, typed)
    if wrong:
        return _form(visit, typed, wrong, status=422)
    customers.update(visit.unit, _wanted(visit, typed), visit.customer["id"])
    return visit.done("details")


def add_tax_id(visit: Visit) -> Page | Onward:
    """The customer has one more tax id, which is verified some seconds later."""
    if "tax_id" not in _allowed(visit):
        return visit.instead()
    typed = {**_known(visit), **{name: request.form.get(name, "") for name in _TAX_ID}}
    try:
        if typed["tax_id_type"] not in words.TAX_IDS:
            wrong = {"tax_id_type": "Choose what kind of tax ID this is."}
            return _form(visit, typed, wrong, status=422)
        given = {"type": typed["tax_id_type"], "value": typed["tax_id"]}
        tax_ids.made(visit.unit, given, visit.customer["id"])
    except StripeFault as fault:
        twice = fault.error.get("code") == "resource_already_exists"
        said = (
            "You have this tax ID already."
            if twice
            else ("This is not how a tax ID of this kind is written. Check it.")
        )
        return _form(visit, typed, {"tax_id": said}, status=422)
    return Onward(f"{visit.base}/details")


def remove_tax_id(visit: Visit, tax_id: str) -> Onward:
    """The customer has this tax id no more."""
    if "tax_id" in _allowed(visit):
        tax_ids.delete_of_customer(visit.unit, {}, visit.customer["id"], tax_id)
    return Onward(f"{visit.base}/details")


_TAX_ID = ("tax_id_type", "tax_id")


def _allowed(visit: Visit) -> list[str]:
    found: list[str] = visit.configuration["features"]["customer_update"]["allowed_updates"]
    return found


def _form(visit: Visit, typed: Json, wrong: dict[str, str], *, status: int = 200) -> Page:
    return Page(
        "portal/details.html",
        {
            "typed": typed,
            "errors": wrong,
            "allowed": _allowed(visit),
            "tax_ids": overview.tax_id_rows(visit),
            "tax_id_types": words.TAX_IDS,
        },
        status,
    )


def _known(visit: Visit) -> dict[str, str]:
    customer = visit.customer
    shipping = customer["shipping"] or {}
    fields = {
        **{name: customer[name] for name in ("email", "name", "phone")},
        **(customer["address"] or {}),
        _SHIPPING + "name": shipping.get("name"),
        **{_SHIPPING + name: value for name, value in (shipping.get("address") or {}).items()},
    }
    return {name: value or "" for name, value in fields.items()}


def _wrong(visit: Visit, typed: dict[str, str]) -> dict[str, str]:
    allowed = _allowed(visit)
    wrong = {}
    if "email" in allowed and not _EMAIL.match(typed.get("email", "")):
        wrong["email"] = "Type an e-mail address, such as name@example.com."
    for part, prefix in (("address", ""), ("shipping", _SHIPPING)):
        filled = any(typed.get(prefix + name) for name in entry.ADDRESS)
        if part in allowed and filled and not _COUNTRY.match(typed.get(prefix + "country", "")):
            wrong[prefix + "country"] = "Type the two letters of your country, such as US."
    shipped = any(typed.get(_SHIPPING + name) for name in entry.ADDRESS)
    if "shipping" in allowed and shipped and not typed.get(_SHIPPING + "name"):
        wrong[_SHIPPING + "name"] = "Type who it is sent to."
    return wrong


def _wanted(visit: Visit, typed: dict[str, str]) -> Json:
    """The typed details in the shape of the API's parameters, only those that may be changed."""
    allowed = _allowed(visit)
    wanted: Json = {
        name: typed.get(name) or None for name in ("email", "name", "phone") if name in allowed
    }
    if "address" in allowed:
        wanted["address"] = _address(typed, "")
    if "shipping" in allowed:
        address = _address(typed, _SHIPPING)
        name = typed.get(_SHIPPING + "name")
        wanted["shipping"] = {"address": address, "name": name} if address else None
    return wanted


def _address(typed: dict[str, str], prefix: str) -> Json | None:
    given: Json = {name: typed.get(prefix + name) or None for name in entry.ADDRESS}
    if not any(given.values()):
        return None
    return {**given, "country": str(given["country"]).upper()}
