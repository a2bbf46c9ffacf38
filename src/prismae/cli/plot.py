"""``prismae plot``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae._better import Better
from prismae._files import write_file
from prismae._text import one
from prismae.cli._app import PictureDpi, PictureWidth, PlanPath, Profile, Runs, app, examples, where
from prismae.cli.table import RowsFiles, rows_of
from prismae.errors import unknown_name
from prismae.figures.canvas import DPI, SUFFIXES, as_file
from prismae.figures.studies import seed_bars, swept_curves
from prismae.report.study_page import Part, study_page
from prismae.studies.plan import Plan
from prismae.studies.search import with_trials
from prismae.studies.summary import Summary, direction, grouped, setting_columns, summarise
from prismae.studies.tables import plain, sections, tables, tested


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
        str | None, typer.Option(help="Draw scores over this grid's values instead of bars.")
    ] = None,
    folder: Runs = Path("runs"),
    rows_files: RowsFiles = None,
    to: Annotated[Path, typer.Option(help="Where to write the page and the pictures.")] = Path("."),
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
    parts, figures = [], []
    to.mkdir(parents=True, exist_ok=True)
    for table, (_, scores) in zip(tables(summary), sections(summary), strict=True):
        figure = _bars(frame, summary, scores) if over is None else _curves(frame, summary, scores, over)
        figures.append(figure)
        tests = tested(summary, scores)
        below = None if tests is None else (tests.title, tests.head, tests.lines)
        parts.append(Part(table.title, table.head, table.lines, table.best, figure, below))
    lede = f"{len(frame)} rows of the profile {plan.profile}: mean ± deviation over seeds, the best in bold."
    page = to / f"{plan.name}.{plan.profile}.html"
    write_file(
        page, study_page(plan.title, lede, parts, [*summary.notes, *plan.notes], _about(plan, frame)).encode()
    )
    for figure, (title, _) in zip(figures, sections(summary), strict=True):
        for suffix in suffixes:
            name = f"{plan.name}.{plan.profile}.{title.rpartition(' ')[2].replace('/', '-')}{suffix}"
            write_file(to / name, as_file(figure, suffix, dpi=dpi, width=width))
    where("page", page)


def _bars(frame: pd.DataFrame, summary: Summary, scores: list[str]) -> Figure:
    groups = dict(grouped(frame, summary.keys))
    names = {values: _name(summary.keys, values) for values in groups}
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
    settings = setting_columns(frame)
    if over not in settings:
        raise unknown_name("setting that varies", over, settings)
    lines = ["arm", *(key for key in settings if key != over)]
    found: dict[str, dict[str, tuple[NDArray, list[list[float]]]]] = {}
    for values, group in grouped(frame.dropna(subset=[over]), lines):
        name = _name(lines, values)
        for score in scores:
            seeds = {x: each[score].dropna().tolist() for x, each in group.groupby(over)}
            known = {x: each for x, each in seeds.items() if each}
            if known:
                found.setdefault(score, {})[name] = (pd.Index(known).to_numpy(), list(known.values()))
    return swept_curves(over, found, _chance(frame, summary), _better(scores))


def _chance(frame: pd.DataFrame, summary: Summary) -> dict[str, float]:
    """What shuffled codes score; of several worlds it is not one number."""
    return next(iter(summary.chance.values())) if len(summary.chance) == 1 else {}


def _better(scores: list[str]) -> dict[str, str]:
    """What to say of scores that are not the better the higher they are."""
    ends = {score: direction(score) for score in scores}
    return {score: better.phrase for score, better in ends.items() if better is not Better.HIGHER}


def _name(keys: Sequence[str], values: Sequence[object]) -> str:
    """A line's name in a figure: the arm, and the values of the other keys that it has."""
    about = [f"{k} {plain(v)}" for k, v in zip(keys, values, strict=True) if v is not None and k != "arm"]
    return ", ".join([*(plain(v) for k, v in zip(keys, values, strict=True) if k == "arm"), *about])


def _about(plan: Plan, frame: pd.DataFrame) -> dict[str, str]:
    """Machines, versions and the time that the rows took."""
    return {
        "machines": "; ".join(sorted(map(one, frame["machine"].astype(str).unique()))),
        "prismae": ", ".join(sorted(frame["prismae"].astype(str).unique())),
        "training": f"{frame['seconds'].sum() / 3600:.1f} hours in all",
        "published": "; ".join(dict.fromkeys(each.source for each in plan.published)) or "–",
    }
