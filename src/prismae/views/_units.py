"""Rows of a table in words: what a latent changes and what is rebuilt badly, in the units that the user gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from prismae._text import brief
from prismae.runs.latents import LISTED
from prismae.runs.run import Run

NAMED = 4  # columns that are named for a latent or a row, those of the largest change


def changes(run: Run) -> list[dict[str, Any]]:
    """What each live one of the first 100 latents of a table changes, in the order in which they are shown.

    Returns
    -------
    For each latent its `name`, its `low` and `high` value, and `moved`: column, its value at `low` and at `high`, for
    the four columns that it moves furthest in their standard deviations.
    """
    pictures = run.pictures
    if run.latents is None or not {"traversals", "traversal_values"} <= pictures.keys():
        return []
    found, places = [], _columns(run)
    for i in run.latents.order[:LISTED]:
        if not run.latents.dead[i]:
            frames, values = pictures["traversals"][i], pictures["traversal_values"][i]
            moved = [*_furthest(run, places, frames[0], frames[-1])]
            found.append({"name": f"z{i}", "low": values[0], "high": values[-1], "moved": moved})
    return found


def worst(run: Run) -> list[dict[str, Any]]:
    """The rows of a table that are rebuilt worst: `number` of the row, and `moved`: column, its value, and the rebuilt
    one, for the four columns that are furthest off in their standard deviations.
    """
    pictures = run.pictures
    if not {"worst", "worst_reconstructions", "worst_rows"} <= pictures.keys():
        return []
    rows = zip(
        pictures["worst_rows"].tolist(), pictures["worst"], pictures["worst_reconstructions"], strict=True
    )
    places = _columns(run)
    return [{"number": number, "moved": [*_furthest(run, places, *pair)]} for number, *pair in rows]


def moves(moved: Iterable[tuple[str, str, str]]) -> Markup:
    """Columns with the two values that each has, as a cell of a page."""
    cells = (Markup("<b>{}</b> {} → {}").format(*each) for each in moved)
    return Markup(", ").join(cells)


def _furthest(
    run: Run, places: Mapping[str, slice], first: NDArray, second: NDArray
) -> Iterator[tuple[str, str, str]]:
    """Column and its two values, as texts, of those of these columns that differ most between two rows [d]."""
    deviation = run.pictures.get("element_std", np.ones(len(first)))
    far = np.nan_to_num(np.abs(second - first)) / np.where(deviation > 0, deviation, 1.0)
    names, slices = [*places], [*places.values()]
    largest = far[[each.start for each in slices]]  # one value, of most columns: there may be very many
    for i, each in enumerate(slices):
        if each.stop - each.start > 1:
            largest[i] = far[each].max()
    order = [names[i] for i in np.argsort(-largest, kind="stable")[:NAMED]]
    table = run.job.get("table")
    categories: Mapping[str, Any] = table["categories"] if table else {}
    rows = run.shown.in_units(np.stack([first, second]).astype(float))
    for column in order:
        texts = [_text(row[places[column]], categories.get(column)) for row in rows]
        yield column, texts[0], texts[1]


def _columns(run: Run) -> dict[str, slice]:
    """The table's columns, and where each stands in an observation."""
    table = run.job.get("table")
    if not table:
        return {name: slice(i, i + 1) for i, name in enumerate(run.shown.feature_names)}
    widths = dict.fromkeys(table["scaling"], 1) | {k: len(v) for k, v in table["categories"].items()}
    ends = np.cumsum([*widths.values()])
    found = {
        name: slice(int(end) - width, int(end))
        for (name, width), end in zip(widths.items(), ends, strict=True)
    }
    return {name: found[name] for name in table["columns"] if name in found}  # constant ones are not in it


def _text(values: NDArray, categories: list[Any] | None) -> str:
    """A number, or the likeliest category and how likely it is."""
    if categories is None:
        return brief(float(values[0]))
    best = int(values.argmax())
    return f"{categories[best]} ({100 * float(np.clip(values[best], 0, 1)):.0f}\u00a0%)"
