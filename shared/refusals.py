"""How Daybook says no.

    Refusal            a rule was broken, or the input makes no sense; nothing was stored
    ├── NotFound       the thing named does not exist here
    ├── Conflict       it exists, but the world has moved on (the slot has gone, the plan is stale)
    └── Unavailable    it cannot be done now and can be tried again later

They know nothing of HTTP; each edge has one table that does.
"""


class Refusal(Exception):
    """A rule was broken. `message` is a sentence for the person who asked; `where` names the field, line or element.

    `code` is a short kebab-case name for programs (`slot-taken`, `practice-frozen`). `command` is the place, from 0,
    of the command that was refused among several that were to be executed together.
    """

    def __init__(self, message: str, *, code: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.where = where
        self.command: int | None = None


class NotFound(Refusal):
    """The thing named does not exist here."""


class Conflict(Refusal):
    """It exists, but the world has moved on."""


class Unavailable(Refusal):
    """It cannot be done now; the same request may succeed later."""
