"""Which links a text to a patient may hold."""

import re
from urllib.parse import urlsplit

LINK = re.compile(
    r"(?:\w+://|www\.)\S+|\b(?:[a-z0-9-]+\.)+(?:com|net|org|uk|io|ly|gl|me|co|info|link|app)\b(?:/\S*)?", re.IGNORECASE
)
_AFTER_A_LINK = ".,;:!?)\"'"
LINK_RULE = "a link has to be whole, begin with https, be on nhs.uk or gov.uk, and hold no ? or #"


def is_allowed(link: str) -> bool:
    """Whether it leads to nhs.uk or gov.uk, in plain sight, and carries nothing there."""
    link = link.rstrip(_AFTER_A_LINK)
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    official = f".{host}".endswith((".nhs.uk", ".gov.uk"))
    plain = port is None and "@" not in parts.netloc and not set(link) & set("?#$")
    return parts.scheme == "https" and official and plain
