"""The command line that talks to a running sandbox: its clock, its webhooks, its failures."""
