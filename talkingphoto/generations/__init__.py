"""Videos as rows: asked for, queued, made, kept and forgotten."""
