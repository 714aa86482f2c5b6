"""The history of the schema, linear: each file is one step, never edited once it has run."""
