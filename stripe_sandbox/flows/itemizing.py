"""Invoice items: sums that wait for the next invoice, or stand on a draft already."""

from stripe_sandbox import Json
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.flows import drafting
from stripe_sandbox.objects import discounts, invoiceitems, tax_rates
from stripe_sandbox.unit import Unit, Where

_CHANGEABLE = ("amount", "description", "discountable", "period")


def create(unit: Unit, values: Json) -> Json:
    """The sum waits for the customer's next invoice, or is a line of the draft that was named."""
    draft = _draft(unit, str(values["invoice"])) if values.get("invoice") else None
    if draft is not None:
        values.setdefault("customer", draft["customer"])
        values.setdefault("currency", draft["currency"])
    if not values.get("customer"):
        raise errors.missing_parameter("customer")
    customer = unit.living("customer", values["customer"], "customer")
    if not values.get("currency"):
        values["currency"] = _currency(unit, values, customer)
    if values.get("subscription"):
        unit.get("subscription", values["subscription"], "subscription")
    body = invoiceitems.create(unit, values)
    body["tax_rates"] = tax_rates.chosen(unit, values.get("tax_rates") or [], "tax_rates")
    if values.get("discounts"):
        target = discounts.Target(
            "invoice_item", body["id"], body["currency"], customer, body["amount"]
        )
        found = discounts.applied(unit, values["discounts"], target)
        body["discounts"] = [made["id"] for made in found]
    unit.save(body)
    if draft is not None:
        drafting.put_on(unit, draft, body)
        drafting.again(unit, draft)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The sum is as asked, on its draft too."""
    before = unit.living("invoiceitem", id)
    body = unit.living("invoiceitem", id)
    draft = _draft(unit, body["invoice"]) if body["invoice"] else None
    body.update({name: values[name] for name in _CHANGEABLE if values.get(name) is not None})
    if values.get("quantity") is not None:
        each = body["amount"] // (before["quantity"] or 1)
        body.update(quantity=values["quantity"], quantity_decimal=str(values["quantity"]))
        body["amount"] = each * values["quantity"]
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    if "tax_rates" in values:
        body["tax_rates"] = tax_rates.chosen(unit, values["tax_rates"] or [], "tax_rates")
    if draft is not None:
        drafting.take_off(unit, draft, body)
        drafting.put_on(unit, draft, body)
        drafting.again(unit, draft)
    unit.save(body)
    return body


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The sum will not be billed."""
    body = unit.living("invoiceitem", id)
    if body["invoice"]:
        draft = _draft(unit, body["invoice"])
        drafting.take_off(unit, draft, body)
        drafting.again(unit, draft)
    unit.emit("invoiceitem.deleted", body)
    body["deleted"] = True
    # It waits for nothing any more.
    body["invoice"] = body["invoice"] or "deleted"
    return unit.save(body)


def all_of(unit: Unit, values: Json) -> Json:
    """The invoice items, newest first."""
    wheres = [*lists.equal(values, "customer", "invoice"), *lists.within(values, "created")]
    if values.get("pending") is not None:
        sign = "IS NULL" if values["pending"] else "IS NOT NULL"
        wheres.append(Where(f"json_extract(body, '$.invoice') {sign}"))
    return lists.page(unit, "invoiceitem", "/v1/invoiceitems", values, wheres)


def _draft(unit: Unit, invoice_id: str) -> Json:
    invoice = unit.living("invoice", invoice_id, "invoice")
    if invoice["status"] != "draft":
        raise errors.invalid(
            "This invoice is no longer editable.", code="invoice_not_editable", param="invoice"
        )
    return invoice


def _currency(unit: Unit, values: Json, customer: Json) -> str:
    named = (values.get("pricing") or {}).get("price")
    if named:
        return str(unit.get("price", named, "pricing[price]")["currency"])
    described = values.get("price_data") or {}
    return str(described.get("currency") or customer["currency"] or "usd")


_PERIOD = params.hash_of({"end": params.moment, "start": params.moment}, ("end", "start"))
_FIELDS: params.Fields = {
    "amount": params.integer(-99_999_999, 99_999_999),
    "description": TEXT,
    "discountable": params.boolean,
    "discounts": discounts.PARAMETER,
    "metadata": params.metadata,
    "period": _PERIOD,
    "quantity": params.integer(1, 999_999),
    "tax_rates": params.list_of(TEXT, 5),
}
_PATH = "/v1/invoiceitems"
ROUTES = (
    Route(
        "POST",
        _PATH,
        create,
        {
            **_FIELDS,
            "currency": params.currency,
            "customer": TEXT,
            "invoice": TEXT,
            "price_data": params.hash_of(invoiceitems.PRICE_DATA, ("currency", "product")),
            "pricing": params.hash_of({"price": TEXT}),
            "subscription": TEXT,
            "tax_behavior": params.choice("exclusive", "inclusive", "unspecified"),
            "tax_code": TEXT,
            "unit_amount_decimal": params.integer(-99_999_999, 99_999_999),
        },
        partly="whole units and quantities only",
    ),
    retrieve("invoiceitem", _PATH),
    Route(
        "POST",
        f"{_PATH}/<id>",
        update,
        {name: parser for name, parser in _FIELDS.items() if name != "discounts"},
        partly="no change of price or discounts",
    ),
    Route("DELETE", f"{_PATH}/<id>", delete),
    Route(
        "GET",
        _PATH,
        all_of,
        {
            **lists.PAGING,
            "created": params.span,
            "customer": TEXT,
            "invoice": TEXT,
            "pending": params.boolean,
        },
    ),
)
