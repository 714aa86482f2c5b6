"""The office where no service is real: nobody works here, so nobody is let in."""

from __future__ import annotations

import sys
from types import ModuleType

from talkingphoto.foundation import errors

_NAMES = (
    *("office_service", "reconciliation_service", "refund_service", "wallet_service"),
    "mail_service",
)


class OfficeService:
    """A door that stays closed."""

    def enter(self, user_id: str | None, *, ip: str) -> str:
        """There is nothing here for anybody."""
        raise errors.NotFound("request.not_found", "There is nothing at this address.")


def put_in_place() -> None:
    """Services that only the office asks are found, where no other stand-in is."""
    package = sys.modules["services"]
    for name in _NAMES:
        full = f"services.{name}"
        if full not in sys.modules:
            sys.modules[full] = package.__dict__[name] = ModuleType(full)
    sys.modules["services.office_service"].__dict__["office_service"] = OfficeService()
