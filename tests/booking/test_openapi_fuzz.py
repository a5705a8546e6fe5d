"""Whatever is sent to whichever route, the answer is one that the API's own description allows, and never a 5xx."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.booking.app import BLUEPRINT, Settings, create
from tests.booking.surgery import NOON
from tests.harness import County
from tests.issuer import bearer
from tests.serving import served

CHECKS: Sequence[Any] = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
BOUNDED = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def described(address: str) -> Sequence[APIOperation]:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


def fuzz(address: str, token: str) -> list[str]:
    wrong = []
    with requests.Session() as session:
        session.headers.update(bearer(token))
        for operation in described(address):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

                @BOUNDED
                @given(case=operation.as_strategy(generation_mode=mode))
                def answers(case: Case) -> None:
                    case.call_and_validate(session=session, headers=bearer(token), checks=list(CHECKS))

                try:
                    answers()
                except BaseException as e:
                    each = getattr(e, "exceptions", [e])
                    wrong.append(f"{operation.label} {mode}: " + " | ".join(str(x)[:300].replace("\n", " ") for x in each))
    return wrong


async def test_booking(county: County) -> None:
    county.clock_at(NOON)
    async with served(create, await county.settings(BLUEPRINT, Settings)) as address:
        wrong = await asyncio.to_thread(fuzz, address, county.operator_token())
    print("\n\n".join(wrong))
