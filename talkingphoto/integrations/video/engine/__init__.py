"""The embedded engine: from one portrait and a text to frames and sound, on the CPU, offline."""
