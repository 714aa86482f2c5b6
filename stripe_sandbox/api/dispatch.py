"""From an HTTP request to its answer: key, parameters, idempotency, verb, expansion."""

import contextlib
import json
import logging
import re
from dataclasses import dataclass, replace

from flask import Flask, Response, request

from stripe_sandbox import Json, ids
from stripe_sandbox.api import answering, auth, errors, expand, forms, idempotency, params
from stripe_sandbox.api.errors import StripeFault
from stripe_sandbox.api.idempotency import Answer
from stripe_sandbox.api.routes import Route
from stripe_sandbox.api.served import INCLUDED, ROUTES
from stripe_sandbox.faults import failing, wires
from stripe_sandbox.sandbox import Sandbox
from stripe_sandbox.shelf import written
from stripe_sandbox.unit import Cause, Unit

log = logging.getLogger(__name__)

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?\Z")
_EXPAND = params.list_of(params.TEXT)


@dataclass(frozen=True)
class _Call:
    """One request as far as the verb and its answer need it."""

    route: Route
    path_ids: dict[str, str]
    request: str
    form: forms.Form
    key: str | None


def install(app: Flask, sandbox: Sandbox) -> None:
    """The application answers every route of the table and refuses the others."""
    for route in ROUTES:

        def view(route: Route = route, **path_ids: str) -> Response:
            return _respond(sandbox, route, path_ids)

        app.add_url_rule(route.path, f"{route.method} {route.path}", view, methods=[route.method])
    app.add_url_rule(
        "/v1/<path:rest>", "unknown", _unknown, methods=["GET", "POST", "DELETE", "PUT"]
    )
    app.register_error_handler(500, _failed)


def _respond(sandbox: Sandbox, route: Route, path_ids: dict[str, str]) -> Response:
    request_id = ids.new_id("req", 14)
    try:
        auth.check(request.headers.get("Authorization", ""))
        _check_version()
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        # Only what changes something is remembered; reading twice is reading twice.
        key = request.headers.get("Idempotency-Key") if route.method == "POST" else None
        call = _Call(route, path_ids, request_id, forms.decode(pairs), key)
        with sandbox.running.holding(call.key):
            return _answered(sandbox, call)
    except StripeFault as fault:
        return answering.response(answering.refusal(fault, request_id), request_id)


def _answered(sandbox: Sandbox, call: _Call) -> Response:
    """The answer of the verb, or the failure that a rule has for this call."""
    rule = sandbox.faults.met(call.route.method, request.path)
    if rule is not None and rule.kind == "slow":
        wires.delay(rule.ms / 1000)
    elif rule is not None:
        if rule.when == "after":
            # What was done is done and its answer kept, but the caller will not see it.
            with contextlib.suppress(StripeFault):
                _once(sandbox, call)
        return failing.failed(rule, call.request)
    answer, replayed = _once(sandbox, call)
    return answering.response(answer, call.request, replayed=replayed)


def _once(sandbox: Sandbox, call: _Call) -> tuple[Answer, bool]:
    """The answer, and whether it was given before; effects and remembered answer are one commit."""
    print_ = idempotency.fingerprint(call.route.method, request.path, call.form)
    with sandbox.transaction(Cause(call.request, call.key)) as unit:
        before = idempotency.recall(unit.connection, call.key, print_) if call.key else None
        if before is not None:
            return before, True
        try:
            answer = Answer(200, written(_run(unit, call)), call.request)
        except StripeFault as fault:
            if not fault.keeps_effects:
                raise
            answer = answering.refusal(fault, call.request)
        # A refused request has done nothing and is not kept: its key is free for the corrected one.
        if call.key:
            idempotency.keep(unit.connection, call.key, print_, answer)
    return answer, False


def _run(unit: Unit, call: _Call) -> Json:
    form = dict(call.form)
    wanted = _EXPAND(form.pop("expand", []), "expand")
    paths = [str(path) for path in wanted] if isinstance(wanted, list) else []
    values = params.read(call.route.fields, form, required=call.route.required)
    body = call.route.handler(unit, values, **call.path_ids)
    return expand.shown(unit, body, paths, INCLUDED)


def _check_version() -> None:
    version = request.headers.get("Stripe-Version")
    if version and not _VERSION.match(version):
        raise errors.invalid(f"Invalid Stripe API version: {version[:40]}")


def _unknown(rest: str) -> Response:
    fault = errors.invalid(
        f"Unrecognized request URL ({request.method}: {request.path}). This sandbox serves a "
        "part of "
        "Stripe's API; docs/SANDBOX.md lists it."
    )
    request_id = ids.new_id("req", 14)
    return answering.response(replace(answering.refusal(fault, request_id), status=404), request_id)


def _failed(error: Exception) -> Response:
    cause = getattr(error, "original_exception", None) or error
    log.error("%s %s failed", request.method, request.path, exc_info=cause)
    body = {"error": {"type": "api_error", "message": "The sandbox failed; its log says why."}}
    request_id = ids.new_id("req", 14)
    return answering.response(Answer(500, json.dumps(body), request_id), request_id)
