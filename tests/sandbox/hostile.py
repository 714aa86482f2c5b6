"""Writes requests as an attacker would: well formed but for a value or two."""

import inspect
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox.api.routes import Route

Pairs = list[tuple[str, str]]
_HOSTILE = (
    "",
    "0",
    "-1",
    "1.5",
    "1e999",
    "NaN",
    "٣",
    "²",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    "9" * 5000,
    "a\x00b",
    "\N{PILE OF POO}",
    b"\xed\xa0\x80".decode("utf-8", "surrogatepass"),
    "x" * 5000,
    "x" * 5001,
    "<script>alert(1)</script>",
    "'; DROP TABLE objects; --",
    '"$.[]{}',
    "null",
    "http://[",
    "http://localhost:99999999/",
)

_STARTS = {
    "calculation": "taxcalc_",
    "charge": "ch_",
    "coupon": "RRR",
    "credit_note": "cn_",
    "customer": "cus_",
    "dispute": "du_",
    "endpoint": "we_",
    "from_subscription": "sub_",
    "invoiceitem": "ii_",
    "invoice_payment": "inpay_",
    "invoice": "in_",
    "payment_intent": "pi_",
    "payment_method": "pm_",
    "payment_pages": "cs_",
    "price": "price_",
    "product": "prod_",
    "promotion_code": "promo_",
    "refund": "re_",
    "schedule": "sub_sched_",
    "session": "cs_",
    "setup_intent": "seti_",
    "subscription_item": "si_",
    "subscription_schedule": "sub_sched_",
    "subscription": "sub_",
    "tax_rate": "txr_",
    "test_clock": "clock_",
    "transaction": "tax_",
}
# A request of each kind that is well formed, to be spoiled; @NOUN is an id of that kind.
_SOUND = {
    "/v1/charges": "amount=500&currency=usd&source=tok_visa",
    "/v1/charges/search": "query=metadata['a']:'b'",
    "/v1/checkout/sessions": "mode=subscription&success_url=http://localhost:1/"
    "&line_items[0][price]=@price&line_items[0][quantity]=1",
    "/v1/coupons": "duration=repeating&duration_in_months=3&amount_off=70&currency=usd",
    "/v1/credit_notes": "invoice=@invoice&amount=50&refund_amount=50",
    "/v1/credit_notes/preview": "invoice=@invoice&amount=50&credit_amount=50",
    "/v1/credit_notes/preview/lines": "invoice=@invoice&amount=50&credit_amount=50",
    "/v1/customers/<customer>/balance_transactions": "amount=-50&currency=usd",
    "/v1/customers/search": "query=email~'ada' AND created>5",
    "/v1/invoiceitems": "customer=@customer&amount=50&currency=usd",
    "/v1/invoices": "customer=@customer&collection_method=send_invoice&days_until_due=3",
    "/v1/invoices/create_preview": "subscription=@subscription",
    "/v1/invoices/search": "query=total>5 OR status:'open'",
    "/v1/payment_intents": "amount=500&currency=usd&payment_method=@payment_method"
    "&confirm=true&return_url=http://localhost:1/&customer=@customer",
    "/v1/payment_intents/search": "query=amount:500",
    "/v1/payment_methods": "type=card&card[token]=tok_visa",
    "/v1/prices": "currency=usd&unit_amount=70&product=@product&recurring[interval]=day",
    "/v1/prices/search": "query=active:'true'",
    "/v1/products/search": "query=name~'ada'",
    "/v1/refunds": "charge=@charge&amount=1",
    "/v1/subscription_items": "subscription=@subscription&price=@price",
    "/v1/subscription_schedules": "customer=@customer&start_date=now&phases[0][items][0][price]="
    "@price&phases[0][duration][interval]=month",
    "/v1/subscriptions": "customer=@customer&items[0][price]=@price",
    "/v1/subscriptions/search": "query=-status:'active'",
    "/v1/tax/calculations": "currency=usd&line_items[0][amount]=70&line_items[0][reference]=a"
    "&customer_details[address][country]=DE&customer_details[address_source]=billing",
    "/v1/tax/transactions/create_from_calculation": "calculation=@calculation&reference=b",
    "/v1/tax/transactions/create_reversal": "mode=full&reference=c"
    "&original_transaction=@transaction",
    "/v1/tokens": "card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2090",
}
_USUAL = {
    "cancel_url": "http://localhost:1/",
    "currency": "usd",
    "interval": "month",
    "name": "Ada",
    "return_url": "http://localhost:1/",
    "source": "tok_visa",
    "success_url": "http://localhost:1/",
    "type": "card",
    "url": "http://localhost:1/",
}


