"""How the sandbox's own addresses read forms and answer: JSON, and errors in Stripe's shape."""

import json
from collections.abc import Callable

from flask import Response, request

from stripe_sandbox import Json
from stripe_sandbox.api import forms, params
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.unit import Unit


def given(fields: params.Fields, *, required: tuple[str, ...] = ()) -> Json:
    """The fields of the query and the form, parsed; others are refused by name."""
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return params.read(fields, forms.decode(pairs), required=required)


def answered(work: Callable[[], Json]) -> Response:
    """What the work gives, or why it was refused."""
    try:
        return _json(work(), 200)
    except StripeFault as fault:
        return _json({"error": fault.error}, fault.status)


def within(sandbox: Sandbox, work: Callable[[Unit], Json]) -> Response:
    """As answered, for work in one transaction."""

    def in_one_piece() -> Json:
        with sandbox.transaction() as unit:
            return work(unit)

    return answered(in_one_piece)


def _json(body: Json, status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
