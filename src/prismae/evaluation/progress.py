"""The progress bar of an evaluation: which score is being taken, and what of it."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Parts done, and what is done now; silent unless `enabled`, and gone from the screen when it ends."""

    def __init__(self, what: str, total: int, *, enabled: bool) -> None:
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}", markup=False),
            console=Console(stderr=True),
            disable=not enabled,
            transient=True,
        )
        self.task = self.bars.add_task(what, total=total, now="")

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def show(self, now: str) -> None:
        """Say what is done now."""
        self.bars.update(self.task, now=now)

    def advance(self, parts: int = 1) -> None:
        """So many parts more are done."""
        self.bars.advance(self.task, parts)
