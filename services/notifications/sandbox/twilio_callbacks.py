"""Twilio's callbacks: forms, each signed over its whole address and all its fields."""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha1
from urllib.parse import urlencode

from services.notifications.sandbox.accounts import TwilioAccount
from services.notifications.sandbox.callbacks import Callback, end_of
from services.notifications.sandbox.opt_out import keyword
from services.notifications.sandbox.phones import Message, Reply
from services.notifications.sandbox.twilio_words import API_VERSION, ENDS, State
from services.notifications.segments import size

SENT = State("sent")
_PLACES = ("City", "State", "Zip")


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """`X-Twilio-Signature`: HMAC-SHA1 of the address and then every field, in order of their names, in base64."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()


class TwilioCallbacks:
    """Receipts go where each message asked for them; texts to `/v1/twilio/inbound` of the service."""

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account

    def receipts(self, message: Message) -> Sequence[Callback]:
        """That it was sent, unless it never was, and how it ended; nothing for who did not ask."""
        end = ENDS[end_of(message).status]
        states = [end] if end.status == "failed" else [SENT, end]
        return [self._receipt(message, state) for state in states if message.accepted.callback]

    def reordered(self, message: Message) -> Sequence[Callback]:
        return self.receipts(message)[::-1]

    def inbound(self, reply: Reply, id: str) -> Callback:
        """With blanks for what is unknown, as Twilio sends them: they are signed like the rest."""
        replied = reply.replied
        fields = {
            **{f"{end}{place}": "" for end in ("From", "To") for place in _PLACES},
            "FromCountry": "GB",
            "ToCountry": "GB",
            "MessageSid": id,
            "SmsSid": id,
            "SmsMessageSid": id,
            "SmsStatus": "received",
            "AccountSid": self._account.sid,
            "From": replied.phone,
            "To": self._account.number,
            "Body": replied.text,
            "NumSegments": str(size(replied.text).segments),
            "NumMedia": "0",
            "ApiVersion": API_VERSION,
        }
        word = keyword(replied.text)
        return self._post(
            f"{self._account.calls_back}/v1/twilio/inbound", fields | ({"OptOutType": word} if word else {})
        )

    def _receipt(self, message: Message, state: State) -> Callback:
        accepted = message.accepted
        fields = {
            "MessageSid": accepted.id,
            "MessageStatus": state.status,
            "SmsSid": accepted.id,
            "SmsStatus": state.status,
            "AccountSid": self._account.sid,
            "From": self._account.number,
            "To": accepted.phone,
            "ApiVersion": API_VERSION,
        }
        if accepted.messaging_service:
            fields["MessagingServiceSid"] = accepted.messaging_service
        if state.code:
            fields["ErrorCode"] = str(state.code)
        return self._post(accepted.callback, fields)

    def _post(self, url: str, fields: Mapping[str, str]) -> Callback:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature(self._account.token, url, fields),
        }
        return Callback(url, urlencode(fields).encode(), headers)
