"""Tokens: a card handed over once. Of the number only its last digits and a print are kept."""

from datetime import UTC, datetime

from stripe_sandbox import Json, cards, ids, refusals
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.cards import Card
from stripe_sandbox.unit import Unit

# A card, the month and year it ends, and whether its security code came along.
Shown = tuple[Card, tuple[int, int], bool]
_ADDRESS = tuple(
    f"address_{part}" for part in ("city", "country", "line1", "line2", "state", "zip")
)
_EMPTY = (
    *_ADDRESS,
    "account",
    "address_line1_check",
    "address_zip_check",
    "allow_redisplay",
    "available_payout_methods",
    "currency",
    "customer",
    "cvc_check",
    "default_for_currency",
    "dynamic_last4",
    "name",
    "status",
    "tokenization_method",
)


def create(unit: Unit, values: Json) -> Json:
    """A token stands for the card, to be used once."""
    given = values["card"]
    card, expiry, with_cvc = card_of(unit, given, "card")
    named = {name: given[name] for name in (*_ADDRESS, "name") if given.get(name)}
    shown = drawn(card, expiry, with_cvc=with_cvc) | named
    return unit.insert(
        {
            "id": ids.new_id("tok"),
            "object": "token",
            "card": shown,
            "client_ip": None,
            "created": unit.now,
            "livemode": False,
            "type": "card",
            "used": False,
            "_card": card.token,
            "_with_cvc": with_cvc,
        }
    )


def card_of(unit: Unit, given: Json, name: str) -> Shown:
    """The test card that was typed; what is wrong with it is refused as a bank would."""
    number = str(given.get("number") or "").replace(" ", "").replace("-", "")
    for field in ("number", "exp_month", "exp_year"):
        if not given.get(field):
            raise errors.missing_parameter(f"{name}[{field}]")
    if not cards.looks_whole(number):
        raise _wrong("incorrect_number", "Your card number is incorrect.", "number")
    card = cards.by_number(number)
    if card is None:
        refusal = refusals.NOT_A_TEST_CARD
        raise _wrong(refusal.code, refusal.message, None, refusal.decline_code)
    expiry = (given["exp_month"], given["exp_year"])
    _check_expiry(unit, expiry)
    cvc = given.get("cvc")
    if cvc is not None and not (cvc.isascii() and cvc.isdigit() and len(cvc) in (3, 4)):
        raise _wrong("invalid_cvc", "Your card's security code is invalid.", "cvc")
    return card, expiry, cvc is not None


def spent(unit: Unit, token_id: str, param: str = "source") -> Shown:
    """The card behind the token, which is used up; ready-made ones such as tok_visa never are."""
    card = cards.by_token(token_id) if token_id.startswith("tok_") else None
    if card is not None:
        return card, (12, datetime.fromtimestamp(unit.now, UTC).year + 1), False
    body = unit.get("token", token_id, param)
    if body["used"]:
        raise errors.invalid(
            f"You cannot use a Stripe token more than once: {token_id}.",
            code="token_already_used",
            param=param,
        )
    body["used"] = True
    unit.save(body)
    expiry = (body["card"]["exp_month"], body["card"]["exp_year"])
    return cards.by_name(body["_card"]), expiry, body["_with_cvc"]


def drawn(card: Card, expiry: tuple[int, int], *, with_cvc: bool) -> Json:
    """A card object of the older API, stored nowhere yet."""
    return {
        "id": ids.new_id("card"),
        "object": "card",
        **dict.fromkeys(_EMPTY),
        "brand": _BRANDS.get(card.brand, card.brand),
        "country": card.country,
        "cvc_check": "unchecked" if with_cvc else None,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": cards.fingerprint(card.number),
        "funding": card.funding,
        "last4": card.number[-4:],
        "metadata": {},
        "networks": {"preferred": None},
        "regulated_status": "unregulated",
    }


def _check_expiry(unit: Unit, expiry: tuple[int, int]) -> None:
    month, year = expiry
    today = datetime.fromtimestamp(unit.now, UTC)
    if not 1 <= month <= 12 or (year == today.year and month < today.month):
        raise _wrong(
            "invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month"
        )
    if not today.year <= year <= today.year + 50:
        raise _wrong("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")


def _wrong(
    code: str, message: str, param: str | None, decline_code: str | None = None
) -> errors.StripeFault:
    error = {"code": code, "message": message, "param": param, "decline_code": decline_code}
    return errors.card_refused(error, None)


# The older API writes the brands as people do.
_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "mastercard": "MasterCard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
CARD: params.Fields = {
    "cvc": TEXT,
    "exp_month": params.integer(),
    "exp_year": params.integer(),
    "number": TEXT,
}
ROUTES = (
    Route(
        "POST",
        "/v1/tokens",
        create,
        {"card": params.hash_of({**CARD, **dict.fromkeys((*_ADDRESS, "name"), TEXT)})},
        ("card",),
        partly="cards only",
    ),
    retrieve("token", "/v1/tokens"),
)
