"""The dashboard: what is in the sandbox, and the levers for its time and its failures."""
