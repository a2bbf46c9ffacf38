"""How observations of each kind are shown: all that drawing and the page's words ask of the kind of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae import figures as draw
from prismae._text import count, shortened
from prismae.figures.lanes import in_seconds, ranges
from prismae.runs.run import Run
from prismae.runs.slices import middle_slices
from prismae.views import _units

LETTERS = 22  # of a column's name in a figure
MOST = 24  # latents of traversals
FIRST = 30  # columns of a table beside the sliders: those that move most; the others are found by their names


class Shown:
    """Images, and observations of a kind that nothing else is said of.

    Attributes
    ----------
    several
        What messages call such data.
    element, sample
        What errors are summed over, and what they are of.
    slides
        Whether what a latent does is shown on sliders and as an animation.
    explored
        The arrays that the page's combined sliders need beside those of every kind.
    """

    several: ClassVar[str] = "Images"
    element: ClassVar[str] = "element"
    sample: ClassVar[str] = "sample"
    slides: ClassVar[bool] = True
    explored: ClassVar[tuple[str, ...]] = ()

    def observations(self, job: Mapping[str, Any]) -> str:
        """How many observations of which shape, as far as job.json says it, for the page's first sentence."""
        text = f" on {count(job['n'])} observations" if job.get("n") is not None else ""
        shape = job.get("shape")
        if not isinstance(shape, list):
            return text
        return f"{text} of shape {_size(job)}{_colours(job)}"

    def pairs(self, run: Run, first: str, second: str) -> Figure:
        """Two arrays of observations, by their names, as originals and what is rebuilt of them."""
        originals, rebuilt = run.pictures[first], run.pictures[second]
        return draw.reconstructions(
            run.shown.drawn(originals), run.shown.drawn(rebuilt), run.shown.channel_names, called(run, first)
        )

    def lanes(self, run: Run) -> bool:
        """Whether each channel has a lane of its own."""
        return False

    def traversals(self, run: Run) -> Figure:
        """What each latent does."""
        frames, values = run.pictures["traversals"], run.pictures["traversal_values"]
        return draw.traversals(run.shown.drawn(frames), values, run.latents, channels=run.shown.channel_names)

    def of_traversals(self, run: Run) -> Markup:
        """What to look at in traversals."""
        m = len(run.pictures["traversals"])
        shown = f"; the first {MOST} of {m:,} are shown" if m > MOST else ""
        return Markup(
            "<b>What to look at.</b> One code moves from low to high, all others stand still. A <b>live, "
            "disentangled</b> code changes one thing, smoothly, from end to end. If two things change at once the code "
            "is entangled; if two codes change the same thing they share a factor. A <b>dead</b> code changes nothing, "
            "and its spread over the data is near zero. Latents come from the most informative to the least{}."
        ).format(shown)

    def samples(self, run: Run) -> Figure:
        """Observations that were drawn."""
        return draw.samples(run.shown.drawn(run.pictures["samples"]), channels=run.shown.channel_names)

    def clusters(self, run: Run, means: NDArray, sizes: NDArray, source: str) -> Figure:
        """The mean observation [c, *shape] of each cluster."""
        return draw.clusters(run.shown.drawn(means), sizes, source, channels=run.shown.channel_names)

    def effects(self, run: Run) -> Figure:
        """How far each latent moves each element."""
        assert run.latents is not None
        return draw.effects(run.pictures["effects"], run.latents, channels=run.shown.channel_names)

    def of_effects(self, run: Run) -> tuple[str, str]:
        """What an element is called, and on which scale its change is drawn."""
        return "pixel", "The fuller the colour the more, on one scale for all. "

    def changes(self, run: Run) -> list[dict[str, Any]]:
        """What each latent changes, and in `worst` what is rebuilt badly, in columns by their names; see `_units`."""
        return []

    def worst(self, run: Run) -> list[dict[str, Any]]:
        """See `changes`."""
        return []

    def to_explore(self, run: Run, seen: list[NDArray]) -> dict[str, Any]:
        """What the page's combined sliders draw this kind with; `seen` are arrays of observations [n, *shape]."""
        return {"ends": run.shown.ends}


