"""Where the figures go: onto the screen, and into a file if one was named."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Report:
    """What a run has to say. `says` is for whoever waits; `writes` is for the report too."""

    file: Path | None = None
    _written: list[str] = field(default_factory=list)

    def says(self, text: str) -> None:
        """Something that will not matter tomorrow."""
        print(text, flush=True)  # noqa: T201

    def writes(self, text: str) -> None:
        """Something that will."""
        self.says(f"\n{text}")
        self._written.append(text)
        if self.file:
            self.file.write_text("\n\n".join(self._written) + "\n")
