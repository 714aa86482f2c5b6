"""What the product consists of when it runs on one machine: its parts, their ports and settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from talkingphoto.foundation import settings

BRAND = "TalkingPhoto"
DEFAULT_APP_PORT = 8501
DEFAULT_WEB_PORT = 5001
# Two processes of eight threads: enough for the two cores this was measured on.
_WEB_OPTIONS = "-k gthread -w 2 --threads 8 --keep-alive 75 --no-control-socket"

# When the sandbox tries a failed renewal again: only while the retries are Stripe's to make.
_RETRY_DAYS = {"stripe": "3,5,7", "talkingphoto": "off"}


@dataclass(frozen=True)
class Ports:
    """The ports asked for on the command line; None leaves the choice to the settings."""

    web: int | None = None
    app: int | None = None
    sandbox: int | None = None


@dataclass(frozen=True)
class Part:
    """One program of the product; `port` and `health` are where it answers, if it does.

    One that does not says in its log that it has started, with `started_mark`. One that ends with
    its `refusal_status` has said why it cannot run, and is not started again.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int | None = None
    health: str | None = None
    started_mark: bytes = b".started"
    refusal_status: int | None = None

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://localhost:{self.port}"


@dataclass(frozen=True)
class Stack:
    """All parts, the settings they run with, and the two that end before the rest can serve."""

    settings: settings.Settings
    parts: tuple[Part, ...]
    migrations: Part
    catalog: Part


def plan(environ: Mapping[str, str], *, ports: Ports, data: Path | None) -> Stack:
    """The parts for these settings, with the ports and the data folder of the command line."""
    asked = dict(environ)
    if data is not None:
        asked["TALKINGPHOTO_DATA"] = str(data.resolve())
    return _planned(asked, settings.load(asked), ports)


def inspect() -> Stack:
    """The parts as they would be planned, to be looked at only: no secrets are made for them."""
    return _planned({}, settings.load(make_dev_secrets=lambda _folder: {}), Ports())


def _planned(asked: dict[str, str], chosen: settings.Settings, ports: Ports) -> Stack:
    web = ports.web or local_port(chosen.web_url) or DEFAULT_WEB_PORT
    app = ports.app or local_port(chosen.app_url) or DEFAULT_APP_PORT
    sandbox = _sandbox_port(chosen, ports)
    asked |= {"TALKINGPHOTO_DATA": str(chosen.data), "WORKER": "external", "PYTHONUNBUFFERED": "1"}
    if ports.web:
        asked["WEB_URL"] = f"http://localhost:{web}"
    if ports.app:
        asked["APP_URL"] = f"http://localhost:{app}"
    if sandbox:
        asked["STRIPE_API_BASE"] = f"http://127.0.0.1:{sandbox}"
    parts = [
        _web(asked, chosen, port=web),
        _command(asked, "worker", "worker", "--queue", "main"),
        _command(asked, "renderer", "worker", "--queue", "render"),
        _app(asked, chosen, port=app),
    ]
    if sandbox:
        parts.insert(0, _sandbox(asked, chosen, port=sandbox, web_port=web))
    return Stack(
        settings=chosen,
        parts=tuple(parts),
        migrations=_command(asked, "migrations", "database", "upgrade"),
        catalog=_command(asked, "catalog", "catalog", "sync"),
    )


def _command(environment: Mapping[str, str], name: str, *arguments: str) -> Part:
    command = (sys.executable, "-m", "talkingphoto.cli", *arguments)
    return Part(name=name, command=command, environment=environment)


def _sandbox_port(chosen: settings.Settings, ports: Ports) -> int | None:
    """None when Stripe is real, or when the sandbox runs on another machine."""
    if not chosen.sandbox:
        return None
    return ports.sandbox or local_port(chosen.stripe_api_base)


def local_port(url: str) -> int | None:
    """The port an address names on this machine; None when it is another machine's."""
    parts = urlsplit(url)
    return parts.port if parts.hostname in {"localhost", "127.0.0.1", "::1"} else None


def _sandbox(
    environment: Mapping[str, str], chosen: settings.Settings, *, port: int, web_port: int
) -> Part:
    store = chosen.data / "stripe_sandbox.sqlite"
    secrets = {
        "STRIPE_SANDBOX_WEBHOOK_URL": f"http://localhost:{web_port}/webhook/stripe",
        "STRIPE_SANDBOX_WEBHOOK_SECRET": "".join(chosen.webhook_secrets[:1]),
        "STRIPE_SANDBOX_BRAND": BRAND,
        "STRIPE_SANDBOX_RETRY_DAYS": _RETRY_DAYS[chosen.dunning_owner],
    }
    return Part(
        name="sandbox",
        command=(
            *(sys.executable, "-m", "stripe_sandbox", "--port", str(port)),
            *("--store", str(store), "--public-url", f"http://localhost:{port}"),
        ),
        environment={**environment, **secrets},
        port=port,
        health="/healthz",
        refusal_status=2,
    )


def _web(environment: Mapping[str, str], chosen: settings.Settings, *, port: int) -> Part:
    return Part(
        name="web",
        command=(
            *(sys.executable, "-m", "gunicorn", *_WEB_OPTIONS.split()),
            *("-b", f"127.0.0.1:{port}", "webhook_app:app"),
        ),
        environment={**environment, "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder(chosen))},
        port=port,
        health="/healthz",
    )


def _app(environment: Mapping[str, str], chosen: settings.Settings, *, port: int) -> Part:
    # Any other Host is refused: a foreign page could rebind its name to this machine.
    hosts = ("localhost", "127.0.0.1", urlsplit(chosen.app_url).hostname or "localhost")
    allowed = (part for host in dict.fromkeys(hosts) for part in ("--server.allowedHosts", host))
    return Part(
        name="app",
        command=(
            *(sys.executable, "-m", "streamlit", "run", str(settings.PROJECT_ROOT / "front.py")),
            *("--server.port", str(port), "--server.address", "localhost"),
            *allowed,
        ),
        environment=environment,
        port=port,
        health="/_stcore/health",
    )


def metrics_folder(chosen: settings.Settings) -> Path:
    """Where the web processes keep the counters they share."""
    return chosen.data / "metrics"
