"""Stripe's own command line, which we did not write, drives the sandbox and our product."""
