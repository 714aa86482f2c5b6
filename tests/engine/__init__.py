"""The embedded engine: its parts by themselves, and the video it makes."""
