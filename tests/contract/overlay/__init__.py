"""What API 2026-10-28.endive has that the description of 2026-08-26.dahlia does not say.

Every difference was found by holding the description against the classes of SDK 16.1.0
(``tests/contract/drift.py``), which is also what shows that none is missing here. No field of the
description is gone or renamed in endive; what older versions had is in
``tests/contract/removed.py``.
"""

from __future__ import annotations

from tests.contract.overlay import billing, checkout, payments, taxes
from tests.contract.overlay.change import Change, Stale, apply

CHANGES: tuple[Change, ...] = (
    *billing.CHANGES,
    *checkout.CHANGES,
    *payments.CHANGES,
    *taxes.CHANGES,
)

__all__ = ["CHANGES", "Change", "Stale", "apply"]
