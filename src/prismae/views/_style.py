"""What the drawing of several views shares: tables in standard deviations, and pairs of observations."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from prismae import figures as draw
from prismae.runs.run import Run

LETTERS = 18  # of a column's name in a figure


def columns(run: Run) -> list[str]:
    """Names of a table's columns, cut to what fits into a figure."""
    return [name if len(name) <= LETTERS else name[: LETTERS - 1] + "…" for name in run.feature_names]


def standardised(run: Run, rows: NDArray) -> NDArray:
    """Rows [..., d] of a table in standard deviations from the mean, as far as the run knows them."""
    if not {"element_mean", "element_std"} <= run.pictures.keys():
        return rows
    deviation = run.pictures["element_std"]
    return (rows - run.pictures["element_mean"]) / np.where(deviation > 0, deviation, 1.0)


def pairs(run: Run, first: str, second: str) -> Figure:
    """Two arrays of observations, by their names, as originals and what is rebuilt of them."""
    originals, rebuilt = run.pictures[first], run.pictures[second]
    if run.kind == "table":
        return draw.table_pairs(standardised(run, originals), standardised(run, rebuilt), columns(run))
    return draw.reconstructions(run.in_units(originals), run.in_units(rebuilt), run.channel_names)


def several_channels(run: Run) -> bool:
    """Whether observations are series of several channels."""
    return run.kind == "series" and run.pictures.get("originals", np.empty(0)).ndim == 3
