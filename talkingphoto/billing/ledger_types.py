"""What the ledger takes and gives, in frozen words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from talkingphoto.foundation.money import Money

Source = Literal["free", "plan", "pack", "promo", "goodwill", "gift"]
Kind = Literal[
    "grant",
    "hold",
    "release",
    "settle",
    "revoke",
    "expire",
    "claw_back",
    "restore",
    "repay",
    "forgive",
]
HoldState = Literal["held", "settled", "released", "expired"]


@dataclass(frozen=True, kw_only=True)
class NewLot:
    """Credits to grant; `price` is what the whole lot cost, tax included, and `tax` its tax part.

    `key` is the business fact that earns them; `description` is words for the statement.
    """

    key: str
    user_id: str
    source: Source
    credits: int
    price: Money | None = None
    tax: Money | None = None
    expires_at: datetime | None = None
    reference: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if self.tax is not None:
            assert self.price is not None, "tax is a part of a price"
            assert self.tax <= self.price, "tax is at most the price"


@dataclass(frozen=True)
class Lot:
    """A lot as it is now; `expires_at` was sold, `usable_until` holds and is never earlier."""

    id: str
    key: str
    user_id: str
    source: Source
    credits: int
    remaining: int
    price: Money | None
    tax: Money | None
    expires_at: datetime | None
    usable_until: datetime | None
    reference: str
    description: str
    created_at: datetime
    frozen: bool = False


@dataclass(frozen=True)
class Hold:
    """Credits put aside for work in progress, or what became of them."""

    id: str
    user_id: str
    credits: int
    state: HoldState
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Balance:
    """What a customer can spend now, where it came from, and what ends next.

    `available` is what can be spent: less what is owed, never under zero, and without `frozen`.
    """

    available: int
    held: int
    by_source: Mapping[Source, int]
    next_expiry: datetime | None
    next_expiring: int
    frozen: int = 0
    owed: int = 0


@dataclass(frozen=True)
class ClawBack:
    """What was taken back unspent, and what of it had been used and is owed now."""

    taken: int
    owed: int


@dataclass(frozen=True)
class StatementRow:
    """One change of what is available or owed; a hold over two lots is two of them.

    Of a debt `credits` is what is owed from then on, below zero, and nothing is less available.
    """

    id: str
    at: datetime
    kind: Kind
    source: Source
    description: str
    credits: int
    balance_after: int
    expires_at: datetime | None
    reference: str
    owed_after: int = 0


@dataclass(frozen=True)
class Difference:
    """A broken invariant: the rule, the lot, transaction or hold it is about, and by how much."""

    rule: str
    id: str
    user_id: str
    expected: int
    found: int
