"""Booking as practice systems see it: the FHIR R4 API of the diary."""
