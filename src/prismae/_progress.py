"""The one progress bar: parts done, the time it took, and a note of what is done now."""

from __future__ import annotations

from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column


def bars(*, left: bool = False, **look: Any) -> Progress:
    """Bars whose tasks have a field ``note``; with the time that is `left` if asked for. `look` goes to rich.

    In a narrow terminal the note is cut, and never a number before it.
    """
    whole: dict[str, Any] = {"table_column": Column(no_wrap=True)}
    columns = [
        TextColumn("{task.description}", markup=False, **whole),
        BarColumn(bar_width=12),
        MofNCompleteColumn(**whole),
        TimeElapsedColumn(**whole),
        *([TimeRemainingColumn(**whole)] if left else []),
    ]
    rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    return Progress(
        *columns, TextColumn("{task.fields[note]}", markup=False, table_column=rest), expand=True, **look
    )


class Bar:
    """One bar on stderr; silent unless `enabled`, and gone from the screen when it ends."""

    def __init__(self, what: str, total: int, *, enabled: bool) -> None:
        self.bars = bars(console=Console(stderr=True), disable=not enabled, transient=True)
        self.task = self.bars.add_task(what, total=total, note="")

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def show(self, now: str) -> None:
        """Say what is done now."""
        self.bars.update(self.task, note=now)

    def advance(self, parts: int = 1) -> None:
        """So many parts more are done."""
        self.bars.advance(self.task, parts)
