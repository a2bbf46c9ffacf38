"""What every command shares: the app they register with, the consoles, and common arguments and options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from prismae.errors import unknown_name

app = typer.Typer(
    help="Split data into its factors of variation.", no_args_is_help=True, pretty_exceptions_enable=False
)
out = Console()
err = Console(stderr=True)

DEVICES = ("auto", "cpu", "cuda", "mps")


def _known_device(name: str) -> str:
    if name not in DEVICES:
        raise unknown_name("device", name, DEVICES)
    return name


RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as `prismae fit` prints it.")]
PlanPath = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan: a .yaml or .py file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
CheckpointEvery = Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")]
Device = Annotated[str, typer.Option(callback=_known_device, help="auto, cpu, cuda or mps.")]
Profile = Annotated[str | None, typer.Option(help="Which of the plan's profiles; the first by default.")]
Runs = Annotated[Path, typer.Option("--out", help="Where run folders are kept.")]


def print_left_out(console: Console, skipped: Mapping[str, str]) -> None:
    """Print which scores are missing and why, those that lack the same in one line; `skipped` is score → reason."""
    reasons: dict[str, list[str]] = {}
    for score, reason in skipped.items():
        reasons.setdefault(reason, []).append(score)
    for reason, scores in reasons.items():
        were = "was" if len(scores) == 1 else "were"
        console.print(
            f"{', '.join(scores)} {were} left out: {reason}", highlight=False, markup=False, soft_wrap=True
        )
