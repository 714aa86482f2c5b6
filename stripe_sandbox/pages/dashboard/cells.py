"""Cells of the dashboard's tables: text with a link, a side and a tone."""

from dataclasses import dataclass
from datetime import UTC, datetime

from stripe_sandbox import Json, amounts

_GOOD = frozenset(
    "active succeeded paid ready enabled complete available won released completed".split()
)
_BAD = frozenset(
    "past_due unpaid failed lost canceled uncollectible incomplete_expired dropped void "
    "requires_payment_method needs_response".split()
)


@dataclass(frozen=True)
class Cell:
    """One cell as it is shown; ``tone`` makes it a badge."""

    text: str
    href: str | None = None
    right: bool = False
    tone: str | None = None


def text(value: object) -> Cell:
    """Plain text; a dash for nothing."""
    return Cell(str(value) if value not in (None, "") else "\u2013")


def linked(object_id: str | None, words: str | None = None) -> Cell:
    """A link to the page of the object with this id."""
    if object_id is None:
        return text(None)
    return Cell(words or object_id, f"/dashboard/objects/{object_id}")


def money(amount: int | None, currency: str | None) -> Cell:
    """A sum at the right; a dash where there is none."""
    if amount is None or currency is None:
        return Cell("\u2013", right=True)
    return Cell(amounts.written(amount, currency), right=True)


def badge(status: str | None) -> Cell:
    """A state in one word, with a tone beside the word."""
    if not status:
        return text(None)
    tone = "good" if status in _GOOD else "bad" if status in _BAD else "warn"
    return Cell(status.replace("_", " "), tone=tone)


def moment(seconds: float | None) -> Cell:
    """A day and time in UTC: 14 Dec 2026, 09:30."""
    return text(None if seconds is None else when(seconds))


def when(seconds: float) -> str:
    """The moment as people write it, in UTC."""
    at = datetime.fromtimestamp(int(seconds), UTC)
    return f"{at.day} {at:%b %Y}, {at:%H:%M}"


def plan_of(body: Json) -> Cell:
    """What a subscription sells: each price with how many of it."""
    items = body["items"]["data"]
    words = [
        f"{item['quantity']} \u00d7 "
        f"{amounts.written(item['price']['unit_amount'], body['currency'])} a "
        f"{item['price']['recurring']['interval']}"
        for item in items
    ]
    return Cell(", ".join(words))
