"""Failures on purpose: what goes wrong with which API calls, and what the caller sees."""
