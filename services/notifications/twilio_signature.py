"""Whether a callback is Twilio's: signed with our account's token over the address it was sent to and every field."""

from collections.abc import Mapping

from fastapi import Request
from twilio.request_validator import RequestValidator

from services.notifications.settings import NotificationsSettings


def is_signed(request: Request, form: Mapping[str, str], settings: NotificationsSettings) -> bool:
    """By the address under which Twilio knows us: the one that has come through a proxy may be another."""
    path, query = request.scope["raw_path"].decode("latin-1"), request.url.query
    address = f"{settings.reached_at}{path}{f'?{query}' if query else ''}"
    shown = request.headers.get("x-twilio-signature", "")
    return bool(RequestValidator(settings.twilio_token.get_secret_value()).validate(address, form, shown))
