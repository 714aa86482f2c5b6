"""No request makes the sandbox fail: hostile values for every field of every route."""

import inspect
import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import pytest
from flask.testing import FlaskClient

from stripe_sandbox.api.routes import Route
from stripe_sandbox.api.served import ROUTES
from stripe_sandbox.app import create_app
from stripe_sandbox.sandbox import Sandbox, Settings
from tests.sandbox.running import KEY

Pairs = list[tuple[str, str]]
_SENT = {"Authorization": f"Bearer {KEY}"}
_ROUNDS = 6
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


def _made(client: FlaskClient, path: str, **fields: str) -> Any:
    answer = client.post(f"/v1/{path}", data=fields, headers=_SENT)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def _stock(client: FlaskClient) -> list[str]:
    """The ids of one object of many kinds, deleted ones among them."""
    customer = _made(client, "customers", email="a@example.com", source="tok_visa")["id"]
    gone = _made(client, "customers")["id"]
    client.delete(f"/v1/customers/{gone}", headers=_SENT)
    card = _made(client, "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    product = _made(client, "products", name="Thing")["id"]
    once = _made(client, "prices", currency="usd", unit_amount="500", product=product)["id"]
    plan = _made(
        client,
        "prices",
        **{
            "currency": "usd",
            "unit_amount": "900",
            "product": product,
            "recurring[interval]": "month",
        },
    )["id"]
    half = {"percent_off": "10", "duration": "once"}
    coupon = _made(client, "coupons", id=f"RRR{len(customer)}{customer[-6:]}", **half)["id"]
    code = {
        "promotion[type]": "coupon",
        "promotion[coupon]": coupon,
        "code": f"TEN{len(coupon)}{coupon[-6:]}",
    }
    subscribed = _made(
        client,
        "subscriptions",
        **{"customer": customer, "items[0][price]": plan, "default_payment_method": card},
    )
    paid = _made(
        client,
        "payment_intents",
        amount="500",
        currency="usd",
        customer=customer,
        payment_method=card,
        confirm="true",
        return_url="http://localhost:1/back",
    )
    held = _made(client, "payment_intents", amount="500", currency="usd", capture_method="manual")
    checkout = {"success_url": "http://localhost:1/s", "line_items[0][quantity]": "1"}
    sold = _made(
        client, "checkout/sessions", mode="payment", **checkout, **{"line_items[0][price]": once}
    )
    signed = _made(
        client,
        "checkout/sessions",
        mode="subscription",
        **checkout,
        **{"line_items[0][price]": plan},
    )
    disputed = _made(client, "charges", amount="900", currency="usd", source="tok_createDispute")
    draft = _made(client, "invoices", customer=customer)["id"]
    return [
        customer,
        gone,
        card,
        product,
        once,
        plan,
        coupon,
        _made(client, "promotion_codes", **code)["id"],
        subscribed["id"],
        subscribed["items"]["data"][0]["id"],
        subscribed["latest_invoice"],
        paid["id"],
        paid["latest_charge"],
        disputed["id"],
        disputed["dispute"] if disputed.get("dispute") else "du_none",
        held["id"],
        sold["id"],
        signed["id"],
        draft,
        _made(client, "refunds", charge=paid["latest_charge"], amount="100")["id"],
        _made(client, "setup_intents", customer=customer)["id"],
        _made(client, "test_helpers/test_clocks", frozen_time="1790000000")["id"],
        _made(client, "tax_rates", display_name="VAT", inclusive="false", percentage="20")["id"],
        _made(client, "subscription_schedules", from_subscription=subscribed["id"])["id"],
        _made(client, "invoiceitems", customer=customer, amount="70", currency="usd")["id"],
        "cus_none",
        "pm_card_visa",
    ]


class _Writer:
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


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    box = Sandbox(Settings(folder / "store.sqlite", "http://localhost:4242"))
    yield create_app(box).test_client()
    box.stop()


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        (
            "GET",
            "/v1/customers/search",
            {"query": "name:'a'", "page": "OTk5OTk5OTk5OTk5OTk5OTk5OTk="},
        ),
        ("GET", "/v1/customers/search", {"query": "metadata['\x00']:'x'"}),
        ("POST", "/_sandbox/faults", {"kind": "error", "rate": "9" * 5000}),
        ("DELETE", f"/_sandbox/faults/{'9' * 30}", {}),
    ],
)
def test_a_number_or_sign_the_store_cannot_hold_is_answered(
    client: FlaskClient, method: str, path: str, fields: dict[str, str]
) -> None:
    asked = None if method == "POST" else fields
    said = fields if method == "POST" else None
    answer = client.open(path, method=method, headers=_SENT, query_string=asked, data=said)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("seed", range(3))
def test_hostile_requests_are_answered_and_never_fail(client: FlaskClient, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - dice of a test
    writer = _Writer(chance, _stock(client))
    routes = list(ROUTES) * _ROUNDS
    chance.shuffle(routes)
    for route in routes:
        path, pairs = writer.request(route)
        body = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)
        posted = route.method == "POST"
        answer = client.open(
            path if posted else f"{path}?{body}",
            method=route.method,
            data=body if posted else None,
            content_type="application/x-www-form-urlencoded",
            headers=_SENT,
        )
        said = f"{route.method} {path} {pairs} -> {answer.text[:300]}"
        assert answer.status_code < 500, said
        got = json.loads(answer.text)
        _check_shape(got, answer.status_code, said)
        if posted and got.get("id"):
            writer.stock.append(got["id"])


def test_the_request_log_has_no_card_number_and_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "requests"
    box = Sandbox(Settings(tmp_path / "store.sqlite", "http://localhost:4242", request_log=log))
    client = create_app(box).test_client()
    for name in ("number", "card[number]", "cvc", "source[cvc]", "client_secret"):
        client.post("/v1/tokens", data={name: "4242424242424242"}, headers=_SENT)
    box.stop()
    (file,) = log.iterdir()
    assert len(file.read_text().splitlines()) == 5
    assert "4242424242424242" not in file.read_text()


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def _check_shape(body: Any, status: int, said: str) -> None:
    """The answer is an object of Stripe's, or an error in its shape; nothing of ours shows."""
    if status == 200:
        assert body.get("object") or body.get("deleted"), said
        assert not list(_leaks(body)), said
    else:
        assert body["error"]["type"].endswith("_error"), said
        assert isinstance(body["error"]["message"], str), said


def _leaks(node: Any) -> Iterator[str]:
    """Notes of our own, and anything that says it is live."""
    if isinstance(node, list):
        for item in node:
            yield from _leaks(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.startswith("_") or (key == "livemode" and value is not False):
                yield key
            yield from _leaks(value)
