"""The back office: for people who work here; for all others there is nothing at its address."""
