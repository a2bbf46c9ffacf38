"""The progress bar of a training, with the terms in it."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

SHOWN = 6  # terms beside the bar; vectors and weights are left to the history


class Progress:
    """Steps done, time left, and the newest terms; silent unless `enabled`."""

    def __init__(self, steps: int, *, done: int = 0, enabled: bool = True) -> None:
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[terms]}"),
            disable=not enabled,
        )
        self.task = self.bars.add_task("training", total=steps, completed=done, terms="")

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def warm_up(self, done: int, total: int) -> None:
        """Show critic updates before the first step."""
        self.bars.update(self.task, terms=f"critic warm-up {done}/{total}")

    def update(self, step: int, terms: Mapping[str, float]) -> None:
        """Show the step and its terms."""
        shown = [
            f"{name} {value:.4g}" for name, value in terms.items() if "[" not in name and ":" not in name
        ]
        self.bars.update(self.task, completed=step, terms="  ".join(shown[:SHOWN]))
