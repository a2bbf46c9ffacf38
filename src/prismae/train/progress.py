"""The progress bar of a training, with the terms in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rich.progress import TaskID

from prismae._progress import Bar, Screen, bars

LOG = logging.getLogger("prismae")
SHOWN = 6  # terms beside the bar; vectors and weights are left to the history
LINES = 10  # of a training whose output is no terminal, such as a log file, where a bar cannot move


class Progress(Bar):
    """Steps done, time left, and the newest terms, on stdout; silent unless `enabled`.

    Some of it also goes to the logger "prismae", enabled or not.
    """

    def __init__(self, steps: int, *, done: int = 0, enabled: bool = True) -> None:
        self.bars = bars(left=True, console=Screen(), disable=not enabled)
        self.task = self.bars.add_task("training", total=steps, completed=done, note="")
        self.done = done
        self.warming: TaskID | None = None
        console = self.bars.console
        self.lines = enabled and not (console.is_terminal or console.is_jupyter)
        self.steps, self.next_line = steps, done + steps / LINES

    def warm_up(self, done: int, total: int) -> None:
        """Show critic updates before the first step: a bar of their own, with the time that they still take."""
        if self.warming is None:
            self.bars.update(self.task, visible=False)
            self.warming = self.bars.add_task("critic warm-up", total=total, note="before the training")
        self.bars.update(self.warming, completed=done)
        if done == total:
            self.bars.remove_task(self.warming)
            self.bars.reset(self.task, completed=self.done, visible=True)  # whose time counts from here

    def update(self, step: int, terms: Mapping[str, float]) -> None:
        """Show the step and its terms."""
        shown = [
            f"{name} {value:.4g}" for name, value in terms.items() if "[" not in name and ":" not in name
        ]
        text = "  ".join(shown[:SHOWN])
        self.bars.update(self.task, completed=step, note=text)
        if step >= self.next_line:
            line = f"step {step} of {self.steps}  {text}"
            LOG.info(line)
            if self.lines:
                self.bars.console.print(line, highlight=False, soft_wrap=True)
            self.next_line = step + self.steps / LINES