class Writer:
    """Writes requests: most fields as they should be, one or two as an attacker would."""

    def __init__(self, chance: random.Random, stock: list[str]) -> None:
        self.chance = chance
        self.stock = stock
        self.malice = 1.0
        self.share = 0.4

    def request(self, route: Route) -> tuple[str, Pairs]:
        """A path and its fields."""
        self.malice = self.chance.choice((0.0, 0.2, 1.0))
        self.share = self.chance.choice((0.0, 0.1, 0.4))
        path = route.path
        while "<" in path:
            before, _, rest = path.partition("<")
            name, _, rest = rest.partition(">")
            path = before + self._id(before.split("/")[-2] if name == "id" else name) + rest
        names = [name for name in route.fields if self.chance.random() < self.share]
        pairs = self._sound(route.path) if self.chance.random() < 0.7 else []
        given = {key.partition("[")[0] for key, _ in pairs}
        for name in {**dict.fromkeys(route.required), **dict.fromkeys(names)}:
            if name not in given:
                pairs += self._field(name, route.fields[name])
        return path, pairs

    def _sound(self, path: str) -> Pairs:
        """A well-formed request, of which now and then one value is spoiled."""
        pairs: Pairs = []
        for key, value in parse_qsl(_SOUND.get(path, "")):
            kept = self.chance.random() > 0.1 * self.malice
            fit = (self._named(value[1:]) or "") if value.startswith("@") else value
            pairs.append((key, fit if kept else self.chance.choice(_HOSTILE)))
        return pairs

    def _id(self, noun: str) -> str:
        if self.chance.random() < 0.05 * self.malice:
            return self.chance.choice(("%00", "x" * 300, "%ED%A0%80"))
        return self._named(noun) or self.chance.choice(self.stock)

    def _named(self, noun: str) -> str | None:
        """Mostly an id of the right kind, if the noun is one that has ids."""
        start = next((_STARTS[word] for word in _STARTS if noun.startswith(word)), "none")
        fitting = [one for one in self.stock if one.startswith(start)]
        return self.chance.choice(fitting) if fitting and self.chance.random() < 0.9 else None

    def _field(self, name: str, parser: Callable[..., object]) -> Pairs:
        dice = self.chance.random() / (self.malice or 0.001)
        if dice < 0.1:
            return [(name, self.chance.choice(_HOSTILE))]
        if dice < 0.13:
            return [(f"{name}[]", self.chance.choice(_HOSTILE)), (f"{name}[{'9' * 5000}]", "x")]
        if dice < 0.16:
            return [(f"{name}[a][b]", self.chance.choice(_HOSTILE))]
        return self._proper(name, parser)

    def _proper(self, name: str, parser: Callable[..., object]) -> Pairs:
        """Fields that the parser may well take; what it wants is read out of its closure."""
        inner = inspect.getclosurevars(parser).nonlocals if inspect.isfunction(parser) else {}
        if "fields" in inner:
            return self._hash(name, inner)
        if "parser" in inner:
            return [
                pair
                for at in range(self.chance.randint(1, 2))
                for pair in self._field(f"{name}[{at}]", inner["parser"])
            ]
        if inner.get("names"):
            return [(name, self.chance.choice(inner["names"]))]
        return [(name, self._word(name))]

    def _hash(self, name: str, inner: Mapping[str, Any]) -> Pairs:
        chosen = [key for key in inner["fields"] if self.chance.random() < self.share]
        key = f"{name}[{self.chance.choice(['usd', 'eur', 'x'])}]" if "key" in inner else name
        return [
            pair
            for one in {**dict.fromkeys(inner.get("required", ())), **dict.fromkeys(chosen)}
            for pair in self._field(f"{key}[{one}]", inner["fields"][one])
        ]

    def _word(self, name: str) -> str:
        last = name.rstrip("]0123456789[").rpartition("[")[2]
        known = _USUAL.get(last) or self._named(last)
        if known and self.chance.random() < 0.9:
            return known
        kinds: tuple[list[str], ...] = (
            self.stock,
            ["1", "2", "12", "500", "1790000000", "1899999999", str(10**11)],
            ["true", "false"],
            ["US", "DE", "day", "now", "all", "CA", "fractional", "gtc"],
        )
        return self.chance.choice(self.chance.choice(kinds))
