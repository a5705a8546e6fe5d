"""A lost Friday with patients who have names: practices with four appointments each, for the lists people work by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from httpx import Response

from shared.seal import PatientBlock
from tests.harness import County
from tests.issuer import bearer
from tests.rebooking.neighbours import FRIDAY, PEOPLE, WEDNESDAY, Surgery, booked, published, registered, slot, surgery

PRACTICES = ("A1", "B2", "C3", "D4", "E5", "F6")
MOBILE, LANDLINE = "+447700900123", "+441632960123"
BLOCKS = tuple(
    PatientBlock(nhs_number=number, given_name=given, family_name=family, birth_date="1958-03-31", mobile=mobile)
    for number, given, family, mobile in zip(
        PEOPLE, ("Ann", "Bob", "Cyd", "Dee"), ("Ash", "Birch", "Cedar", "<Oak>"), (MOBILE, LANDLINE, MOBILE, ""),
        strict=False,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """The county's Friday: at each practice Ann at nine, Bob at ten past, Cyd (that same day) and Dee after them."""

    clinic: Surgery
    outage: str

    async def ask(
        self, method: str, path: str, *, practice: str = "", scope: str = "system/*.cruds", **send: Any
    ) -> Response:
        """Ask as a practice's own system, or as an operator; then wait until all that follows has happened."""
        shown = bearer(self.clinic.county.token(practice, scope=scope)) if practice else {}
        answer = await self.clinic.http.request(method, path, headers=shown, **send)
        if method != "GET":
            await self.clinic.county.caught_up()
        return answer

    def at(self, practice: str, path: str) -> str:
        return f"/v1/outages/{self.outage}/practices/{practice}{path}"

    async def sheet(self, practice: str) -> dict[str, Any]:
        """The lines of the practice's sheet, by given name."""
        answer = await self.ask("GET", self.at(practice, "/appointments"), practice=practice)
        assert answer.status_code == 200, answer.text
        return {line["given_name"]: line for line in answer.json()["appointments"]}

    async def find(self, practice: str, *findings: dict[str, Any], **said: Any) -> Response:
        """The practice types in what became of its appointments."""
        path = self.at(practice, "/findings")
        return await self.ask("POST", path, practice=practice, json={"findings": list(findings), **said})


@asynccontextmanager
async def named(county: County, **settings: Any) -> AsyncIterator[Named]:
    """Rebooking on the Monday after, with the outage declared."""
    async with surgery(county, **settings) as clinic:
        numbers = {block.nhs_number: clinic.keys.pseudonym("patient", block.nhs_number) for block in BLOCKS}
        keys = await clinic.keys.ensure(numbers.values())
        await clinic.hears(clinic.booking, *registered(*PRACTICES))
        for practice in PRACTICES:
            starts = [FRIDAY + timedelta(minutes=10 * at) for at in range(5)]
            free = [slot(f"{practice} Wednesday {at}", WEDNESDAY + timedelta(minutes=10 * at)) for at in range(5)]
            await clinic.hears(
                clinic.booking,
                published(
                    f"{practice} Friday",
                    *(slot(f"{practice} slot {at}", start) for at, start in enumerate(starts)),
                    practice=practice,
                ),
                published(f"{practice} Wednesday", *free, practice=practice),
                *(
                    booked(
                        f"{practice} {block.given_name}",
                        f"{practice} Friday",
                        f"{practice} slot {at}",
                        starts[at],
                        numbers[block.nhs_number],
                        practice=practice,
                        booked_at=starts[at] - timedelta(minutes=30)
                        if block.given_name == "Cyd"
                        else FRIDAY - timedelta(days=5),
                        priority=2 if block.given_name == "Bob" else 0,
                        sealed=keys[numbers[block.nhs_number]].seal(block),
                        textable=block.mobile == MOBILE,
                    )
                    for at, block in enumerate(BLOCKS)
                ),
            )
        yield Named(clinic, await clinic.declared())
