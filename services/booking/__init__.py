"""Booking keeps every practice's diary: its sessions, their slots, and who has them.

It owns the streams `practice/<ods>` and `session/<id>`, and the FHIR R4 API over them.
"""
