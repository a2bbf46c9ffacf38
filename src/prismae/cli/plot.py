"""``prismae plot``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae._better import Better
from prismae._files import write_file
from prismae._text import duration, one
from prismae.cli._app import (
    PictureDpi,
    PictureWidth,
    PlanPath,
    Profile,
    Runs,
    app,
    examples,
    where,
    writable,
)
from prismae.cli.table import RowsFiles, rows_of
from prismae.errors import unknown_name
from prismae.figures.canvas import DPI, SUFFIXES, as_file
from prismae.figures.studies import seed_bars, swept_curves
from prismae.report.study_page import Part, study_page
from prismae.studies.plan import Plan
from prismae.studies.search import with_trials
from prismae.studies.summary import Summary, direction, grouped, line_name, setting_columns, summarise
from prismae.studies.tables import sections, tables, tested


@app.command(
    "plot",
    epilog=examples(
        "prismae plot plan.yaml --to figures", "prismae plot plan.yaml --over beta --format pdf --width 7"
    ),
)
def plot(
    path: PlanPath,
    profile: Profile = None,
    over: Annotated[
        str | None, typer.Option(help="Draw scores over this grid's values instead of bars; or over arm.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--scores",
            metavar="NAME,…",
            help="Draw these alone, as yeats2023:mig, beside each other, and write no page.",
        ),
    ] = None,
    folder: Runs = Path("runs"),
    rows_files: RowsFiles = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where to write the page and the pictures; figures in --out by default."
        ),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="NAME,…", help="Pictures: png, svg or pdf, or several.")
    ] = "png",
    dpi: PictureDpi = DPI,
    width: PictureWidth = None,
) -> None:
    """Draw the scores of PLAN: one HTML page with tables and figures, and each figure as a file."""
    suffixes = [f".{name.strip()}" for name in formats.split(",")]
    for each in suffixes:
        if each not in SUFFIXES:
            raise unknown_name("format", each[1:], [suffix[1:] for suffix in SUFFIXES])
    plan = with_trials(Plan.load(path, profile), folder)
    frame = rows_of(plan, folder, rows_files)
    summary = summarise(plan, frame)
    to = folder / "figures" if to is None else to
    writable(to, "the page would lie: --to FOLDER writes it elsewhere")
    to.mkdir(parents=True, exist_ok=True)
    draw = partial(_bars, frame, summary) if over is None else partial(_curves, frame, summary, over=over)
    if only is not None:
        scores = [name.strip() for name in only.split(",")]
        for each in scores:
            if each not in summary.scores:
                raise unknown_name("score of this plan", each, summary.scores)
        figure = draw(scores)
        for suffix in suffixes:
            picture = to / f"{plan.name}.{plan.profile}.scores{suffix}"
            where("picture", write_file(picture, as_file(figure, suffix, dpi=dpi, width=width)))
        return
    parts, figures = [], []
    for table, (_, scores) in zip(tables(summary), sections(summary), strict=True):
        figure = draw(scores)
        figures.append(figure)
        tests = tested(summary, scores)
        below = None if tests is None else (tests.title, tests.head, tests.lines)
        parts.append(Part(table.title, table.head, table.lines, table.best, figure, below, table.remark))
    lede = (
        f"{len(frame)} rows of the profile {plan.profile}: mean ± deviation over seeds, the best in bold where no "
        "baseline is as good."
    )
    page = to / f"{plan.name}.{plan.profile}.html"
    write_file(
        page,
        study_page(
            plan.title, lede, parts, [*summary.notes, *plan.notes], _about(plan, frame), summary.warned
        ).encode(),
    )
    for figure, (title, _) in zip(figures, sections(summary), strict=True):
        for suffix in suffixes:
            picture = to / f"{plan.name}.{plan.profile}.{title.rpartition(' ')[2].replace('/', '-')}{suffix}"
            write_file(picture, as_file(figure, suffix, dpi=dpi, width=width))
            where("picture", picture)
    where("page", page)


def _bars(frame: pd.DataFrame, summary: Summary, scores: list[str]) -> Figure:
    groups = {
        values: group
        for values, group in grouped(frame, summary.keys)
        if group[scores].notna().any(axis=None)
    }
    names = {values: line_name(summary.keys, values) for values in groups}
    found: dict[str, dict[str, list[float]]] = {}
    published: dict[str, dict[str, tuple[float, float | None]]] = {}
    for score in scores:
        for values, group in groups.items():
            found.setdefault(score, {})[names[values]] = group[score].dropna().tolist()
            cell = summary.lines[values].get(score)
            if cell and cell.published:
                published.setdefault(score, {})[names[values]] = cell.published
    return seed_bars(found, published, _chance(frame, summary), _better(scores))


def _curves(frame: pd.DataFrame, summary: Summary, scores: list[str], over: str) -> Figure:
    settings = ["arm", *setting_columns(frame)]
    if over not in settings:
        raise unknown_name("setting that varies", over, settings[1:])
    lines, place = [key for key in summary.keys if key != over], summary.keys.index(over)
    found: dict[str, dict[str, dict[Any, list[float]]]] = {}
    published: dict[str, dict[str, dict[Any, tuple[float, float | None]]]] = {}
    for values, group in grouped(frame.dropna(subset=[over]), summary.keys):
        x = values[place]
        name = line_name(lines, [value for i, value in enumerate(values) if i != place]) or "mean over seeds"
        for score in scores:
            if seeds := group[score].dropna().tolist():
                found.setdefault(score, {}).setdefault(name, {})[x] = seeds
            cell = summary.lines[values].get(score)
            if cell and cell.published:
                published.setdefault(score, {}).setdefault(name, {})[x] = cell.published
    sorted_ = {
        score: {name: _in_order(known) for name, known in curves.items()} for score, curves in found.items()
    }
    return swept_curves(over, sorted_, _chance(frame, summary), _better(scores), published)


def _in_order(known: dict[Any, list[float]]) -> tuple[NDArray, list[list[float]]]:
    """Values of a setting in their order, words as they come, and the seeds' scores at each."""
    numbers = all(isinstance(x, int | float) for x in known)
    ordered = sorted(known) if numbers else list(known)
    return pd.Index(ordered).to_numpy(), [known[x] for x in ordered]


def _chance(frame: pd.DataFrame, summary: Summary) -> dict[str, float]:
    """What shuffled codes score; of several worlds it is not one number."""
    return next(iter(summary.chance.values())) if len(summary.chance) == 1 else {}


def _better(scores: list[str]) -> dict[str, str]:
    """What to say of scores that are not the better the higher they are."""
    ends = {score: direction(score) for score in scores}
    return {score: better.phrase for score, better in ends.items() if better is not Better.HIGHER}


def _about(plan: Plan, frame: pd.DataFrame) -> dict[str, str]:
    """Machines, versions and the time that the rows took."""
    return {
        "machines": "; ".join(sorted(map(one, frame["machine"].dropna().astype(str).unique()))),
        "prismae": ", ".join(sorted(frame["prismae"].dropna().astype(str).unique())),
        "training": f"{duration(frame['seconds'].sum())} in all",
        "published": "; ".join(dict.fromkeys(each.source for each in plan.published)) or "–",
    }
