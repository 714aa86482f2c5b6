"""The web application: wires routes, guards and answers together, and can serve itself."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from services.auth_service import AuthService
from services.generation_service import GenerationService
from services.invoice_service import InvoiceService
from services.payment_service import PaymentService
from services.reconciliation_service import ReconciliationService
from services.retry_service import RetryService
from services.webhook_service import WebhookService
from talkingphoto.runtime import Runtime
from web import (
    auth,
    billing,
    errors,
    guards,
    headers,
    health,
    media,
    paying,
    reports,
    verifying,
    webhooks,
)
from worker import main as worker

log = structlog.get_logger()

LARGEST_BODY_BYTES = 1024 * 1024
DEFAULT_PORT = 5001
_BACKLOG = 128


class WebApp(Flask):
    """A Flask application that serves itself once, however often it is asked to."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__("web", static_folder=None)
        self._serving = threading.Lock()
        self.config.update(
            APP_URL=runtime.settings.app_url,
            WEB_URL=runtime.settings.web_url,
            MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        )

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """The address is served until the process ends; a second call finds it served and returns.

        `debug` and the rest of Flask's arguments change nothing: there is no debugger to reach.
        """
        if not self._serving.acquire(blocking=False):
            return  # a Streamlit rerun asks again in a new thread
        try:
            self._serve(host or "127.0.0.1", self._own_port if port is None else port)
        finally:
            self._serving.release()

    @property
    def _own_port(self) -> int:
        return urlsplit(self.config["WEB_URL"]).port or DEFAULT_PORT

    def _serve(self, host: str, port: int) -> None:
        with _listen(host, port) as listener:
            server = make_server(host, port, self, threaded=True, fd=listener.fileno())
        if threading.current_thread() is threading.main_thread():
            _end_politely(server)
        log.info("web.listening", host=host, port=server.port)
        server.serve_forever()
        log.info("web.stopped", port=server.port)


def create_app(runtime: Runtime) -> WebApp:
    """The application of this process, with a worker in a thread when settings say so."""
    app = WebApp(runtime)
    app.extensions[guards.EXTENSION] = guards.Wiring(
        runtime=runtime,
        auth=AuthService(runtime),
        payments=PaymentService(runtime),
        invoices=InvoiceService(runtime),
        webhooks=WebhookService(runtime),
        generations=GenerationService(runtime),
        retries=RetryService(runtime),
        reconciliation=ReconciliationService(runtime),
    )
    hops = runtime.settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0)  # type: ignore[method-assign]
    _guard(app, runtime)
    errors.register(app)
    for module in (auth, billing, health, media, paying, reports, verifying, webhooks):
        app.register_blueprint(module.bp)
    if runtime.settings.worker == "embedded":
        worker.start_thread(runtime)
    return app


def _guard(app: WebApp, runtime: Runtime) -> None:
    """Every request has an id and passes both guards; every response carries our headers."""
    fixed = headers.security_headers(runtime.settings)

    @app.before_request
    def begin() -> None:
        g.request_id = runtime.new_id()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        guards.check_audience()
        guards.check_origin()

    @app.after_request
    def finish(response: Response) -> Response:
        # A route may say otherwise, as the one for a customer's own video does.
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; the process or thread ends with one line when it cannot."""
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as fault:
        taken = fault.errno == errno.EADDRINUSE
        reason = "another program uses the port" if taken else str(fault.strerror)
        log.error("web.not_listening", host=host, port=port, reason=reason)
        sys.exit(1)


def _end_politely(server: BaseWSGIServer) -> None:
    """SIGTERM lets running requests end and then the process."""
    server.daemon_threads = False  # type: ignore[attr-defined]

    def stop(*_: object) -> None:
        # From a thread: shutdown waits for the loop that this signal has interrupted.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
