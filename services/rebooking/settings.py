"""What rebooking is told from outside."""

from pathlib import Path
from typing import ClassVar

from services.rebooking.rules import Rules, read_rules
from shared.refusals import Refusal
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """`REBOOKING_RULES_FILE` names a TOML file with the rules of planning; without it the defaults hold."""

    service: ClassVar[str] = "rebooking"

    rules_file: Path | None = None

    def rules(self) -> Rules:
        """The rules of planning. Raises `Refusal` if the file cannot be read or makes no sense."""
        if self.rules_file is None:
            return Rules()
        try:
            return read_rules(self.rules_file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as unreadable:
            raise Refusal(f"The rules cannot be read from {self.rules_file}: {unreadable}", code="bad-rules") from None
