"""Serving: gunicorn with one process and threads, on loopback only."""

import errno
import logging
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from stripe_sandbox import opening
from stripe_sandbox.app import create_app
from stripe_sandbox.sandbox import Sandbox, Settings

_THREADS = 16
_HOST = "127.0.0.1"
# A sandbox started again at once may find the one before it still letting go.
_PATIENCE_SECONDS = 2.0
_Held = TypeVar("_Held")


class PortTaken(Exception):
    """Something else listens on the port."""


def run(settings: Settings, port: int) -> None:
    """The sandbox has served until told to stop; PortTaken or StoreFault if it could not begin."""
    listener = _patiently(lambda: listen(port))
    claim = _patiently(lambda: opening.claim(settings.store))
    # A damaged store is found here, where one line can say so, not in a worker, again and again.
    opening.examine(settings.store)

    def load() -> Flask:
        # After the fork: neither SQLite connections nor threads survive one.
        try:
            sandbox = Sandbox(settings)
        except (sqlite3.Error, opening.StoreFault) as error:
            sys.stderr.write(f"stripe_sandbox: {error}\n")
            # This status, and no other, keeps gunicorn from starting one worker after another.
            raise SystemExit(Arbiter.APP_LOAD_ERROR) from error
        app = create_app(sandbox)
        app.extensions["sandbox"] = sandbox
        sandbox.start()
        return app

    # The store is ours until the process ends, the forked worker's copy of the claim included.
    with claim:
        try:
            serve(listener, load, ready=f"stripe_sandbox: ready on {settings.public_url}")
        except SystemExit as end:
            if end.code == Arbiter.APP_LOAD_ERROR:
                raise SystemExit(2) from end
            raise


def serve(listener: socket.socket, load: Callable[[], Flask], *, ready: str) -> None:
    """The application has been served on the socket until told to stop."""
    _Server(listener.detach(), load, ready).run()


def listen(port: int) -> socket.socket:
    """A socket that listens on the port, on loopback only; PortTaken if something else does."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTaken(
                f"port {port} is taken; stop what listens there or choose another with --port"
            ) from error
        raise
    listener.listen(512)
    listener.set_inheritable(True)
    return listener


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, told everything here: no file or command line of its own is read."""

    def __init__(self, listener: int, load: Callable[[], Flask], ready: str) -> None:
        self.listener = listener
        self.make_app = load
        self.ready = ready
        super().__init__()

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": f"fd://{self.listener}",
            "worker_class": "gthread",
            # One process: the idempotency keys in use and the delivery threads live in its memory.
            "workers": 1,
            "threads": _THREADS,
            "keepalive": 75,
            "graceful_timeout": 5,
            "timeout": 120,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "stripe_sandbox",
            "post_worker_init": _announce(self.ready),
            "worker_exit": _stop,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.make_app()


def _announce(ready: str) -> Callable[[Any], None]:
    def post_worker_init(worker: Any) -> None:
        logging.basicConfig(level=logging.WARNING, format="stripe_sandbox: %(message)s")
        sys.stderr.write(f"{ready}\n")
        sys.stderr.flush()

    return post_worker_init


def _stop(server: Any, worker: Any) -> None:
    app = getattr(worker, "wsgi", None)
    if app is not None and "sandbox" in app.extensions:
        app.extensions["sandbox"].stop()


def _patiently(attempt: Callable[[], _Held]) -> _Held:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except (PortTaken, opening.StoreFault):
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)
