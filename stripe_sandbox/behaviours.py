"""What a test card or test bank account does when it is saved, charged, refunded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stripe_sandbox import refusals
from stripe_sandbox.refusals import Refusal


@dataclass(frozen=True)
class Complaint:
    """A dispute that follows a charge: why, in the network's code, and what kind it is.

    An inquiry only asks; a final one is lost from its first moment, as with bank debits.
    """

    reason: str
    network_code: str | None
    inquiry: bool = False
    final: bool = False
    # A payer who confirmed with the bank cannot say later that it was somebody else.
    shielded: bool = False
    times: int = 1


@dataclass(frozen=True)
class Behaviour:
    """What a card or account does; by default it pays and nobody asks anything.

    ``authenticate``: never; able (only when the merchant asks for it); first (until set up);
    always.
    ``refund``: succeeds, pending (then succeeds) or fails (after it had succeeded).
    ``settles_after``: seconds until a debit is decided, None for never.
    """

    refusal: Refusal | None = None
    refused_at_attach: bool = True
    authenticate: str = "never"
    set_up: bool = False
    complaint: Complaint | None = None
    warned: bool = False
    refund: str = "succeeds"
    risk: tuple[str, int] = ("normal", 12)
    available_at_once: bool = False
    checks: Mapping[str, str] = field(default_factory=dict)
    settles_after: int | None = 3


_FRAUD = Complaint("fraudulent", "10.4", shielded=True)
_LATE_SECONDS = 3 * 60
BEHAVIOURS: dict[str, Behaviour] = {
    "pays": Behaviour(),
    "declined": Behaviour(refusals.GENERIC),
    "insufficient_funds": Behaviour(refusals.INSUFFICIENT_FUNDS),
    "lost": Behaviour(refusals.LOST),
    "stolen": Behaviour(refusals.STOLEN),
    "expired": Behaviour(refusals.EXPIRED),
    "incorrect_cvc": Behaviour(refusals.INCORRECT_CVC),
    "processing_error": Behaviour(refusals.PROCESSING_ERROR),
    "velocity": Behaviour(refusals.VELOCITY),
    "attaches_then_fails": Behaviour(refusals.ONLY_SAVED, refused_at_attach=False),
    "blocked": Behaviour(refusals.BLOCKED, refused_at_attach=False, risk=("highest", 92)),
    "risky": Behaviour(risk=("elevated", 68)),
    "cvc_fails": Behaviour(checks={"cvc_check": "fail"}),
    "zip_fails": Behaviour(checks={"address_postal_code_check": "fail"}),
    "line1_fails": Behaviour(checks={"address_line1_check": "fail"}),
    "address_fails": Behaviour(
        checks={"address_postal_code_check": "fail", "address_line1_check": "fail"}
    ),
    "address_unchecked": Behaviour(
        checks={"address_postal_code_check": "unavailable", "address_line1_check": "unavailable"}
    ),
    "asks_until_set_up": Behaviour(authenticate="first"),
    "asks_always": Behaviour(authenticate="always"),
    "asks_in_session": Behaviour(authenticate="first", set_up=True),
    "asks_then_insufficient_funds": Behaviour(
        refusals.CONFIRMED_WITHOUT_FUNDS, refused_at_attach=False, authenticate="first"
    ),
    "asks_then_declined": Behaviour(
        refusals.AFTER_CONFIRMING, refused_at_attach=False, authenticate="always"
    ),
    "cannot_ask": Behaviour(refusals.NOT_LOOKED_UP, refused_at_attach=False, authenticate="fails"),
    "asks_when_told": Behaviour(authenticate="able"),
    "disputed": Behaviour(complaint=_FRAUD),
    "disputed_twice": Behaviour(complaint=Complaint("fraudulent", "10.4", times=2)),
    "not_received": Behaviour(complaint=Complaint("product_not_received", "13.1")),
    "inquired": Behaviour(complaint=Complaint("fraudulent", "10", inquiry=True)),
    "warned": Behaviour(warned=True),
    "refunds_later": Behaviour(refund="pending"),
    "refund_fails": Behaviour(refund="fails"),
    "available_at_once": Behaviour(available_at_once=True),
    "settles_late": Behaviour(settles_after=_LATE_SECONDS),
    "settles_never": Behaviour(settles_after=None),
    "fails_late": Behaviour(refusals.DEBITS["debit_fails"], settles_after=_LATE_SECONDS),
    "debit_disputed": Behaviour(complaint=Complaint("debit_not_authorized", None, final=True)),
    **{name: Behaviour(refusal) for name, refusal in refusals.DEBITS.items()},
    **{
        name: Behaviour(refusal, refused_at_attach=False)
        for name, refusal in {**refusals.OWN, **refusals.OWN_MASTERCARD}.items()
    },
}
