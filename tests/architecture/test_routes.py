"""Z1: a route answers nobody until somebody has written down who may call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkingphoto.runtime import Runtime
from web import guards
from web.app import WebApp, create_app

ROUTES = {
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("GET", "/auth/verify"),
    ("POST", "/auth/verify"),
    ("POST", "/auth/verify/resend"),
    ("POST", "/billing/checkout"),
    ("POST", "/billing/portal"),
    ("GET", "/billing/pay"),
    ("POST", "/billing/pay"),
    ("POST", "/webhook/stripe"),
    ("POST", "/webhook/video"),
    ("GET", "/media/<uuid:generation_id>/<any(video, poster):kind>"),
    ("GET", "/report/<uuid:generation_id>"),
    ("POST", "/report/<uuid:generation_id>"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
}


@pytest.fixture
def app(runtime: Runtime) -> WebApp:
    """The web application, without a worker in a thread."""
    external = runtime.settings.model_copy(update={"worker": "external"})
    return create_app(Runtime(external, clock=runtime.clock))


def test_z1_every_route_says_who_may_call_it(app: WebApp) -> None:
    views = {rule.rule: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}
    assert views
    assert [path for path, view in views.items() if guards.audience_of(view) is None] == []


def test_only_the_routes_of_the_architecture_are_served(app: WebApp) -> None:
    served = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == ROUTES


def test_z1_a_route_without_an_audience_answers_as_if_it_were_not_there(app: WebApp) -> None:
    app.add_url_rule("/planted", view_func=lambda: "seen")
    answer = app.test_client().get("/planted")
    assert answer.status_code == 404
    assert b"seen" not in answer.data


def test_every_route_is_described() -> None:
    described = (Path(__file__).parents[2] / "docs" / "ARCHITECTURE.md").read_text()
    named = [(path, path.partition("<")[0].rstrip("/")) for _, path in sorted(ROUTES)]
    assert [path for path, name in named if f"`{name}" not in described] == []
