"""Patients answer their messages: most of those who do keep the new time, some want another, some call it off."""

from services.operator.demo_report import Replies
from services.operator.demo_services import Place

_OF_A_THOUSAND = Replies(keep=60, another_time=25, cancel=15)


async def patients_answer(place: Place, outage: str) -> Replies:
    """A tenth of those who were texted answer through the sandbox; returns how many did, and what."""
    told = (await place.get("notifications", f"/v1/outages/{outage}/messages"))["delivered"]
    wanted = {
        "keep": _share(told, _OF_A_THOUSAND.keep),
        "another_time": _share(told, _OF_A_THOUSAND.another_time),
        "cancel": _share(told, _OF_A_THOUSAND.cancel),
    }
    with place.screen.stage("Patients answer", of=sum(wanted.values())) as stage:
        answered = await place.post("sandbox", "/sandbox/answers", wanted)
        stage.reached(sum(answered.values()), sum(wanted.values()))
    return Replies(**answered)


def _share(told: int, of_a_thousand: int) -> int:
    """At least one, where anyone was told at all."""
    return max(1, told * of_a_thousand // 1_000) if told else 0
