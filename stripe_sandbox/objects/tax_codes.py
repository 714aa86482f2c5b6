"""Tax codes: the kinds of products the tax table tells apart, and a few beside them."""

from stripe_sandbox import Json, tax_table
from stripe_sandbox.api import errors, lists
from stripe_sandbox.api.routes import Route
from stripe_sandbox.tax_table import TaxCode
from stripe_sandbox.unit import Unit

_PATH = "/v1/tax_codes"


def retrieve(unit: Unit, values: Json, id: str) -> Json:
    """One tax code."""
    for code in tax_table.CODES:
        if code.id == id:
            return _body(code)
    raise errors.no_such("tax code", id)


def all_of(unit: Unit, values: Json) -> Json:
    """The tax codes the sandbox knows; Stripe has hundreds."""
    return lists.cut(_PATH, [_body(code) for code in tax_table.CODES], values)


def _body(code: TaxCode) -> Json:
    return {
        "id": code.id,
        "object": "tax_code",
        "description": code.description,
        "name": code.name,
    }


_FEW = "a few of Stripe's codes; every one but txcd_00000000 is taxed at the general rate"
ROUTES = (
    Route("GET", f"{_PATH}/<id>", retrieve, partly=_FEW),
    Route("GET", _PATH, all_of, lists.PAGING, partly=_FEW),
)
