"""`python -m benchmarks.no_op PORT`: the sandbox's own server, around a route that does nothing."""

from __future__ import annotations

import sys

from flask import Flask, Response

from stripe_sandbox import server


def app() -> Flask:
    """Every POST is taken, and the health address answers."""
    application = Flask(__name__)

    def nothing() -> Response:
        return Response("{}", content_type="application/json")

    application.add_url_rule("/", "post", nothing, methods=["POST"])
    application.add_url_rule("/healthz", "health", nothing)
    return application


if __name__ == "__main__":
    server.serve(server.listen(int(sys.argv[1])), app, ready="benchmarks: ready")
