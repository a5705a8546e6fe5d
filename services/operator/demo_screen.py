"""What the demo shows while it works: one bar for each stage, with what it came to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Stage:
    """One bar. `seconds` is how long the stage took, or has taken so far."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._began = time.monotonic()
        self._ended: float | None = None

    @property
    def seconds(self) -> float:
        return (self._ended or time.monotonic()) - self._began

    def reached(self, done: float, of: float | None = None) -> None:
        """So much is done, and of how much, if that is news."""
        self._progress.update(self._task, completed=done, total=of)

    def advance(self, by: float = 1) -> None:
        self._progress.advance(self._task, by)

    def says(self, what: str) -> None:
        """A few words after the bar."""
        self._progress.update(self._task, words=what)

    def end(self) -> None:
        self._ended = time.monotonic()
        task = self._progress.tasks[self._task]
        whole = task.total or task.completed or 1
        self._progress.update(self._task, completed=whole, total=whole)
        self._progress.stop_task(self._task)


class Screen:
    """A console with the bars of all stages so far at its foot; a plain list of them where nobody looks on."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[words]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    @contextmanager
    def stage(self, name: str, of: float | None = None) -> Iterator[Stage]:
        """A stage that has no known length pulses until it has."""
        stage = Stage(self._progress, self._progress.add_task(name, total=of, words=""))
        yield stage
        stage.end()
        if not self.console.is_terminal:
            self.says(f"{name}: {stage.seconds:.1f} s")

    def says(self, what: str) -> None:
        self.console.print(what, highlight=False, soft_wrap=True)
