"""What rebooking is told from outside."""

from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from services.rebooking.rules import Rules
from services.rebooking.rules_file import read_rules
from shared.refusals import Refusal
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """`REBOOKING_RULES_FILE` names a TOML file with the rules of planning; without it the defaults hold."""

    service: ClassVar[str] = "rebooking"

    rules_file: Path | None = None
    follow_up_seconds: float = Field(default=5.0, gt=0)
    """How often it is seen to what has fallen due: plans and answers out of time, and patients who still wait."""

    def rules(self) -> Rules:
        """The rules of planning, as they were when first asked for. Raises `Refusal` if they cannot be read."""
        return self._rules

    @cached_property
    def _rules(self) -> Rules:
        if self.rules_file is None:
            return Rules()
        try:
            return read_rules(self.rules_file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as unreadable:
            raise Refusal(f"The rules cannot be read from {self.rules_file}: {unreadable}", code="bad-rules") from None


def own_settings(settings: ServiceSettings) -> Settings:
    """The settings of a running rebooking as what they are."""
    if not isinstance(settings, Settings):
        raise TypeError("rebooking was started with another service's settings")
    return settings
