"""Who asks, and what they may do: the claims of a token, and the SMART scopes in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.refusals import NotFound, Refusal

OPERATE = "daybook/operate"
"""The scope of those who run Daybook for a county: every practice, and what belongs to no single one."""

Action = Literal["c", "r", "u", "d", "s"]
"""Create, read (history too), update, delete, search: the letters of SMART v2."""

_SCOPE = re.compile(r"system/(?P<resource>[A-Za-z]+|\*)\.(?P<actions>c?r?u?d?s?|read|write|\*)")
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}


class Forbidden(Refusal):
    """The caller is known, and may not do this."""


class TokenRefused(Refusal):
    """The caller is not known: it showed no token, or one that does not count. The message never quotes it."""

    def __init__(self, message: str, *, code: str = "bad-token") -> None:
        super().__init__(message, code=code, where="Authorization")


class TooMany(Refusal):
    """The client has asked too often, and may ask again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"This client has sent too many requests; it may send the next in {retry_after} s", code="too-many-requests"
        )
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that showed a good token. `organisation` is an ODS code (a practice's own, or another's).

    `scopes` are those of the token, as SMART writes them (`system/Appointment.cruds`).
    """

    client: str
    organisation: str
    organisation_type: str = ""
    scopes: frozenset[str] = frozenset()

    @property
    def operates(self) -> bool:
        """Whether this is an operator, who may see to every practice."""
        return OPERATE in self.scopes

    def may(self, resource: str, action: Action) -> bool:
        """Whether any scope allows this (SMART App Launch 2.0, scopes for FHIR resources; its v1 words too)."""
        return any(_allows(scope, resource, action) for scope in self.scopes)

    def require(self, resource: str, action: Action) -> None:
        """Raises `Forbidden` unless `may`; an operator needs no scope but its own."""
        if not (self.operates or self.may(resource, action)):
            raise Forbidden(
                f"The token has no scope that allows this: it needs system/{resource}.{action}",
                code="missing-scope",
                where="Authorization",
            )

    def require_operator(self) -> None:
        """Raises `Forbidden` unless the caller operates Daybook."""
        if not self.operates:
            raise Forbidden(
                f"This is for operators: it needs the scope {OPERATE}", code="missing-scope", where="Authorization"
            )

    def belongs_to(self, practice: str) -> bool:
        """Whether this practice is the caller's own, or the caller operates."""
        return self.operates or (self.organisation == practice != "")

    def require_practice(self, practice: str) -> None:
        """Raises what an unknown practice raises, unless `belongs_to`: a stranger learns nothing."""
        if not self.belongs_to(practice):
            raise NotFound("No such practice is registered here", code="unknown-practice", where="practice")


def scopes_of(text: str) -> frozenset[str]:
    """The scopes of a token's `scope` claim."""
    return frozenset(text.split())


def is_scope(text: str) -> bool:
    """Whether this is one scope that means something here."""
    found = _SCOPE.fullmatch(text)
    return text == OPERATE or bool(found and found["actions"])


def _allows(scope: str, resource: str, action: Action) -> bool:
    found = _SCOPE.fullmatch(scope)
    if found is None or found["resource"] not in (resource, "*"):
        return False
    actions = found["actions"]
    return action in _V1.get(actions, actions)


def scope_words(resources: Iterable[str], actions: str) -> str:
    """Scopes for a token: `scope_words(["Slot"], "rs")` is `system/Slot.rs`."""
    return " ".join(f"system/{resource}.{actions}" for resource in resources)
