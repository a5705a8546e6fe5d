"""The parameters of any search, sorted: which are understood, under which name, and which are left aside."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from services.booking.fhir.resources import ODS_CODE
from services.booking.fhir.search_dates import bad_parameter
from shared.refusals import Refusal

MOST = 1000
USUAL = 100

Parameters = Sequence[tuple[str, str]]

_NOT_OF_THE_SEARCH = frozenset({"_format", "_pretty"})
"""They say how the answer is to be written."""
_FURTHEST = 1_000_000
_LONGEST_NAME = 64
_LONGEST_CODE = 12

PAGING = frozenset({"_count", "_offset", "_total"})
"""What every search takes; `_total` matters only to one that would not count everything."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """`known` go by Daybook's names; `sent` are the same as they were sent, for the self link.

    `ignored` are the names of those that Daybook does not search by.
    """

    known: Parameters
    sent: Parameters
    ignored: Sequence[str]

    def all(self, name: str) -> list[str]:
        """Every value of this parameter."""
        return [value for found, value in self.known if found == name]

    def one(self, name: str) -> str:
        """Its value, empty if it was not sent. Raises `Refusal` if it was sent more than once."""
        values = self.all(name)
        if len(values) > 1:
            raise bad_parameter(name, "give it once")
        return values[0] if values else ""

    def any_of(self, name: str) -> list[str]:
        """The values of a list with commas: any of them will do."""
        return [value for value in self.one(name).split(",") if value]

    def number(self, name: str, usual: int, most: int) -> int:
        """A whole number: `usual` if it was not sent, and no more than `most`."""
        text = self.one(name)
        if not text:
            return usual
        if not (text.isascii() and text.isdigit() and len(text) < 9):
            raise bad_parameter(name, "give a whole number")
        return min(int(text), most)

    @property
    def page(self) -> tuple[int, int]:
        """How many are wanted at once (none: only how many there are), and after how many others."""
        return self.number("_count", USUAL, MOST), self.number("_offset", 0, _FURTHEST)

    def links(self, address: str, *, following: bool) -> dict[str, str]:
        """The page itself and, where there are such, the one after and the one before."""
        count, offset = self.page
        links = {"self": _address(address, self.sent)}
        if following and count:
            links["next"] = self._page(address, offset + count)
        if offset and count:
            links["previous"] = self._page(address, max(0, offset - count))
        return links

    def _page(self, address: str, offset: int) -> str:
        others = [(name, value) for name, value in self.sent if name != "_offset"]
        return _address(address, [*others, ("_offset", str(offset))])


def sort_out(
    parameters: Parameters,
    known_as: Callable[[str], str | None],
    *,
    includes: Mapping[str, bool],
    strict: bool,
) -> Sorted:
    """`known_as` gives Daybook's name for a parameter, or None. Empty ones are as good as not sent.

    `includes` says of each `_include` whether it is served (True) or needs no mention, since what it would bring is in
    the resource already (False). Raises `Refusal` if `strict` and any is left aside.
    """
    known: list[tuple[str, str]] = []
    sent: list[tuple[str, str]] = []
    ignored: dict[str, None] = {}
    for name, value in parameters:
        if not value or name in _NOT_OF_THE_SEARCH:
            continue
        if "\0" in value:
            raise bad_parameter(_named(name), "it holds a character that is in no text")
        include = name.partition(":")[0] == "_include"
        ours = known_as(name)
        if include and includes.get(value) is False:
            continue
        if (name == "_include" and includes.get(value)) or (ours and not include):
            known.append((ours or name, value))
            sent.append((name, value))
        else:
            ignored[_named(name)] = None
    if ignored and strict:
        raise Refusal(
            f"Daybook does not search by {', '.join(ignored)}, and was asked to be strict (Prefer: handling=strict)",
            code="unknown-parameter",
            where=next(iter(ignored)),
        )
    return Sorted(known, sent, list(ignored))


def practice_code(value: str) -> str:
    """The ODS code in `A1`, `system|A1`, `HealthcareService/A1` or `Organization/A1`; "" for what cannot be one."""
    system, bar, text = value.rpartition("|")
    code = text.rpartition("/")[2]
    if bar and not is_system(system, ODS_CODE):
        return ""
    return code if code.isascii() and code.isalnum() and len(code) <= _LONGEST_CODE else ""


def is_system(sent: str, system: str) -> bool:
    """Whether it is that system, be it written with `/Id/` or, as some NHS guides do, with `/id/`."""
    return sent in (system, system.replace("/Id/", "/id/"))


def id_of(reference: str, kind: str) -> str:
    """The id in `Slot/1`, in `https://…/Slot/1` or in `1`."""
    before, slash, id = reference.rpartition("/")
    return id if not slash or before == kind or before.endswith(f"/{kind}") else ""


def _named(name: str) -> str:
    """The name as it can be said back: printable, and not endless."""
    return re.sub(r"[^\x21-\x7e]", "?", name)[:_LONGEST_NAME] or "?"


def _address(address: str, parameters: Parameters) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address
