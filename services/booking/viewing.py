"""Who looks at the diary, and what of it they see: a practice all of its own, others what is open to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.booking import keeping
from services.booking.commands import Asker, Standing
from services.booking.fhir.resources import ODS_CODE
from services.booking.fhir.search_params import is_system
from services.booking.session_views import SlotFacts
from shared.access import Caller

ORGANISATION_TYPES = (
    "https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1",
    "https://fhir.nhs.uk/STU3/ValueSet/GPConnect-OrganisationType-1",
    "https://fhir.nhs.uk/CodeSystem/GPConnect-OrganisationType-1",
)
"""The system of `searchFilter` that says what sort of organisation asks, as the guides have written it."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """An organisation, by its ODS code and type, where they are known; `all` for who operates Daybook."""

    organisation: str = ""
    organisation_type: str = ""
    all: bool = False

    def owns(self, practice: str) -> bool:
        """Whether everything of this practice is shown."""
        return self.all or self.organisation == practice != ""

    def standing(self, practice: str) -> Standing:
        """How it stands to the practice with this ODS code."""
        return "practice" if self.owns(practice) else keeping.standing_elsewhere(self.organisation_type)


def viewer_of(caller: Caller) -> Viewer:
    """The caller as its token describes it."""
    return Viewer(caller.organisation, caller.organisation_type, caller.operates)


def narrowed(viewer: Viewer, filters: Sequence[tuple[str, str]]) -> Viewer:
    """The viewer as if it were only what these filters (system, code) say: GP Connect's truth table.

    Nobody becomes by a filter what their token does not make them, except who sees everything anyway.
    """
    if not filters:
        return viewer
    codes = {code for system, code in filters if is_system(system, ODS_CODE)}
    types = {code for system, code in filters if system in ORGANISATION_TYPES}
    if viewer.all:
        return Viewer(min(codes, default=""), min(types, default=""))
    organisation = viewer.organisation if viewer.organisation in codes else ""
    return Viewer(organisation, viewer.organisation_type if viewer.organisation_type in types else "")


def known_filter(value: str) -> tuple[str, str] | None:
    """The system and code of a `searchFilter`, or None for a system that is not known: that is ignored."""
    system, _, code = value.partition("|")
    known = system in ORGANISATION_TYPES or is_system(system, ODS_CODE)
    return (system, code) if known and code else None


def sees_slot(viewer: Viewer, slot: SlotFacts, now: datetime) -> bool:
    """Whether the slot is there at all for this viewer; `openness` asks the same of many slots in SQL."""
    if viewer.owns(slot.practice):
        return True
    asker = Asker(viewer.standing(slot.practice), viewer.organisation, viewer.organisation_type)
    opening = slot.openings.effective
    return not slot.withdrawn and keeping.verdict(asker, slot.kept_for, slot.start, opening, now) == "available"
