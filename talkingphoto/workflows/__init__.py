"""Longer verbs of money: the intent is written, Stripe is asked, the outcome is written."""
