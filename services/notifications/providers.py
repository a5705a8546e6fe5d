"""The providers that the settings name, each with connections of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import assert_never

import aiohttp

from services.notifications.gateways import Gateway, Provider
from services.notifications.notify_gateway import NotifyGateway
from services.notifications.settings import NotificationsSettings
from services.notifications.twilio_gateway import TwilioGateway

IDLE_AT_MOST = 3.0
"""Seconds; shorter than any server's patience."""
AT_ONCE = 2
"""For each message that is sent, one may be looked for meanwhile: none waits for another's connection."""


@asynccontextmanager
async def open_gateways(settings: NotificationsSettings) -> AsyncIterator[Sequence[Gateway]]:
    """The gateways that the settings name, the preferred one first, until the block ends."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_open(provider, settings)) for provider in settings.providers]


@asynccontextmanager
async def _open(provider: Provider, settings: NotificationsSettings) -> AsyncIterator[Gateway]:
    patience = aiohttp.ClientTimeout(connect=settings.gateway_timeout, sock_read=settings.gateway_timeout)
    match provider:
        case "notify":
            async with aiohttp.ClientSession(
                settings.provider_url, connector=connector(AT_ONCE * settings.concurrency), timeout=patience
            ) as session:
                key = settings.gateway_key.get_secret_value()
                yield NotifyGateway(session, key=key, template=settings.gateway_template)
        case "twilio":
            account, token = settings.twilio_account, settings.twilio_token.get_secret_value()
            async with aiohttp.ClientSession(
                settings.twilio_api,
                connector=connector(AT_ONCE * settings.concurrency),
                timeout=patience,
                headers={"Authorization": aiohttp.encode_basic_auth(account, token)},
            ) as session:
                yield TwilioGateway(
                    session, account=account, sender=settings.twilio_sender, reached_at=settings.reached_at
                )
        case _:
            assert_never(provider)


def connector(at_once: int) -> aiohttp.TCPConnector:
    """As many connections as there may be requests at once, each given up before the server might cut it."""
    return aiohttp.TCPConnector(limit=at_once, keepalive_timeout=IDLE_AT_MOST)
