"""What the web process counts, for Prometheus; with PROMETHEUS_MULTIPROC_DIR for all processes."""

from __future__ import annotations

import prometheus_client
from prometheus_client import Counter
from prometheus_client.multiprocess import MultiProcessCollector

webhook_received = Counter("webhook_received", "Events stored, by type.", ["type"])
webhook_rejected = Counter("webhook_rejected", "Deliveries refused, by reason.", ["reason"])
sign_ins = Counter("sign_ins", "Tries to sign in or up, by result.", ["result"])


def exposition() -> bytes:
    """Every counter in Prometheus's text form."""
    registry = prometheus_client.CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:
        # Without the shared folder there is one process, and its own registry is the truth.
        registry = prometheus_client.REGISTRY
    return prometheus_client.generate_latest(registry)
