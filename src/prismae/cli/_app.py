"""What every command shares: the app they register with, the consoles, and common arguments and options."""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from prismae._progress import Screen
from prismae._text import together
from prismae._version import __version__
from prismae.cli._help import Worded, filled
from prismae.errors import InputError, of_file, unknown_name

# command → its module in prismae.cli, its group and what it does, so that help and completion import none of them
COMMANDS = {
    "fit": (
        "fit",
        "Runs",
        "Train METHOD on WORLD into a run folder; the same command goes on where an interrupted one stopped.",
    ),
    "discover": (
        "discover",
        "Runs",
        "Find what varies in DATA, without labels: train candidates under a time budget, and write one page.",
    ),
    "evaluate": (
        "evaluate",
        "Runs",
        "Score a finished run, with ceiling and chance level beside each score.",
    ),
    "report": (
        "report",
        "Runs",
        "Write report.html of a finished run: one file to open in a browser, without a network.",
    ),
    "picture": (
        "picture",
        "Runs",
        "Draw one picture of a finished run; what the run folder lacks for it is computed and kept there.",
    ),
    "export": (
        "export",
        "Runs",
        "Write a finished run for other programs; each network is checked against PyTorch on real observations.",
    ),
    "sample": (
        "sample",
        "Texts",
        "Write sentences for codes that are drawn from the prior, by a run on texts.",
    ),
    "interpolate": (
        "sample",
        "Texts",
        "Write the likeliest sentences on the line between the codes of two, by a run on texts.",
    ),
    "study": (
        "study",
        "Studies",
        "Compute the jobs of PLAN that are not done; the same command goes on where an interrupted one stopped.",
    ),
    "table": (
        "table",
        "Studies",
        "Print the table of PLAN: mean ± deviation over seeds, tests, and the published numbers beside.",
    ),
    "plot": (
        "plot",
        "Studies",
        "Draw the scores of PLAN: one HTML page with tables and figures, and each figure as a file.",
    ),
    "select": ("select", "Studies", "Rank the settings of PLAN, the best first."),
    "rows": (
        "rows",
        "Studies",
        "Bring files of rows together; a run that is in several of them counts once.",
    ),
    "list": (
        "listing",
        "What there is",
        "List methods, metrics, worlds, controllers, networks, likelihoods, views or trackers.",
    ),
}

OWN_DATA = (
    "a table (.csv, .tsv, .tab, also packed as .gz, .bz2, .xz or .zip, .parquet, .pq, .feather, .arrow, .xlsx, "
    ".xlsm), arrays (.npy, .npz, .h5, .hdf5, .h5ad, .mat, .zarr), texts (.txt, .txt.gz), sound (.wav), a folder of "
    "images or of recordings"
)  # as help says it; `prismae.data.formats` knows it, and needs PyTorch
PANELS = ("Data", "Model", "Training", "Output")  # of help, in this order

_EMPTY = re.compile(r"--[\w-]+=\s*")
_MAY_BE_EMPTY = ("--missing",)  # options of which an empty text says something


class Command(Worded, TyperCommand):
    """A command whose module is imported."""


class Commands(Worded, TyperGroup):
    """The commands of `COMMANDS`: a command's module is imported when the command is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What help and completion need of a command: its name, group and line."""
        if cmd_name not in COMMANDS:
            return None
        _, group, line = COMMANDS[cmd_name]
        return TyperCommand(cmd_name, help=line, rich_help_panel=group)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        for before, word in pairwise([str(name), *rest]):
            if word.strip() and not _EMPTY.fullmatch(word):
                continue
            if ((option := word.strip("= ")) or before) not in _MAY_BE_EMPTY:
                # else a path of no name would be the folder one is in
                place = option or f"After {before!r}"
                raise InputError(f"{place}: expected a value, got an empty text.")
        return name, command and loaded(str(command.name)), rest


def loaded(name: str) -> Any:
    """The command of that name, from its module."""
    import_module(f"prismae.cli.{COMMANDS[name][0]}")  # registers with `app`
    info = next(each for each in app.registered_commands if each.name == name)
    info.cls = Command
    looks: Any = {"pretty_exceptions_short": True, "rich_markup_mode": "rich"}
    command = get_command_from_info(info, **looks)
    panels = {panel: place for place, panel in enumerate(PANELS)}
    command.params.sort(key=lambda each: panels.get(getattr(each, "rich_help_panel", None) or "", -1))
    command.params += get_command_from_info(CommandInfo(callback=_common_options), **looks).params
    return command


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\n\n".join(["Examples:", *lines])


