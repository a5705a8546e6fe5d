"""The published language: every event a service records, and all that one service may know of another.

Events are kept for ever. Add fields with defaults; never rename, retype or reuse one. A changed meaning is a new
event type with an upcaster.
"""
