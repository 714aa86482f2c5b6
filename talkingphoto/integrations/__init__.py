"""The outside world, one file a vendor; never inside a transaction."""