app = typer.Typer(
    cls=Commands,
    help="Split data into its factors of variation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
LOG = logging.getLogger("prismae")  # which also hears of a training's steps


class Speaker(Screen):
    """A console that prints texts as they are (brackets and colons in paths are no markup), to the log as well."""

    def __init__(self, **look: Any) -> None:
        super().__init__(markup=False, emoji=False, **look)

    def print(self, *objects: Any, **look: Any) -> None:
        with of_file("standard error" if self.stderr else "standard output"):
            super().print(*objects, **look)
        if LOG.isEnabledFor(logging.INFO):
            page = Screen(file=io.StringIO(), width=120, markup=False, emoji=False)
            page.print(*objects, **look)
            LOG.info(page.file.getvalue().rstrip())  # type: ignore[attr-defined]


answers = Speaker()  # what a command is asked for
out = Speaker()  # what it says along the way: silent with -q
err = Speaker(stderr=True)


def writable(
    folder: Path, what: str = "run folders would be kept: --out FOLDER keeps them elsewhere"
) -> None:
    """Refuse before anything is computed a folder in which, or in place of which, nothing can be written.

    Raises
    ------
    InputError
        With what would be there, and what puts it elsewhere.
    """
    there = next(each for each in (folder, *folder.absolute().parents) if os.path.lexists(each))
    if not os.path.isdir(there):
        raise InputError(f"{there} is no folder, where {what}.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"Nothing can be written in {there}, where {what}.")


def tell(console: Console, text: str, **look: Any) -> None:
    """Print sentences: a terminal's lines end between words, and never within a path; elsewhere all is one line."""
    if console.is_terminal:
        text = "\n".join(filled(line, console.width) for line in together(text).split("\n"))
    console.print(text, highlight=False, soft_wrap=True, **look)


def where(what: str, path: Path | str) -> None:
    """Say where a result lies; with -q its path alone."""
    written(f"{what}: {path}", path)


def written(said: str, path: Path | str) -> None:
    """Say a sentence on a result; with -q its path alone."""
    out.print(said, highlight=False, soft_wrap=True)
    if out.quiet:
        print(path)


def _quiet(value: bool) -> None:
    out.quiet = value


def _logged(path: Path | None) -> None:
    if path is not None:
        if path.is_file() and path.stat().st_size:
            with open(path, "rb") as file:
                if not re.match(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", file.read(21)):
                    raise InputError(
                        f"--log-file {path}: it is no log, so nothing is added to it: expected one or a new name."
                    )
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)


def end_log() -> None:
    """Close the file of ``--log-file``, if there is one."""
    for handler in LOG.handlers[:]:
        if isinstance(handler, logging.FileHandler):
            LOG.removeHandler(handler)
            handler.close()
            LOG.setLevel(logging.NOTSET)


def _common_options(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            callback=_quiet,
            expose_value=False,
            help="Print warnings, errors and where results lie.",
        ),
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(
            callback=_logged,
            expose_value=False,
            metavar="FILE",
            help="Also add what is said to this file, with the time.",
        ),
    ] = None,
) -> None:
    """The options that all commands have."""


DEVICES = ("auto", "cpu", "cuda", "mps")


def _known_device(name: str) -> str:
    if name not in DEVICES:
        raise unknown_name("device", name, DEVICES)
    return name


def completed(kind: str) -> Callable[[str], list[tuple[str, str]]]:
    """Completion of names of one kind, with their descriptions: see `prismae._catalogue`."""

    def names(incomplete: str) -> list[tuple[str, str]]:
        from prismae._catalogue import catalogue  # here: only completion needs it

        return [pair for pair in catalogue(kind).items() if pair[0].startswith(incomplete)]

    return names


def completed_runs(incomplete: str) -> list[str]:
    """Completion of run folders: those that hold a run, and folders that may hold some."""
    start = Path(incomplete)
    parent = start if incomplete.endswith("/") or not incomplete else start.parent
    begins = "" if parent == start else start.name
    try:
        folders = [each for each in parent.iterdir() if each.is_dir() and each.name.startswith(begins)]
    except OSError:
        return []
    runs = [str(each) for each in folders if (each / "job.json").exists()]
    inside = [f"{each}/" for each in folders if str(each) not in runs and any(each.glob("*/job.json"))]
    return sorted(runs) + sorted(inside)


def run_folder(path: Path | None) -> Path | None:
    """The run that is meant: a folder as it is, or the one run whose folder's name begins so, here or in runs/."""
    if path is None or path.exists():
        return path
    parents = {path.parent, Path("runs") / path.parent}  # one and the same where the path is absolute
    inside = (each for parent in parents if parent.is_dir() for each in sorted(parent.iterdir()))
    found = [each for each in inside if each.name.startswith(path.name) and (each / "job.json").exists()]
    if len(found) > 1:
        raise InputError(f"{str(path)!r} begins the names of several runs: {', '.join(map(str, found))}.")
    return found[0] if found else path


RUN: dict[str, Any] = {
    "metavar": "RUN",
    "help": "A run folder, as `prismae fit` prints it, or the beginning of the name of one in runs/.",
    "autocompletion": completed_runs,
    "callback": run_folder,
}
RunPath = Annotated[Path, typer.Argument(**RUN)]
PlanPath = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan: a .yaml or .py file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
CheckpointEvery = Annotated[
    int,
    typer.Option(
        min=1, max=10**9, metavar="STEPS", help="Steps between checkpoints.", rich_help_panel="Training"
    ),
]
Device = Annotated[
    str, typer.Option(callback=_known_device, help="auto, cpu, cuda or mps.", rich_help_panel="Training")
]
Profile = Annotated[str | None, typer.Option(help="Which of the plan's profiles; the first by default.")]
Runs = Annotated[
    Path,
    typer.Option("--out", metavar="FOLDER", help="Where run folders are kept.", rich_help_panel="Output"),
]
Track = Annotated[
    str | None,
    typer.Option(
        metavar="TRACKER",
        autocompletion=completed("trackers"),
        help="Send terms, weights, scores and pictures to tensorboard or mlflow as they come.",
        rich_help_panel="Output",
    ),
]


PictureDpi = Annotated[int, typer.Option("--dpi", min=20, max=1200, help="Pixels an inch of a .png file.")]
PictureWidth = Annotated[
    float | None,
    typer.Option("--width", min=2, max=40, help="Width in inches; by default that of a report's page, 9."),
]


def print_left_out(console: Console, skipped: Mapping[str, str]) -> None:
    """Print which scores are missing and why, those that lack the same in one line; `skipped` is score → reason."""
    reasons: dict[str, list[str]] = {}
    for score, reason in skipped.items():
        reasons.setdefault(reason, []).append(score)
    for reason, scores in reasons.items():
        were = "was" if len(scores) == 1 else "were"
        tell(console, f"{', '.join(scores)} {were} left out: {reason}")


def _version(value: bool) -> None:
    if value:
        answers.print(f"prismae {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