class Volumes(Shown):
    """Volumes, of which the middle slices are drawn."""

    several = "Volumes"

    def observations(self, job: Mapping[str, Any]) -> str:
        return (
            super().observations(job)
            + ", of which the middle slices are drawn: across the first, second and third side"
        )

    def effects(self, run: Run) -> Figure:
        assert run.latents is not None
        return draw.effects(middle_slices(run.pictures["effects"]), run.latents)

    def of_effects(self, run: Run) -> tuple[str, str]:
        return "point of the middle slices", "The fuller the colour the more, on one scale for all. "


class Series(Shown):
    """Curves."""

    several = "Series"

    def pairs(self, run: Run, first: str, second: str) -> Figure:
        return self._timed(run, super().pairs(run, first, second))

    def traversals(self, run: Run) -> Figure:
        return self._timed(run, super().traversals(run))

    def effects(self, run: Run) -> Figure:
        return self._timed(run, super().effects(run))

    def _timed(self, run: Run, figure: Figure) -> Figure:
        """The figure with seconds along its axes, where the points a second are known."""
        rate = run.job.get("rate")
        return figure if rate is None else in_seconds(figure, rate)

    def lanes(self, run: Run) -> bool:
        return run.pictures.get("originals", np.empty(0)).ndim == 3

    def of_effects(self, run: Run) -> tuple[str, str]:
        if self.lanes(run):
            return "point of the series, in its channel's standard deviations,", "All lanes have one scale. "
        return "point of the series", ""

    def to_explore(self, run: Run, seen: list[NDArray]) -> dict[str, Any]:
        frames = np.concatenate(seen)
        if frames.ndim == 2:
            return {"lanes": [["", float(np.nanmin(frames)), float(np.nanmax(frames))]]}
        ends = np.stack([np.nanmin(frames, axis=(0, 2)), np.nanmax(frames, axis=(0, 2))], axis=1)  # [c, 2]
        low, high = run.shown.in_units(ends).T
        called = [name.replace("\n", " · ") for name in ranges(low, high, run.shown.channel_names)]
        return {"lanes": [[name, *two] for name, two in zip(called, ends.tolist(), strict=True)]}


