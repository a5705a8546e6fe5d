"""Whether the two do the same work: the same answers to the same questions, but for what each makes up itself."""

import json
from typing import Any

import httpx

from benchmarks.stand import App, Stand

_OWN = frozenset({"id", "meta", "created"})
"""Elements of an Appointment that each app fills in as it books."""


async def alike_in_searching(stand: Stand, path: str) -> list[str]:
    """What is wrong, if the two do not find the same."""
    found = [await _asked(stand, app, "GET", path) for app in _both(stand)]
    return [] if found[0] == found[1] else [f"The two answer a search differently: {path}"]


async def alike_in_booking(stand: Stand, wish: dict[str, Any]) -> list[str]:
    """What is wrong, if the two do not book the same, or do not refuse to book it again."""
    faults = []
    first = [await _asked(stand, app, "POST", "/fhir/R4/Appointment", wish) for app in _both(stand)]
    again = [await _asked(stand, app, "POST", "/fhir/R4/Appointment", wish) for app in _both(stand)]
    if [status for status, _ in (*first, *again)] != [201, 201, 409, 409]:
        faults.append(f"Booked, and booked again, the two answer {[status for status, _ in (*first, *again)]}")
    booked = [{name: value for name, value in body.items() if name not in _OWN} for _, body in first]
    if booked[0] != booked[1]:
        differing = sorted(name for name in booked[0].keys() | booked[1] if booked[0].get(name) != booked[1].get(name))
        faults.append(f"The Appointments they answer differ in {', '.join(differing)}")
    return faults


def _both(stand: Stand) -> tuple[App, App]:
    return stand.daybook, stand.peer


async def _asked(
    stand: Stand, app: App, method: str, path: str, body: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and body, without the app's own address in it."""
    base = f"http://127.0.0.1:{app.port}"
    headers = {"Authorization": f"Bearer {stand.token()}", "Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as client:
        response = await client.request(method, path, headers=headers, content=json.dumps(body) if body else None)
    return response.status_code, json.loads(response.text.replace(base, ""))
