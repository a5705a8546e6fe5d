"""Patients answer their messages: most of those who do keep the new time, some want another, some call it off."""

from collections.abc import Mapping

from services.operator.demo_report import Replies
from services.operator.demo_services import Place

_OF_A_THOUSAND: Mapping[str, int] = {"keep": 60, "another_time": 25, "cancel": 15}
_TOGETHER = 100


async def patients_answer(place: Place, outage: str) -> Replies:
    """A tenth of those who were texted answer through the sandbox; returns how many did, and what."""
    told = (await place.get("notifications", f"/v1/outages/{outage}/messages"))["delivered"]
    wanted = {answer: _share(told, share) for answer, share in _OF_A_THOUSAND.items()}
    answered = dict.fromkeys(wanted, 0)
    with place.screen.stage("Patients answer", of=sum(wanted.values())) as stage:
        for answer, number in wanted.items():
            for start in range(0, number, _TOGETHER):
                batch = {answer: min(_TOGETHER, number - start)}
                answered[answer] += (await place.post("sandbox", "/sandbox/answers", batch))[answer]
                stage.reached(sum(answered.values()))
    return Replies(**answered)


def _share(told: int, of_a_thousand: int) -> int:
    """At least one, where anyone was told at all."""
    return max(1, told * of_a_thousand // 1_000) if told else 0
