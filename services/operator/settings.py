"""What the operator's programs are told from outside: where they keep their things, and where the services are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from sqlalchemy import make_url

from services.operator.bearer import OperatorBearer
from services.operator.continuity_nights import time_of_day
from services.operator.home import Home, home_of
from shared.clock import parse_instant
from shared.refusals import Refusal
from shared.settings import PORTS

HOST = "127.0.0.1"
SERVICES = ("booking", "rebooking", "notifications")
CONTINUITY_AT, NEVER = "20:00", "never"
NATS_PORT, POSTGRES_PORT = 22, 32
"""Counted from the port base, like `shared.settings.PORTS`."""


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """`DAYBOOK_…`; and, where the services are elsewhere, `OPERATOR_BOOKING_URL` and so on."""

    home: Home
    port_base: int
    now: datetime | None
    urls: Mapping[str, str]
    """Where each service, the sandbox and the console (`operator`) answer."""
    given: Mapping[str, str] = field(repr=False)
    """The environment, for the processes started from here to hear too."""
    bearer: OperatorBearer = field(repr=False, compare=False)
    """Shows the services an operator's token."""
    continuity_at: str = CONTINUITY_AT
    """When `daybook up` has the continuity pack written, London time; `never` if it has not."""

    def auth(self, name: str) -> httpx.Auth:
        """What to show where this answers: a service wants a token; nobody else is given one."""
        return self.bearer if name in SERVICES else httpx.Auth()

    @property
    def own_database_server(self) -> bool:
        """Whether PostgreSQL is ours to run: nobody named another, for all services together or for each."""
        apart = all(self.given.get(f"{service.upper()}_DATABASE_URL") for service in SERVICES)
        return not (apart or self.given.get("DAYBOOK_DATABASE_URL"))

    @property
    def own_broker(self) -> bool:
        """Whether NATS is ours to run: nobody named another."""
        return not self.given.get("DAYBOOK_NATS_URL")

    def database_url(self, name: str = "postgres") -> str:
        """The URL of this database."""
        if own := self.given.get(f"{name.upper()}_DATABASE_URL"):
            return own
        if not self.given.get("DAYBOOK_DATABASE_URL"):
            password = self.home.secrets().postgres_password
            return f"postgresql://daybook:{password}@{HOST}:{self.port_base + POSTGRES_PORT}/{name}"
        server = make_url(self.given["DAYBOOK_DATABASE_URL"])
        return server.set(database=name).render_as_string(hide_password=False)

    def broker_url(self, user: str = "operator") -> str:
        """The URL of the broker, as this user reaches it."""
        if own := self.given.get(f"{user.upper()}_NATS_URL"):
            return own
        if self.own_broker:
            password = self.home.secrets().nats_passwords[user]
            return f"nats://{user}:{password}@{HOST}:{self.port_base + NATS_PORT}"
        return self.given["DAYBOOK_NATS_URL"]


def operator_settings(given: Mapping[str, str] = os.environ) -> OperatorSettings:
    """Read them. Addresses not given are those of the system running in the home, else those of the port base."""
    home = home_of(given)
    running = home.running()
    base = running.port_base if running else _port_base(given.get("DAYBOOK_PORT_BASE") or "8000")
    urls = {
        name: given.get(f"OPERATOR_{name.upper()}_URL") or f"http://{HOST}:{base + offset}"
        for name, offset in PORTS.items()
    }
    now = _instant(given.get("DAYBOOK_NOW", ""))
    return OperatorSettings(home, base, now, urls, given, OperatorBearer(home, given), _continuity_at(given))


def _port_base(text: str) -> int:
    if text.isdecimal() and 1024 <= int(text) <= 65000:
        return int(text)
    raise Refusal(
        f"DAYBOOK_PORT_BASE is “{text}”; it must be a number between 1024 and 65000",
        code="bad-settings",
        where="DAYBOOK_PORT_BASE",
    )


def _continuity_at(given: Mapping[str, str]) -> str:
    at = given.get("DAYBOOK_CONTINUITY_AT") or CONTINUITY_AT
    return at if at == NEVER else f"{time_of_day(at, 'DAYBOOK_CONTINUITY_AT'):%H:%M}"


def _instant(text: str) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except Refusal as refusal:
        raise Refusal(f"DAYBOOK_NOW: {refusal.message}", code="bad-settings", where="DAYBOOK_NOW") from None
