"""The report of a run: one self-contained HTML page, and its figures as files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from prismae import figures as draw
from prismae._better import Better
from prismae._files import write_file
from prismae._text import NOTHING, count, duration, finite, number, one, percent, together_on_page
from prismae.report.drawing import LABELS, draw_all, plain_name
from prismae.report.explorer import NoExplorer, explorer
from prismae.report.findings import findings
from prismae.report.players import player
from prismae.report.study_page import prose
from prismae.runs.doubts import headline
from prismae.runs.latents import LISTED
from prismae.runs.run import Run
from prismae.views import Table, View, all_views, check
from prismae.views._base import SECTIONS
from prismae.views._shown import KINDS
from prismae.views._shown import shown as shown_as

LONG = 1500  # characters of a setting: more, as the names of 2,000 columns, would be screens of them
NAMES = 8  # latents that say the same, in a cell
SVG_LIMIT = 1_000_000  # bytes: a larger figure is saved as PNG


def write_report(run_folder: Path | str, to: Path | str | None = None) -> Path:
    """Write `report.html` and `figures/`, from the results saved in a run folder.

    Parameters
    ----------
    to
        The folder that they go to; None: the run's own.

    Returns
    -------
    The path of the page. It needs no network, no other file and no server.

    Raises
    ------
    InputError
        When the folder is not a run or a file in it is missing or damaged, with what to do about it.
    """
    run = Run(Path(run_folder)).read()
    check(run)
    drawn = draw_all(run)
    documents = {name: draw.svg(figure) for name, figure in drawn.items()}
    parts = {name: draw.sheets(figure) for name, figure in drawn.items()}
    home = run.path if to is None else Path(to)
    folder = home / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    for name, document in documents.items():
        has_image = any(axes.images for axes in drawn[name].axes)
        if has_image or len(document) > SVG_LIMIT:
            files[name] = write_file(folder / f"{name}.png", draw.png(drawn[name])).name
        else:
            files[name] = write_file(folder / f"{name}.svg", document.encode()).name
    return write_file(home / "report.html", together_on_page(_page(run, documents, parts, files)).encode())


def _page(
    run: Run,
    documents: Mapping[str, str],
    parts: Mapping[str, list[tuple[float, float]]],
    files: Mapping[str, str],
) -> str:
    pictures, kind = run.pictures, shown_as(run)
    sliders = combined = None
    if "traversals" in documents and kind.slides:
        sliders = player(run.shown.drawn(pictures["traversals"]), pictures["traversal_values"], run.latents)
    why = ""
    try:
        combined = explorer(run)
    except NoExplorer as reason:
        why = str(reason)
    return (
        templates()
        .get_template("run.html.j2")
        .render(
            job=run.job,
            settings={key: value for key, value in run.job.items() if key != "vocabulary" and given(value)},
            left_alone=[key for key, value in run.job.items() if not given(value)],
            sentence=sentence(run.job),
            figures={
                name: Markup(draw.inline(document, name, in_words(run, name), parts[name]))
                for name, document in documents.items()
            },
            files=files,
            findings=findings(run),
            tiles=tiles(run),
            verdict=run.verdict,
            headline=run.verdict and headline(run.verdict, run.scores),
            player=sliders,
            explorer=combined,
            no_explorer=why,
            kind=run.shown.kind,
            element=kind.element,
            sample=kind.sample,
            contents=contents(run),
            shown={section: shown(run, section, documents) for section in SECTIONS},
            absences={section: absences(run, section, documents) for section in SECTIONS},
            texts={name: run.pictures[name].tolist() for name in run.pictures if name.startswith("sentence")},
            absent=absent(run),
            full="" if run.from_python else f"prismae report {shlex.quote(str(run.path))} --full",
            stability=run.stability,
            latents=latent_table(run),
            listed=LISTED,
            further=0 if run.latents is None else max(0, len(run.latents) - LISTED),
            counted=run.shown.counted,
            shown_rows="shown_rows" in pictures,
            held_out=held_out(run),
            unseen=run.unseen,
            left_out={name: each for name, each in (run.scores or {}).get("skipped", {}).items() if each},
            protocols={plain_name(name): (name, scores) for name, scores in run.protocols.items()},
            errors=(run.scores or {}).get("reconstruction") or _monitored(run),
            evaluated=run.scores is not None,
            other_vectors={plain_name(name): name for name in run.logged.vectors if name not in LABELS},
            weights={name: values[np.isfinite(values)][-1:] for name, values in run.logged.weights.items()},
            evaluate=f"prismae evaluate {shlex.quote(str(run.path))}",
        )
    )


@cache
def templates() -> Environment:
    """The page's templates, compiled once in a process."""
    environment = Environment(
        loader=PackageLoader("prismae.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}  # small pages
    environment.filters.update(
        number=number,
        percent=percent,
        setting=setting,
        prose=prose,
        better=lambda score: Better.of(score).word,
    )
    environment.globals.update(what=what)
    return environment


@dataclass(frozen=True)
class Shown:
    """A view as the page shows it."""

    name: str
    title: str
    sentence: str
    table: Table | None
    small: bool


def of_section(section: str) -> list[View]:
    """The views of a section of the page, in their order."""
    views = [view() for view in all_views().values() if view.section == section]
    return sorted(views, key=lambda view: (view.place, view.name()))


def shown(run: Run, section: str, figures: Collection[str]) -> list[Shown]:
    """The views of a section that have a figure on the page."""
    return [
        Shown(view.name(), view.title, view.sentence(run), view.table(run), view.small)
        for view in of_section(section)
        if view.name() in figures
    ]


def absences(run: Run, section: str, figures: Collection[str]) -> list[str]:
    """What stands in place of a section's views that have no figure on the page."""
    lacking = [view for view in of_section(section) if view.name() not in figures]
    said = [view.absence(run) for view in lacking if not view.refusal(run.shown.kind)]
    return [sentence for sentence in said if sentence]


def absent(run: Run) -> list[str]:
    """What the page calls the further views that were not computed."""
    return [
        view.called or f"the view {view.name()}"
        for view in of_section("views")
        if view.always() and view.lacks(run) and not view.refusal(run.shown.kind)
    ]


def contents(run: Run) -> list[tuple[str, str]]:
    """Anchor and name of every section of the page, in their order: those of views where there are such views."""
    sections = {
        section: heading
        for section, heading in SECTIONS.items()
        if any(not view.refusal(run.shown.kind) for view in of_section(section))
    }
    first = [] if "sentences" in sections else [("explore", "Explore")]
    order = ("sentences", "scores", "reconstruction", "traversals", "codes", "information", "views")
    named = sections | {"scores": "Scores"} | ({"reconstruction": SECTIONS["reconstruction"]})
    last = (
        ("stability", "Stability"), ("training", "Training"), ("latents", "Latents over training"),
        ("settings", "Settings"),
    )  # fmt: skip
    return [*first, *((anchor, named[anchor]) for anchor in order if anchor in named), *last]


def sentence(job: Mapping[str, Any]) -> str:
    """What was trained on what, in one sentence, from as much of `job.json` as there is."""
    text = f"An autoencoder ({job['net']})" if job.get("net") else "An autoencoder"
    if job.get("n_latents") is not None:
        text += f" with {job['n_latents']} latents"
    if job.get("steps") is not None:
        text += f", trained for {count(job['steps'])} steps"
        text += f" in batches of {job['batch']}" if job.get("batch") is not None else ""
        if job.get("kept") is not None:
            text += (
                f" (the held-out loss was lowest after {count(job['kept'])}, and what it was then is kept)"
            )
    kind = "texts" if "vocabulary" in job else job.get("kind", "images")
    text += KINDS.get(kind, KINDS["images"]).observations(job)
    text += f": {job['source']}" if job.get("source") else ""
    return text + "."


def held_out(run: Run) -> str:
    """What the run was not trained on, and what was measured on it; nothing where it was trained on all there is."""
    n, share = run.unseen.get("n"), run.job.get("holdout")
    if not share and n is None:
        return ""
    if share:
        many = f"{count(n)} observations, " if n is not None else ""
        text = f"Held out of the training: {many}{100 * share:g}\u00a0% of the data, drawn at random."
    else:
        text = f"Not trained on: the {count(n)} observations of the world's test split."
    if n is None:
        return f"{text} Nothing was measured on them yet."
    text += " What is called unseen on this page is measured on them, all else on what was trained on"
    there = [family for family in ("classification", "generation", "likelihood") if family in run.protocols]
    return f"{text}, save the scores of {' and '.join(there)}, which are theirs." if there else f"{text}."


def what(score: Mapping[str, Any]) -> str:
    """What a score stands for, as its metric says it; nothing for scores of version 0.1, which did not keep it."""
    return re.sub(r"[`*]", "", score.get("summary", ""))


def tiles(run: Run) -> list[tuple[str, str, str]]:
    """The few numbers at the head of the page: name, value, and a remark."""
    errors = (run.scores or {}).get("reconstruction") or _monitored(run)
    origin = "evaluated" if run.scores else "last monitored"

    def seen(error: str) -> str:
        value = finite((run.unseen.get("reconstruction") or {}).get(error))
        return "" if value is None else f", unseen {number(value)}"

    kind = shown_as(run)
    found = []
    if run.explained is not None:
        also = run.verdict.held_out if run.verdict is not None else None
        remark = "of the data's variance" + ("" if also is None else f", held out {percent(also)}")
        found.append(("explained", percent(run.explained), remark))
    if finite(errors.get("mse")) is not None:
        remark = f"of the data's variance per {kind.element}, {origin}{seen('mse')}"
        found.append(("squared error", number(errors["mse"]), remark))
    if finite(errors.get("nats")) is not None:
        remark = f"nats a {kind.sample}, {origin}{seen('nats')}"
        found.append(("reconstruction", number(errors["nats"]), remark))
    if run.latents is not None:
        alive = ~run.latents.dead
        remark = run.latents.live_from
        if run.latents.information is not None:
            remark = f"{number(run.latents.information[alive].sum())} nats; live from {remark}"
        found.append(("live latents", f"{int(alive.sum())} of {len(run.latents)}", remark))
    for protocol, scores in run.protocols.items():
        if finite(scores.get("mig", {}).get("score")) is not None:
            chance = finite(scores["mig"].get("chance"))
            remark = protocol if chance is None else f"{protocol}, chance {number(chance)}"
            also = finite(run.unseen.get("protocols", {}).get(protocol, {}).get("mig", {}).get("score"))
            remark += "" if also is None else f", unseen {number(also)}"
            found.append(("mig", number(scores["mig"]["score"]), remark))
    if finite(run.job.get("seconds")) is not None:
        found.append(("trained in", duration(run.job["seconds"]), one(str(run.job.get("machine", "")))))
    return found


def latent_table(run: Run) -> list[dict[str, Any]]:
    """What is known of the first latents, in the order in which they are shown; None where the run does not know it."""
    if run.latents is None:
        return []
    pictures, latents = run.pictures, run.latents
    twins = latents.twins(pictures["correlation"]) if "correlation" in pictures else None
    rows = []
    for i in latents.order[:LISTED]:
        row: dict[str, Any] = {
            "index": int(i),
            "name": f"z{i}",
            "dead": bool(latents.dead[i]),
            "spread": latents.spread[i],
        }
        for key in ("code_entropy", "at_ends"):
            row[key] = float(pictures[key][i]) if key in pictures else None
        row["information"] = None if latents.information is None else float(latents.information[i])
        row["effect"] = None if latents.effect is None else float(latents.effect[i])
        same = [] if twins is None else [f"z{other}" for other in np.flatnonzero(twins[i])]
        row["twins"] = ", ".join(same[:NAMES]) + (f" and {len(same) - NAMES} more" if same[NAMES:] else "")
        rows.append(row)
    return rows


def given(value: Any) -> bool:
    """Whether a value of `job.json` says anything."""
    return value is not None and value not in ("", [], {})


def setting(value: Any) -> str:
    """A value of `job.json` as one reads it, of which only the beginning where it is long; a dash for nothing."""
    text = _read(value) or NOTHING
    return text if len(text) <= LONG else f"{text[:LONG]} … ({len(text):,} characters, all in job.json)"


def _read(value: Any) -> str:
    """A value without brackets, quotes and digits that say nothing: "8, 8", "controller = pi, target = 18", "yes"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_read(inner) or NOTHING}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(
            f"({_read(each)})" if isinstance(each, list | Mapping) else _read(each) or NOTHING
            for each in value
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else one(str(value))


def _monitored(run: Run) -> dict[str, float]:
    """The last monitored error, where the run is not evaluated."""
    found = {}
    for name in ("mse", "nats"):
        values = run.logged.scalars.get(f"monitor:{name}", np.empty(0))
        if np.isfinite(values).any():
            found[name] = float(values[np.isfinite(values)][-1])
    return found


def in_words(run: Run, name: str) -> str:
    """What a figure of the page shows, in words for who does not see it; the last values of what has some."""
    if name in all_views():
        return (all_views()[name].__doc__ or "").partition("\n")[0]
    for protocol, scores in run.protocols.items():
        if name == f"scores-{plain_name(protocol)}":
            each = ", ".join(f"{metric} {number(score.get('score'))}" for metric, score in scores.items())
            return f"Bars of the scores of protocol {protocol}: {each}."
    for vector in run.logged.vectors:
        if name == plain_name(vector):
            return f"Curves over the steps, one a latent: {LABELS.get(vector, vector)}."
    curves = run.logged.scalars if name == "terms" else run.logged.weights
    last = {key: values[np.isfinite(values)][-1:] for key, values in curves.items()}
    each = ", ".join(f"{key} {number(value[0])}" for key, value in last.items() if len(value))
    return f"Curves over the steps, with what they end at: {each}."
