"""``python -m stripe_sandbox``: the sandbox on this machine, until it is told to stop."""

import argparse
import os
import sys
from pathlib import Path

from stripe_sandbox import policy, server
from stripe_sandbox.api import served, table
from stripe_sandbox.console import parsing
from stripe_sandbox.opening import StoreFault
from stripe_sandbox.sandbox import Settings


def main(arguments: list[str] | None = None) -> int:
    """The sandbox has run and ended, or a command was carried out; or one line said why not."""
    given = _parser().parse_args(arguments)
    if given.routes:
        sys.stdout.write("\n".join(table.rows(served.ROUTES)) + "\n")
        return 0
    if given.command:
        return parsing.run(given)
    return _serve(given)


def _serve(given: argparse.Namespace) -> int:
    public_url = (given.public_url or f"http://localhost:{given.port}").rstrip("/")
    secrets = os.environ.get("STRIPE_SANDBOX_WEBHOOK_SECRET", "")
    request_log = os.environ.get("STRIPE_SANDBOX_REQUEST_LOG")
    try:
        collects = policy.read(os.environ)
    except policy.PolicyFault as error:
        return _refuse(str(error))
    settings = Settings(
        store=given.store,
        public_url=public_url,
        brand=os.environ.get("STRIPE_SANDBOX_BRAND") or Settings.brand,
        webhook_url=os.environ.get("STRIPE_SANDBOX_WEBHOOK_URL") or None,
        webhook_secrets=tuple(part.strip() for part in secrets.split(",") if part.strip()),
        policy=collects,
        request_log=Path(request_log) if request_log else None,
    )
    if settings.webhook_url and not settings.webhook_secrets:
        return _refuse(
            "STRIPE_SANDBOX_WEBHOOK_URL is set, so set STRIPE_SANDBOX_WEBHOOK_SECRET too"
        )
    try:
        server.run(settings, given.port)
    except (StoreFault, server.PortTaken) as error:
        return _refuse(str(error))
    return 0


def _refuse(message: str) -> int:
    sys.stderr.write(f"stripe_sandbox: {message}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = parsing.Parser(
        prog="python -m stripe_sandbox",
        description="A Stripe look-alike on 127.0.0.1. Webhooks go to "
        "STRIPE_SANDBOX_WEBHOOK_URL, signed "
        "with STRIPE_SANDBOX_WEBHOOK_SECRET; STRIPE_SANDBOX_BRAND names the merchant on its pages; "
        "STRIPE_SANDBOX_REQUEST_LOG is a folder to write every API request to.",
    )
    parser.add_argument("--port", type=_port, default=12111, help="default 12111")
    parser.add_argument(
        "--store",
        type=Path,
        default=Path("data/stripe_sandbox.sqlite"),
        help="SQLite file that keeps everything; default data/stripe_sandbox.sqlite",
    )
    parser.add_argument(
        "--public-url", help="base of page addresses; default http://localhost:PORT"
    )
    parser.add_argument("--routes", action="store_true", help="print the served routes and end")
    parsing.add_commands(parser)
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
