"""The sandbox's own addresses, under /_sandbox: its clock, its laboratory, its faults."""
