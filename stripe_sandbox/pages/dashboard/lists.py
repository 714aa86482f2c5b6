"""The dashboard's lists: which objects each shows, in which columns, narrowed by which search."""

from collections.abc import Callable
from dataclasses import dataclass

from stripe_sandbox import Json
from stripe_sandbox.pages.dashboard import cells
from stripe_sandbox.pages.dashboard.cells import Cell
from stripe_sandbox.unit import Where

PAGE = 25


@dataclass(frozen=True)
class Listing:
    """One list: its words, the kind of its objects, its columns and its one field to search."""

    title: str
    kind: str
    empty: str
    columns: tuple[tuple[str, Callable[[Json], Cell]], ...]
    search: str
    where: Callable[[str], Where]


def _about(field: str) -> Callable[[str], Where]:
    """The field, or the id, begins with what was typed."""

    def where(typed: str) -> Where:
        pattern = typed.replace("*", "").replace("?", "").replace("[", "") + "*"
        return Where(
            f"(id GLOB ? OR lower(json_extract(body, '$.{field}')) GLOB ?)",
            (pattern, pattern.lower()),
        )

    return where


def _created(body: Json) -> Cell:
    return cells.moment(body["created"])


def _of_customer(body: Json) -> Cell:
    return cells.linked(body["customer"])


LISTS = {
    "customers": Listing(
        "Customers",
        "customer",
        "No customers yet. They come with the first checkout.",
        (
            ("Customer", lambda body: cells.linked(body["id"], body["email"] or body["id"])),
            ("Name", lambda body: cells.text(body["name"])),
            ("Balance", lambda body: cells.money(body["balance"], body["currency"] or "usd")),
            ("Clock", lambda body: cells.linked(body["test_clock"])),
            ("Made", _created),
        ),
        "E-mail or id",
        _about("email"),
    ),
    "payments": Listing(
        "Payments",
        "payment_intent",
        "No payments yet. Pay a checkout page with a test card.",
        (
            ("Payment", lambda body: cells.linked(body["id"])),
            ("Sum", lambda body: cells.money(body["amount"], body["currency"])),
            ("Status", lambda body: cells.badge(body["status"])),
            ("Customer", _of_customer),
            ("Made", _created),
        ),
        "Status or id",
        _about("status"),
    ),
    "subscriptions": Listing(
        "Subscriptions",
        "subscription",
        "No subscriptions yet.",
        (
            ("Subscription", lambda body: cells.linked(body["id"])),
            ("Sells", cells.plan_of),
            ("Status", lambda body: cells.badge(body["status"])),
            ("Customer", _of_customer),
            ("Period ends", lambda body: cells.moment(_ends(body))),
        ),
        "Status or id",
        _about("status"),
    ),
    "invoices": Listing(
        "Invoices",
        "invoice",
        "No invoices yet.",
        (
            ("Invoice", lambda body: cells.linked(body["id"], body["number"] or body["id"])),
            ("Total", lambda body: cells.money(body["total"], body["currency"])),
            ("Status", lambda body: cells.badge(body["status"])),
            ("Why", lambda body: cells.text(str(body["billing_reason"]).replace("_", " "))),
            ("Made", _created),
        ),
        "Status or id",
        _about("status"),
    ),
    "events": Listing(
        "Events",
        "event",
        "Nothing has happened yet.",
        (
            ("Event", lambda body: cells.linked(body["id"], body["type"])),
            ("About", lambda body: cells.linked(body["data"]["object"].get("id"))),
            ("At", _created),
        ),
        "Type or id, such as invoice.",
        _about("type"),
    ),
    "clocks": Listing(
        "Test clocks",
        "test_helpers.test_clock",
        "No test clocks. Customers on one live in a time of their own.",
        (
            ("Clock", lambda body: cells.linked(body["id"], body["name"] or body["id"])),
            ("Shows", lambda body: cells.moment(body["frozen_time"])),
            ("Status", lambda body: cells.badge(body["status"])),
            ("Made", _created),
        ),
        "Name or id",
        _about("name"),
    ),
}


def _ends(body: Json) -> int | None:
    items = body["items"]["data"]
    return items[0]["current_period_end"] if items else None
