"""How pages and PDFs write things for people: cards, taxes, discounts, rhythms, kinds of tax id."""

from decimal import Decimal

from stripe_sandbox import Json, amounts
from stripe_sandbox.unit import Unit

_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
}
_WHY_NONE = {
    "customer_exempt": "you are exempt",
    "not_collecting": "none at this address",
    "not_subject_to_tax": "none at this address",
    "not_supported": "none at this address",
    "product_exempt": "this is exempt",
    "reverse_charge": "reverse charge, you account for it",
}
# The kinds most payers have first; others are there under Stripe's own names.
TAX_IDS = {
    "eu_vat": "EU VAT number",
    "gb_vat": "UK VAT number",
    "us_ein": "US EIN",
    "au_abn": "Australian ABN",
    "br_cnpj": "Brazilian CNPJ",
    "ca_gst_hst": "Canadian GST/HST number",
    "ch_vat": "Swiss VAT number",
    "in_gst": "Indian GST number",
    "jp_trn": "Japanese registration number",
    "mx_rfc": "Mexican RFC",
    "no_vat": "Norwegian VAT number",
    "nz_gst": "New Zealand GST number",
    "sg_gst": "Singapore GST number",
    "za_vat": "South African VAT number",
}


def method(body: Json) -> str:
    """The card or account in a few words: Visa ending 4242."""
    if body["type"] == "card":
        card = body["card"]
        brand = _BRANDS.get(card["brand"], str(card["brand"]).capitalize())
        return f"{brand} ending {card['last4']}"
    shown = body[body["type"]]
    name = shown.get("bank_name") or "Bank account"
    return f"{str(name).title()} ending {shown['last4']}"


def expiry(body: Json) -> str | None:
    """When the card expires, as it is printed: 12 / 34; None for an account."""
    if body["type"] != "card":
        return None
    return f"{body['card']['exp_month']:02d} / {body['card']['exp_year'] % 100:02d}"


def percent(number: float | str) -> str:
    """A percentage without useless zeros: 8.875 %."""
    exact = Decimal(str(number)).normalize()
    return f"{exact:f} %"


def tax(unit: Unit, found: Json) -> str:
    """A tax of a line or of a whole invoice: VAT 19 %, DE."""
    rate = unit.get("tax_rate", found["tax_rate_details"]["tax_rate"])
    name = str(rate["display_name"])
    why = _WHY_NONE.get(found["taxability_reason"])
    if why:
        return f"{name}: {why}"
    place = ", ".join(str(rate[part]) for part in ("state", "country") if rate[part])
    inside = ", in the price" if found["tax_behavior"] == "inclusive" else ""
    return f"{name} {percent(rate['percentage'])}{', ' if place else ''}{place}{inside}"


def tax_added(found: Json, currency: str) -> str:
    """What the tax adds, or what of the price it is."""
    written = amounts.written(found["amount"], currency)
    return f"({written})" if found["tax_behavior"] == "inclusive" else written


def discount(unit: Unit, body: Json) -> str:
    """What takes something off: Code WELCOME, 20 % off."""
    coupon = unit.get("coupon", body["source"]["coupon"])
    off = (
        percent(coupon["percent_off"])
        if coupon["percent_off"] is not None
        else amounts.written(coupon["amount_off"], coupon["currency"])
    )
    name = coupon["name"] or "Discount"
    if body["promotion_code"]:
        name = f"Code {unit.get('promotion_code', body['promotion_code'])['code']}"
    return f"{name}, {off} off"


def rhythm(recurring: Json) -> str:
    """How often: a month, every 3 months."""
    count, length = recurring["interval_count"], recurring["interval"]
    return f"a {length}" if count == 1 else f"every {count} {length}s"


def counted(name: str, quantity: int) -> str:
    """The name, with how many of it if that is not one."""
    return name if quantity == 1 else f"{quantity} \u00d7 {name}"
