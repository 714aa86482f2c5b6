"""A year in a minute: customers who do what customers do, at a sandbox whose clock is moved."""
