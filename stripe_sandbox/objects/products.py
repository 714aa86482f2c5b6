"""Products: what is sold."""

from stripe_sandbox import Json, ids
from stripe_sandbox.api import errors, lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit, Where

_PLAIN = ("description", "shippable", "statement_descriptor", "tax_code", "unit_label", "url")
FIELDS: params.Fields = {
    "active": params.boolean,
    "description": params.text(40000),
    "images": params.list_of(params.url, 8),
    "marketing_features": params.list_of(params.hash_of({"name": TEXT}, ("name",)), 15),
    "metadata": params.metadata,
    "name": TEXT,
    "shippable": params.boolean,
    "statement_descriptor": params.text(22),
    "tax_code": TEXT,
    "unit_label": TEXT,
    "url": params.url,
}


def create(unit: Unit, values: Json) -> Json:
    """A new product exists, under the id that was asked for if any."""
    wanted = values.pop("id", None)
    if wanted and unit.find(wanted):
        raise errors.invalid("Product already exists.", code="resource_already_exists", param="id")
    body = {
        "id": wanted or ids.new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": unit.now,
        "default_price": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "package_dimensions": None,
        "type": values.pop("type", "service"),
        "updated": unit.now,
        **dict.fromkeys(_PLAIN),
    }
    _change(body, values)
    unit.insert(body)
    unit.emit("product.created", body)
    return body


def update(unit: Unit, values: Json, id: str) -> Json:
    """The product is as asked; product.updated names what changed."""
    before = unit.living("product", id)
    body = unit.living("product", id)
    default = values.get("default_price")
    if default and unit.get("price", default, "default_price")["product"] != id:
        raise errors.invalid("The price belongs to another product.", param="default_price")
    _change(body, values)
    if body != before:
        body["updated"] = unit.now
    return unit.update("product.updated", body, before)


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The product is gone, unless it has prices."""
    body = unit.living("product", id)
    if unit.select("price", lists.equal({"product": id}, "product"), 1):
        raise errors.invalid("This product cannot be deleted because it has one or more prices.")
    unit.emit("product.deleted", body)
    body["deleted"] = True
    return unit.save(body)


def all_of(unit: Unit, values: Json) -> Json:
    """The products, newest first."""
    wheres = [*lists.equal(values, "active", "shippable", "url"), *lists.within(values, "created")]
    wanted = values.get("ids")
    if wanted:
        marks = ", ".join("?" * len(wanted))
        wheres.append(Where(f"id IN ({marks})", tuple(wanted)))
    return lists.page(unit, "product", "/v1/products", values, wheres)


def _change(body: Json, values: Json) -> None:
    for name, value in values.items():
        if name == "metadata":
            body["metadata"] = params.merged_metadata(body["metadata"], value)
        else:
            body[name] = value


ROUTES = (
    retrieve("product", "/v1/products"),
    Route(
        "POST",
        "/v1/products/<id>",
        update,
        {**FIELDS, "default_price": TEXT},
        partly="no package_dimensions",
    ),
    Route("DELETE", "/v1/products/<id>", delete),
    Route(
        "GET",
        "/v1/products",
        all_of,
        {
            **lists.PAGING,
            "active": params.boolean,
            "created": params.span,
            "ids": params.list_of(TEXT),
            "shippable": params.boolean,
            "url": TEXT,
        },
    ),
)
