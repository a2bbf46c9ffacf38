"""Shown: the observations that a run keeps for its report, as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prismae.errors import InputError
from prismae.runs.files import JOB
from prismae.runs.slices import middle_slices

TABLE = 32  # elements: version 0.1 showed longer vectors whose elements have no names as series


@dataclass(frozen=True)
class Shown:
    """Kind, units and names of a run's observations, which are kept as the network sees them.

    Parameters
    ----------
    path
        The file of pictures, which a sentence of what is wrong with them names.
    pictures
        Its arrays: "originals" [n, *shape], "feature_names" [d] …
    job
        What job.json says of the data.
    """

    path: Path
    pictures: Mapping[str, NDArray]
    job: Mapping[str, Any]

    @cached_property
    def kind(self) -> str:
        """The kind of data, by which observations are shown.

        Runs of version 0.1 do not say it; their vectors are a table where they have names or at most 32 elements.
        """
        if "kind" in self.job:
            return str(self.job["kind"])
        if "sentences" in self.pictures:
            return "texts"
        shape = self.pictures["originals"].shape[1:] if "originals" in self.pictures else ()
        if len(shape) == 3:
            return "images"
        named = "feature_names" in self.pictures
        return "table" if named or (len(shape) == 1 and shape[0] <= TABLE) else "series"

    @cached_property
    def units(self) -> tuple[NDArray, NDArray] | None:
        """Scale and shift that bring elements of an observation into the user's units; None where they are in them.

        Both are [d] for a table, 1 and 0 for the columns of categories, [c, 1, ...] where each of several channels was
        scaled, and [1] for other numbers that lie far from zero.
        """
        if "channels" in self.job:
            channels, ones = self.job["channels"], (1,) * (len(self.job["shape"]) - 1)
            return np.array(channels["stds"]).reshape(-1, *ones), np.array(channels["means"]).reshape(
                -1, *ones
            )
        if "table" in self.job:
            pairs = [*self.job["table"]["scaling"].values()]
            pairs += [[0.0, 1.0]] * sum(map(len, self.job["table"]["categories"].values()))
            shift, scale = np.array(pairs).T
            return scale, shift
        if "offset" in self.job:
            return np.ones(1), np.full(1, float(self.job["offset"]))
        return None

    def in_units(self, frames: NDArray) -> NDArray:
        """Observations [..., *shape] in the user's units."""
        if self.units is None:
            return frames
        scale, shift = self.units
        last = frames.shape[-scale.ndim :]
        if len(last) < scale.ndim or any(k not in (1, n) for k, n in zip(scale.shape, last, strict=True)):
            raise InputError(
                f"{self.path} has observations of the shape {list(frames.shape[1:])}, and {JOB} says "
                f"{self.job.get('shape')}: one of them is damaged or of another run."
            )
        return frames * scale + shift

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The elements of an image that are drawn black and white: 0 and 1, or, where some lie beyond these, the ends
        of their range, within four standard deviations of their mean."""
        found = self.job.get("summary")
        if not found or (found["low"] >= 0 and found["high"] <= 1):
            return 0.0, 1.0
        low, high = (found["mean"] + sign * 4 * found["std"] for sign in (-1, 1))
        return max(found["low"], low), min(found["high"], high)

    def drawn(self, frames: NDArray) -> NDArray:
        """Observations [..., *shape] as they are drawn: images and the middle slices of volumes between 0, black, and
        1, others in the user's units."""
        if self.kind not in ("images", "volumes"):
            return self.in_units(frames)
        low, high = self.ends
        drawn = (frames - low) / (high - low)
        return middle_slices(drawn) if self.kind == "volumes" else drawn

    @cached_property
    def feature_names(self) -> list[str]:
        """Names of the elements of a vector: as the run knows them, else "x0", "x1" …"""
        d = self.pictures["originals"].shape[-1] if "originals" in self.pictures else 0
        names = self.pictures.get("feature_names", ())
        if len(names) == d:
            return [str(name) for name in names]
        return [f"x{i}" for i in range(d)]

    def called(self, rows: str, n: int) -> list[str]:
        """What n observations are called, by an array of `pictures`: "observation 17", or the path of an image."""
        names = self.pictures.get(rows, np.arange(1, n + 1)).tolist()
        return [name if isinstance(name, str) else f"observation {name}" for name in names]

    @cached_property
    def counted(self) -> str:
        """From where the numbers of observations count, as the end of a sentence; empty where they have paths."""
        shown = self.pictures.get("shown_rows")
        if shown is None and self.job.get("holdout"):
            return "counted from 0 among the observations that were trained on"  # as earlier versions did
        if shown is not None and shown.dtype.kind == "U":
            return ""
        below = ", below the header" if "table" in self.job else ""
        return f"counted from 0 in the data as they were given{below}"

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels of series; none where they have none."""
        return tuple(self.job.get("channels", {}).get("names", ()))
