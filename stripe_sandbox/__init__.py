"""A Stripe look-alike that runs on this machine; the official SDK talks to it."""

from typing import Any

API_VERSION = "2026-10-28.endive"

# What travels over the wire: one JSON object, with the names Stripe gives its fields.
Json = dict[str, Any]
