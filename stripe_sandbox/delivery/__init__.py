"""Webhooks: who is told what, on which way, signed how, tried how often, and what came of it."""
