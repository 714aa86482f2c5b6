"""The table of served routes, as docs/SANDBOX.md prints it."""

from collections.abc import Iterable

from stripe_sandbox.api.routes import Route

# Families of Stripe's API that were left out on purpose, so that nobody looks for them.
NOT_SERVED = (
    ("accounts, account links, transfers, payouts, application fees (Connect)", "not"),
    ("issuing, treasury, terminal, capital, climate, identity, financial connections", "not"),
    ("quotes, plans, payment links, products' features, entitlements, meters, sources", "not"),
    ("reporting, sigma, files, reviews, radar value lists, tax registrations, v2", "not"),
)


def rows(routes: Iterable[Route]) -> list[str]:
    """One line a route in the order of their paths, then what is not served."""
    ordered = sorted(routes, key=lambda route: (route.path, route.method))
    lines = ["| route | state |", "|---|---|"]
    for route in ordered:
        state = f"partly: {route.partly}" if route.partly else "served"
        lines.append(f"| `{route.method} {route.path}` | {state} |")
    return [*lines, *(f"| {words} | {state} |" for words, state in NOT_SERVED)]
