"""Webhook endpoints: who is told about events, and with which secret they are signed."""

from stripe_sandbox import API_VERSION, OLDER_VERSIONS, Json, ids
from stripe_sandbox.api import lists, params
from stripe_sandbox.api.params import TEXT
from stripe_sandbox.api.routes import Route, retrieve
from stripe_sandbox.unit import Unit, Where


def create(unit: Unit, values: Json) -> Json:
    """A new enabled endpoint exists; only this answer shows its secret."""
    secret = ids.new_secret("whsec")
    body = _insert(unit, values, (secret,))
    return {**body, "secret": secret}


def manage(unit: Unit, url: str, secrets: tuple[str, ...]) -> Json:
    """The one endpoint that start-up owns has this address and secrets, and hears everything."""
    for body in unit.select("webhook_endpoint", [Where("json_extract(body, '$._managed') = 1")], 1):
        body.update(url=url, status="enabled", enabled_events=["*"], _secrets=list(secrets))
        return unit.save(body)
    body = _insert(unit, {"url": url, "enabled_events": ["*"]}, secrets)
    body["_managed"] = True
    return unit.save(body)


def update(unit: Unit, values: Json, id: str) -> Json:
    """The endpoint is as asked."""
    body = unit.living("webhook_endpoint", id)
    if "disabled" in values:
        body["status"] = "disabled" if values["disabled"] else "enabled"
    if "metadata" in values:
        body["metadata"] = params.merged_metadata(body["metadata"], values["metadata"])
    body.update(
        {name: values[name] for name in ("description", "enabled_events", "url") if name in values}
    )
    return unit.save(body)


def delete(unit: Unit, values: Json, id: str) -> Json:
    """The endpoint is gone, with what it had still to be told."""
    body = unit.living("webhook_endpoint", id)
    unit.connection.execute(
        "UPDATE deliveries SET state = 'failed' WHERE endpoint = ? AND state = 'waiting'", (id,)
    )
    body.update(deleted=True, status="disabled")
    return unit.save(body)


def all_of(unit: Unit, values: Json) -> Json:
    """The endpoints, newest first."""
    return lists.page(unit, "webhook_endpoint", "/v1/webhook_endpoints", values)


def _insert(unit: Unit, values: Json, secrets: tuple[str, ...]) -> Json:
    return unit.insert(
        {
            "id": ids.new_id("we"),
            "object": "webhook_endpoint",
            "api_version": values.get("api_version"),
            "application": None,
            "created": unit.now,
            "description": values.get("description"),
            "enabled_events": values["enabled_events"],
            "livemode": False,
            "metadata": params.merged_metadata({}, values.get("metadata") or {}),
            "status": "enabled",
            "url": values["url"],
            "_secrets": list(secrets),
        }
    )


_VERSIONS = f"api_version is this one or {', '.join(OLDER_VERSIONS)}"
_FIELDS: params.Fields = {
    "description": TEXT,
    "enabled_events": params.list_of(TEXT, 300),
    "metadata": params.metadata,
    "url": params.url,
}
ROUTES = (
    Route(
        "POST",
        "/v1/webhook_endpoints",
        create,
        {**_FIELDS, "api_version": params.choice(API_VERSION, *OLDER_VERSIONS)},
        ("enabled_events", "url"),
        partly=_VERSIONS,
    ),
    retrieve("webhook_endpoint", "/v1/webhook_endpoints"),
    Route(
        "POST",
        "/v1/webhook_endpoints/<id>",
        update,
        {**_FIELDS, "disabled": params.boolean},
    ),
    Route("DELETE", "/v1/webhook_endpoints/<id>", delete),
    Route("GET", "/v1/webhook_endpoints", all_of, lists.PAGING),
)
