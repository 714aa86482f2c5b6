"""The HTTP surface: forms in, redirects out; no rule lives here."""