class Rows(Shown):
    """Rows of a table: each column in its own standard deviations, under its name."""

    several = "Tables"
    slides = False
    explored = ("element_mean", "element_std")

    def pairs(self, run: Run, first: str, second: str) -> Figure:
        originals, rebuilt = (self._standardised(run, run.pictures[name]) for name in (first, second))
        return draw.table_pairs(originals, rebuilt, self._columns(run), called(run, first))

    def traversals(self, run: Run) -> Figure:
        frames, values = self._standardised(run, run.pictures["traversals"]), run.pictures["traversal_values"]
        return draw.table_traversals(frames, values, self._columns(run), run.latents)

    def of_traversals(self, run: Run) -> Markup:
        return Markup(
            "<b>What to look at.</b> One code moves from low to high, all others stand still; features are in "
            "standard deviations, and the four that move most are named. A <b>disentangled</b> code moves the "
            "features of one cause; a <b>dead</b> code moves none."
        )

    def samples(self, run: Run) -> Figure:
        rows = self._standardised(run, run.pictures["samples"])
        return draw.table(rows, self._columns(run), [f"sample {i + 1}" for i in range(len(rows))])

    def clusters(self, run: Run, means: NDArray, sizes: NDArray, source: str) -> Figure:
        order = np.argsort(-sizes, kind="stable")
        labels = [f"{sizes[i]:,} rows" for i in order]
        rows = self._standardised(run, means[order])
        return draw.table(rows, self._columns(run), labels, f"mean of each cluster: {source}")

    def effects(self, run: Run) -> Figure:
        assert run.latents is not None
        change = run.pictures["effects"]
        deviation = run.pictures.get("element_std", np.ones(change.shape[1]))
        return draw.effects(change / np.where(deviation > 0, deviation, 1.0), run.latents, self._columns(run))

    def of_effects(self, run: Run) -> tuple[str, str]:
        return "feature, in its standard deviations,", ""

    def changes(self, run: Run) -> list[dict[str, Any]]:
        return _units.changes(run)

    def worst(self, run: Run) -> list[dict[str, Any]]:
        return _units.worst(run)

    def to_explore(self, run: Run, seen: list[NDArray]) -> dict[str, Any]:
        pictures, shape, table = run.pictures, seen[0].shape[1:], run.job.get("table")
        scale, shift = (np.broadcast_to(each, shape) for each in run.shown.units or (1.0, 0.0))
        deviation = pictures["element_std"]
        numbers = [
            _short(pictures["element_mean"], deviation),  # digits that nobody sees make the page large
            _short(deviation, deviation),
            _short(scale, scale),
            _short(shift, scale),
        ]
        moved = np.ptp(seen[0], axis=0) / np.where(deviation > 0, deviation, np.inf)
        most = np.sort(np.argsort(-np.nan_to_num(moved), kind="stable")[:FIRST])
        return {
            "features": [[*each] for each in zip(run.shown.feature_names, *numbers, strict=True)],
            "most": most.tolist(),
            "categories": sum(len(each) for each in table["categories"].values()) if table else 0,
        }

    def _columns(self, run: Run) -> list[str]:
        """Names of the columns, cut to what fits into a figure."""
        return shortened(run.shown.feature_names, LETTERS)

    def _standardised(self, run: Run, rows: NDArray) -> NDArray:
        """Rows [..., d] in standard deviations from the mean, as far as the run knows them."""
        if not {"element_mean", "element_std"} <= run.pictures.keys():
            return rows
        deviation = run.pictures["element_std"]
        return (rows - run.pictures["element_mean"]) / np.where(deviation > 0, deviation, 1.0)


class Sentences(Shown):
    """Texts, of which the page shows words."""

    several = "Texts"
    element, sample = "word", "sentence"
    slides = False

    def observations(self, job: Mapping[str, Any]) -> str:
        text = f" on {count(job['n'])} sentences" if job.get("n") is not None else ""
        size = f" of up to {_size(job)} words, their ends among them"
        return text + (size if isinstance(job.get("shape"), list) else "")


KINDS: dict[str, Shown] = {
    "images": Shown(),
    "volumes": Volumes(),
    "series": Series(),
    "table": Rows(),
    "texts": Sentences(),
}


def _colours(job: Mapping[str, Any]) -> str:
    """How images of unusual numbers of channels are drawn, for the page's first sentence."""
    channels = job["shape"][0]
    if job.get("kind") not in ("images", "volumes") or channels in (1, 3):
        return ""
    if channels == 2:
        return ", whose two channels are drawn as red and green"
    return ", whose first three channels are drawn as red, green and blue"


def called(run: Run, originals: str) -> list[str]:
    """What shown observations are called; numbers say what they are of, names speak for themselves."""
    rows = run.pictures.get("worst_rows" if originals == "worst" else "shown_rows", np.empty(0, int))
    return [
        f"{'row' if run.shown.kind == 'table' else 'no.'} {row}" if isinstance(row, int) else str(row)
        for row in rows.tolist()
    ]


def _short(values: NDArray, units: NDArray) -> list[float]:
    """Numbers to four digits behind the first one of their units."""
    size = np.abs(np.where(units == 0, 1.0, units).astype(float))
    step = 10.0 ** (np.floor(np.log10(size)) - 4)
    found = (float(f"{each:.12g}") for each in np.round(values / step) * step)
    return [int(each) if each == 0 else each for each in found]  # "-0.0" is four letters


def shown(run: Run) -> Shown:
    """How a run's observations are shown."""
    return KINDS.get(run.shown.kind, KINDS["images"])


def _size(job: Mapping[str, Any]) -> str:
    return " × ".join(map(str, job["shape"]))
