"""The progress bar of a training, with the terms in it."""

from __future__ import annotations

from collections.abc import Mapping

from prismae._progress import Bar, bars

SHOWN = 6  # terms beside the bar; vectors and weights are left to the history
LINES = 10  # of a training whose output is no terminal, such as a log file, where a bar cannot move


class Progress(Bar):
    """Steps done, time left, and the newest terms, on stdout; silent unless `enabled`."""

    def __init__(self, steps: int, *, done: int = 0, enabled: bool = True) -> None:
        self.bars = bars(left=True, disable=not enabled)
        self.task = self.bars.add_task("training", total=steps, completed=done, note="")
        console = self.bars.console
        self.lines = enabled and not (console.is_terminal or console.is_jupyter)
        self.steps, self.next_line = steps, done + steps / LINES

    def warm_up(self, done: int, total: int) -> None:
        """Show critic updates before the first step."""
        self.show(f"critic warm-up {done}/{total}")

    def update(self, step: int, terms: Mapping[str, float]) -> None:
        """Show the step and its terms."""
        shown = [
            f"{name} {value:.4g}" for name, value in terms.items() if "[" not in name and ":" not in name
        ]
        text = "  ".join(shown[:SHOWN])
        self.bars.update(self.task, completed=step, note=text)
        if self.lines and step >= self.next_line:
            self.bars.console.print(f"step {step} of {self.steps}  {text}", highlight=False, soft_wrap=True)
            self.next_line = step + self.steps / LINES
