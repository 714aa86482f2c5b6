"""Cards and accounts as payment methods, stored nowhere yet."""

from stripe_sandbox import Json, banks, cards, ids
from stripe_sandbox.banks import Account
from stripe_sandbox.behaviours import BEHAVIOURS
from stripe_sandbox.cards import Card
from stripe_sandbox.objects import tokens
from stripe_sandbox.unit import Unit

NO_BILLING: Json = dict.fromkeys(("address", "email", "name", "phone", "tax_id"))


def card_drawn(card: Card, expiry: tuple[int, int], billing: Json, *, with_cvc: bool) -> Json:
    """A payment method for the card, stored nowhere yet."""
    address = billing["address"] or {}
    shown = {
        **printed(card, expiry),
        "checks": {
            "address_line1_check": "unchecked" if address.get("line1") else None,
            "address_postal_code_check": "unchecked" if address.get("postal_code") else None,
            "cvc_check": "unchecked" if with_cvc else None,
        },
        "generated_from": None,
        "regulated_status": "unregulated",
        "wallet": None,
    }
    return {**_drawn("card", shown, billing, card.behaviour), "_card": card.token}


def account_drawn(account: Account, billing: Json) -> Json:
    """A payment method for the account, stored nowhere yet."""
    kind = "sepa_debit" if banks.is_iban(account.number) else "us_bank_account"
    shown: Json = {
        "fingerprint": banks.fingerprint(account.number),
        "last4": account.number[-4:],
    }
    if kind == "sepa_debit":
        shown.update(
            bank_code=account.number[4:9],
            branch_code="",
            country=account.number[:2],
            generated_from={"charge": None, "setup_attempt": None},
        )
    else:
        shown.update(
            account_holder_type="individual",
            account_type="checking",
            bank_name="STRIPE TEST BANK",
            financial_connections_account=None,
            networks={"preferred": "ach", "supported": ["ach"]},
            routing_number=banks.ROUTING_NUMBER,
            status_details=None,
        )
    return _drawn(kind, shown, billing, account.behaviour)


def source_of(unit: Unit, token_id: str) -> Json:
    """The token's card as the older API saves it: a method by the id of a card, not stored yet."""
    card, expiry, with_cvc = tokens.spent(unit, token_id, "source")
    drawn = card_drawn(card, expiry, dict(NO_BILLING), with_cvc=with_cvc)
    return {**drawn, "id": ids.new_id("card"), "created": unit.now}


def printed(card: Card, expiry: tuple[int, int]) -> Json:
    """What stands on the card."""
    return {
        "brand": card.brand,
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": cards.fingerprint(card.number),
        "funding": card.funding,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": card.secure},
    }


def _drawn(kind: str, shown: Json, billing: Json, behaviour: str) -> Json:
    return {
        "id": ids.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        kind: shown,
        "created": 0,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        "_authenticated": BEHAVIOURS[behaviour].set_up,
        "_behaviour": behaviour,
        "_mandate": None,
    }
