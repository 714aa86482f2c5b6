"""How the account collects what it is owed: what Stripe's dashboard would be set to."""

from collections.abc import Mapping
from dataclasses import dataclass

_AFTER = ("cancel", "unpaid", "past_due")
_MOST_TRIES, _MOST_DAYS = 8, 60


class PolicyFault(Exception):
    """A setting that says nothing the sandbox can do; the message names it."""


@dataclass(frozen=True)
class Policy:
    """When an invoice that failed is tried again by itself, and what follows the last try.

    ``retry_days`` are the days from one failed try to the next; none: not tried again.
    """

    retry_days: tuple[int, ...] = (3, 5, 7)
    after_retries: str = "cancel"


def read(environment: Mapping[str, str]) -> Policy:
    """The policy that STRIPE_SANDBOX_RETRY_DAYS and STRIPE_SANDBOX_AFTER_RETRIES ask for."""
    days = environment.get("STRIPE_SANDBOX_RETRY_DAYS", "").strip()
    after = environment.get("STRIPE_SANDBOX_AFTER_RETRIES", "").strip() or Policy.after_retries
    if after not in _AFTER:
        raise PolicyFault(f"STRIPE_SANDBOX_AFTER_RETRIES: use one of {', '.join(_AFTER)}")
    if not days:
        return Policy(after_retries=after)
    if days == "off":
        return Policy((), after)
    parts = [part.strip() for part in days.split(",")]
    fit = all(part.isascii() and part.isdigit() and 1 <= int(part) <= _MOST_DAYS for part in parts)
    if not fit or len(parts) > _MOST_TRIES:
        raise PolicyFault(
            f"STRIPE_SANDBOX_RETRY_DAYS: use off, or up to {_MOST_TRIES} numbers of days such as "
            "3,5,7"
        )
    return Policy(tuple(int(part) for part in parts), after)
