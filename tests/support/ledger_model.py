"""A customer's credits in a page of plain Python, to hold the real ledger against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from talkingphoto.billing import ledger

SPENT_FIRST = ("promo", "free", "gift", "goodwill", "plan", "pack")
ACCOUNTS = ("granted", "spent", "expired", "revoked", "owed", "repaid", "covered", "forgiven")


@dataclass
class ModelLot:
    """A lot; `used` is what left it for videos or debts, `claimed` what of that is owed."""

    number: int
    source: str
    reference: str
    remaining: int
    usable_until: datetime | None
    frozen_since: datetime | None = None
    used: int = 0
    claimed: int = 0
    latest_end: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        ends = self.usable_until
        self.latest_end = None if ends is None else ends + ledger.RETURN_GRACE

    def lives(self, now: datetime) -> bool:
        return self.usable_until is None or (self.frozen_since or now) < self.usable_until

    def usable(self, now: datetime) -> bool:
        return self.frozen_since is None and self.lives(now)

    @property
    def turn(self) -> tuple[bool, datetime | None, int, int]:
        place = SPENT_FIRST.index(self.source), self.number
        return self.usable_until is None, self.usable_until, *place

    @property
    def paying_turn(self) -> tuple[bool, datetime | None, int]:
        return self.usable_until is None, self.usable_until, self.number


@dataclass
class ModelHold:
    """A hold, with the lots it took from."""

    credits: int
    ends: datetime
    state: str = "held"
    taken: list[tuple[ModelLot, int]] = field(default_factory=list)


@dataclass
class ModelClaim:
    """A claw back, and what became of its debt."""

    lot: ModelLot
    asked: int
    taken: int
    owed: int
    still_owed: int = field(init=False)
    paid: list[tuple[ModelLot, int]] = field(default_factory=list)
    restored: int | None = None

    def __post_init__(self) -> None:
        self.still_owed = self.owed


class Model:
    """What one customer has, and where everything went."""

    def __init__(self) -> None:
        self.lots: dict[str, ModelLot] = {}
        self.claims: list[ModelClaim] = []
        self.freezes: dict[str, tuple[str, bool]] = {}
        self.sums = dict.fromkeys(ACCOUNTS, 0)

    def owed(self) -> int:
        return sum(claim.still_owed for claim in self.claims)

    def usable(self, now: datetime) -> list[ModelLot]:
        found = [lot for lot in self.lots.values() if lot.remaining and lot.usable(now)]
        return sorted(found, key=lambda lot: lot.turn)

    def is_frozen(self, reference: str) -> bool:
        return (reference, True) in self.freezes.values()

    def grant(self, key: str, lot: ModelLot, now: datetime) -> None:
        self.lots[key] = lot
        self.sums["granted"] -= lot.remaining
        lot.frozen_since = now if self.is_frozen(lot.reference) else None
        self.pay([(lot, lot.remaining)])

    def hold(self, made: ModelHold, now: datetime) -> bool:
        lots, left = self.usable(now), made.credits
        if sum(lot.remaining for lot in lots) - self.owed() < left:
            return False
        for lot in lots:
            part = min(lot.remaining, left)
            if part:
                lot.remaining -= part
                lot.used += part
                left -= part
                made.taken.append((lot, part))
        return True

    def give_back(self, holds: list[ModelHold], now: datetime, state: str) -> None:
        for hold in holds:
            hold.state = state
        self._return([part for hold in holds for part in hold.taken], now)

    def claw_back(self, lot: ModelLot, credits: int, now: datetime) -> ModelClaim:
        taken = min(lot.remaining if lot.lives(now) else 0, credits)
        owed = min(max(0, lot.used - lot.claimed), credits - taken)
        made = ModelClaim(lot, credits, taken, owed)
        lot.remaining -= taken
        lot.claimed += owed
        self.sums["revoked"] += taken + owed
        self.sums["owed"] -= owed
        self.claims.append(made)
        return made

    def restore(self, claim: ModelClaim, now: datetime) -> int:
        if claim.restored is None:
            paid = sum(credits for _, credits in claim.paid)
            self.sums["revoked"] -= claim.taken + claim.owed
            self.sums["owed"] += claim.still_owed
            self.sums["covered"] += paid
            self.sums["repaid"] -= paid
            self.sums["forgiven"] += claim.owed - paid - claim.still_owed
            claim.lot.claimed -= claim.owed
            claim.lot.used += claim.taken  # for _return, which takes it off again
            claim.still_owed = 0
            claim.restored = claim.taken + paid
            self._return([*claim.paid, (claim.lot, claim.taken)], now)
        return claim.restored

    def forgive(self, credits: int) -> int:
        left = credits
        for claim in self.claims:
            part = min(claim.still_owed, left)
            claim.still_owed -= part
            left -= part
        self.sums["owed"] += credits - left
        self.sums["forgiven"] -= credits - left
        return credits - left

    def freeze(self, key: str, reference: str, now: datetime) -> int:
        self.freezes.setdefault(key, (reference, True))
        frozen = [lot for lot in self.lots.values() if self.is_frozen(lot.reference)]
        for lot in frozen:
            lot.frozen_since = lot.frozen_since or now
        mine = [lot for lot in frozen if lot.reference == reference and lot.lives(now)]
        return sum(lot.remaining for lot in mine)

    def thaw(self, key: str, now: datetime) -> int:
        reference, is_open = self.freezes[key]
        self.freezes[key] = (reference, False)
        if not is_open or self.is_frozen(reference):
            return 0
        thawed = [lot for lot in self.lots.values() if lot.reference == reference]
        for lot in thawed:
            assert lot.frozen_since is not None
            if lot.usable_until is not None and lot.latest_end is not None:
                lot.usable_until += now - lot.frozen_since
                lot.latest_end += now - lot.frozen_since
            lot.frozen_since = None
        back = [(lot, lot.remaining) for lot in thawed if lot.lives(now)]
        self.pay(back)
        return sum(credits for _, credits in back)

    def expire(self, now: datetime) -> None:
        for lot in self.lots.values():
            if lot.frozen_since is None:
                self._empty(lot, now)

    def pay(self, arrived: Iterable[tuple[ModelLot, int]]) -> None:
        left: dict[int, tuple[ModelLot, int]] = {}
        for lot, credits in arrived:
            if lot.frozen_since is None:
                left[lot.number] = lot, left.get(lot.number, (lot, 0))[1] + credits
        turns = sorted(left.values(), key=lambda part: part[0].paying_turn)
        for claim in self.claims:
            for place, (lot, credits) in enumerate(turns):
                part = min(claim.still_owed, credits)
                if part:
                    claim.still_owed -= part
                    claim.paid.append((lot, part))
                    turns[place] = lot, credits - part
                    lot.remaining -= part
                    lot.used += part
                    self.sums["owed"] += part
                    self.sums["covered"] -= part
                    self.sums["repaid"] += part

    def _return(self, parts: list[tuple[ModelLot, int]], now: datetime) -> None:
        parts = [part for part in parts if part[1]]
        for lot, _ in parts:
            if self._empty(lot, now):
                lot.usable_until = lot.latest_end
        for lot, credits in parts:
            lot.remaining += credits
            lot.used -= credits
        self.pay(parts)

    def _empty(self, lot: ModelLot, now: datetime) -> bool:
        if lot.lives(now):
            return False
        self.sums["expired"] += lot.remaining
        lot.remaining = 0
        return True
