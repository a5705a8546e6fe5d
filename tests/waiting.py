"""How long a test waits for what must come."""

DEADLINE = 90.0
"""Seconds, far more than it takes: the machine may be busy with other things. Nothing waits longer than it must."""
