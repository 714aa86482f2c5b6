"""What the web process counts, for Prometheus; with PROMETHEUS_MULTIPROC_DIR for all processes."""

from __future__ import annotations

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.multiprocess import MultiProcessCollector

from services.reconciliation_service import Standing

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


def gauges(standing: Standing) -> bytes:
    """What waits, is dead or differs now, in the same form; every process would say the same."""
    registry = CollectorRegistry()
    for name, words, value in (
        ("stripe_events_waiting", "Events that no worker has finished.", standing.waiting),
        ("stripe_events_oldest_seconds", "Age of the oldest of them.", standing.oldest_seconds),
        ("stripe_events_dead", "Events that a person has to look at.", standing.dead),
        ("stripe_events_parked", "Events that contradict an earlier one.", standing.parked),
        ("stripe_payments_to_return", "Payments of deleted accounts.", standing.to_return),
    ):
        Gauge(name, words, registry=registry).set(value)
    open_ones = Gauge(
        "stripe_differences_open",
        "Where Stripe and we disagree, by kind and class.",
        ["kind", "difference"],
        registry=registry,
    )
    for (kind, class_), number in standing.differences.items():
        open_ones.labels(kind=kind, difference=class_).set(number)
    return prometheus_client.generate_latest(registry)
