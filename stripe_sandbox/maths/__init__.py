"""Pure arithmetic: integers of minor units in, integers out; nothing here knows the store."""
