"""Whatever is sent to whichever route, the answer is one that the API's own description allows, and never a 5xx.

schemathesis makes requests out of the description; damaged examples and searches of nonsense go where it does not
reach. The same requests every time: what a longer run finds gets a test of its own, at the lowest level.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
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

from services.booking import app as booking
from services.notifications import app as notifications
from services.rebooking import app as rebooking
from shared.gate import HEALTH
from tests.booking.paper import BOB, CSV, PRACTICES, diary_file, row
from tests.booking.surgery import FHIR, NOON
from tests.harness import County
from tests.house.test_routes import GATEWAY
from tests.issuer import bearer
from tests.serving import served

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
WITHOUT_INPUT = HEALTH | {f"{FHIR}/metadata"}


def bounded(examples: int) -> settings:
    """So many requests, always the same ones."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True, slots=True)
class Fuzz:
    """A running service, a client of it, and what there is to be named in a path."""

    address: str
    token: str
    known: Mapping[str, Sequence[str]]

    def try_everything(self, examples: int) -> None:
        """Every operation of the description, with so many requests that fit it, and as many that do not."""
        schema = schemathesis.openapi.from_url(f"{self.address}/openapi.json")
        with requests.Session() as session:
            for found in schema.get_all_operations():
                self._try(found.ok(), session, examples)

    def _try(self, operation: APIOperation[Any, Any, Any], session: requests.Session, examples: int) -> None:
        modes = [GenerationMode.POSITIVE] if operation.path in WITHOUT_INPUT else list(GenerationMode)
        for mode in modes:

            @bounded(examples)
            @given(st.data())
            def is_answered_as_described(data: st.DataObject, mode: GenerationMode = mode) -> None:
                case: Case = data.draw(operation.as_strategy(generation_mode=mode))
                for name in case.path_parameters.keys() & self.known.keys():
                    if data.draw(st.booleans()):
                        case.path_parameters[name] = data.draw(st.sampled_from(self.known[name]))
                case.call_and_validate(session=session, headers=bearer(self.token), checks=CHECKS)

            is_answered_as_described()
