"""The protocol: authentication, forms, parameters, errors, lists, expansion and idempotency."""
