"""Rebooking: outages, and each practice's way back from them.

Streams `outage/<id>` and `recovery/<outage>/<ods>`. It follows booking for the diaries and notifications for answers.
"""
