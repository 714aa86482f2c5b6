"""A Stripe look-alike that runs on this machine; the official SDK talks to it."""

from typing import Any

API_VERSION = "2026-10-28.endive"
# Versions that webhooks can be written in besides, for receivers that were set up long ago.
OLDER_VERSIONS = ("2025-02-24.acacia", "2024-06-20", "2023-10-16")

# What travels over the wire: one JSON object, with the names Stripe gives its fields.
Json = dict[str, Any]
