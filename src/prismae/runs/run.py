"""What a run folder holds, read and checked: the settings, the history, the scores and the pictures."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from prismae._better import Better
from prismae._job_record import checked_job, from_python
from prismae._text import finite
from prismae.errors import InputError
from prismae.runs.latents import Latents

PICTURES = "pictures.npz"
TABLE = 32  # elements: version 0.1 showed longer vectors whose elements have no names as series

_ELEMENT = re.compile(r"(?P<name>.+)\[(?P<index>\d+)\]")


@dataclass(frozen=True)
class Run:
    """The saved results of one run.

    Parameters
    ----------
    folder
        The run folder, as it was given.
    job
        What was trained on what: the content of `job.json`.
    history
        One row per logged step, in the order of steps; `step`, terms, weights, monitors.
    scores
        The content of `scores.json`; None if the run is not evaluated.
    pictures
        The arrays of `pictures.npz`; empty if there is none.
    stability
        The content of `stability.json`; None if the run was not compared with other seeds.
    """

    folder: Path
    job: dict[str, Any]
    history: pd.DataFrame
    scores: dict[str, Any] | None
    pictures: dict[str, NDArray]
    stability: dict[str, Any] | None = None

    @cached_property
    def steps(self) -> NDArray:
        """[n] the logged steps."""
        return self.history["step"].to_numpy()

    @cached_property
    def scalars(self) -> dict[str, NDArray]:
        """Loss terms and scalar monitors by column name, each [n] with NaN where it was not logged."""
        others = ("weight:", "evolve:")
        names = [name for name in self._names if name != "step" and not name.startswith(others)]
        return {name: self._column(name) for name in names if not _ELEMENT.fullmatch(name)}

    @cached_property
    def terms(self) -> dict[str, NDArray]:
        """The loss terms alone, each [n]."""
        return {name: values for name, values in self.scalars.items() if not name.startswith("monitor:")}

    @cached_property
    def reconstruction(self) -> NDArray | None:
        """[n] the term that the method declares as its reconstruction; None where it was not logged."""
        return self.terms.get(self.job.get("reconstruction", "recon"))  # earlier versions did not say it

    @cached_property
    def weights(self) -> dict[str, NDArray]:
        """The weight of each term, each [n]."""
        names = [name for name in self._names if name.startswith("weight:")]
        return {name.removeprefix("weight:"): self._column(name) for name in names}

    @cached_property
    def vectors(self) -> dict[str, NDArray]:
        """Observations with one value a latent, each [n, m]: `sigma`, `entropy`, `monitor:spread` …"""
        return self._arrays([name for name in self._names if not name.startswith("evolve:")])

    @cached_property
    def population(self) -> dict[str, NDArray]:
        """What was tried in each generation, each [n, population] with NaN in the steps between, by the name after
        "evolve:": `weight:kl`, `fitness`, `kl`, `recon`; empty where nothing evolves."""
        arrays = self._arrays([name for name in self._names if name.startswith("evolve:")])
        return {name.removeprefix("evolve:"): values for name, values in arrays.items()}

    def _arrays(self, columns: Sequence[str]) -> dict[str, NDArray]:
        """The columns ``name[0]``, ``name[1]`` … side by side, by name."""
        found: dict[str, dict[int, str]] = {}
        for column in columns:
            if match := _ELEMENT.fullmatch(column):
                found.setdefault(match["name"], {})[int(match["index"])] = column
        return {
            name: np.stack([self._column(places[i]) for i in sorted(places)], axis=1)
            for name, places in found.items()
        }

    @cached_property
    def spread(self) -> NDArray | None:
        """[m] standard deviation of each code: from pictures, scores or the last monitor; None if unknown."""
        if "spread" in self.pictures:
            return self.pictures["spread"].astype(float)
        if self.scores and self.scores.get("spread") is not None:
            return np.asarray(self.scores["spread"], dtype=float)
        monitored = self.vectors.get("monitor:spread", np.empty((0, 0)))
        seen = monitored[np.isfinite(monitored).all(axis=1)]
        return seen[-1] if len(seen) else None

    @cached_property
    def latents(self) -> Latents | None:
        """What is known of the latents; None where not even their spread is."""
        return None if self.spread is None else Latents(self.spread, self.pictures.get("kl"))

    @cached_property
    def explained(self) -> float | None:
        """Share of the data's variance that reconstructions explain: 1 - error / error of the mean observation.

        For a run that did not keep the latter, 1 - error in units of the variance of all elements, which is never less.
        None where no error is known, and for texts.
        """
        if self.kind == "texts":
            return None
        if {"errors", "mean_error"} <= self.pictures.keys():
            error, of_mean = float(self.pictures["errors"].mean()), float(self.pictures["mean_error"])
            return finite(1 - error / of_mean) if of_mean > 0 else None
        mse = finite(((self.scores or {}).get("reconstruction") or {}).get("mse"))
        return None if mse is None else 1 - mse

    @cached_property
    def protocols(self) -> dict[str, dict[str, Any]]:
        """The scores of each protocol that has any: protocol → metric → score."""
        return {name: scores for name, scores in (self.scores or {}).get("protocols", {}).items() if scores}

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

    @property
    def from_python(self) -> bool:
        """Whether the run was saved by `Autoencoder.save`, so that its data cannot be found again."""
        return from_python(self.job)

    @cached_property
    def units(self) -> tuple[NDArray, NDArray] | None:
        """Scale and shift that bring elements of an observation into the user's units; None where they are in them.

        Both are [d] for a table, 1 and 0 for the columns of categories, [c, 1] for series of several channels, and [1]
        for other numbers that lie far from zero.
        """
        if "channels" in self.job:
            channels = self.job["channels"]
            return np.array(channels["stds"])[:, None], np.array(channels["means"])[:, None]
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
        return frames if self.units is None else frames * self.units[0] + self.units[1]

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

    @cached_property
    def unseen(self) -> dict[str, Any]:
        """What was measured on observations that were not trained on: `n`, `reconstruction`, `protocols`."""
        return (self.scores or {}).get("unseen") or {}

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels of series; none where they have none."""
        return tuple(self.job.get("channels", {}).get("names", ()))

    @property
    def _names(self) -> list[str]:
        return [str(name) for name in self.history.columns]

    def _column(self, name: str) -> NDArray:
        return self.history[name].to_numpy(dtype=float, na_value=np.nan)


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises
    ------
    InputError
        When `job.json` or `history.parquet` is missing, or any file is damaged or does not fit the others:
        the sentence names the file and says what to do.
    """
    if not folder.is_dir():
        raise InputError(f"There is no run folder {folder}: give the folder that `prismae fit` wrote.")
    job = _read_json(folder / "job.json", "give the folder that `prismae fit` wrote")
    assert job is not None
    job = checked_job(job, folder / "job.json")
    scores = _read_json(folder / "scores.json", missing=None)
    if scores is not None and not _scores_fit(scores):
        raise InputError(
            f"{folder / 'scores.json'} is not a table of scores by protocol: "
            f"write it again with `prismae evaluate {folder}`."
        )
    stability = _read_json(folder / "stability.json", missing=None)
    if stability is not None and not {"seeds", "latents", "udr"} <= stability.keys():
        raise InputError(f"{folder / 'stability.json'} is not a comparison of seeds: remove it.")
    pictures = read_arrays(folder)
    return Run(folder, job, _read_history(folder / "history.parquet"), scores, pictures, stability)


def _read_json(path: Path, missing: str | None) -> dict[str, Any] | None:
    """The object in a JSON file; without the file, None, or an error that ends with `missing`."""
    if not path.exists():
        if missing is None:
            return None
        raise InputError(f"{path} is missing: {missing}.")
    remedy = "remove it and evaluate the run again" if missing is None else "fit the run again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}): {remedy}.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}, expected a JSON object: {remedy}.")
    return content


def _scores_fit(scores: dict[str, Any]) -> bool:
    protocols = scores.get("protocols", {})
    return (
        isinstance(protocols, dict)
        and all(isinstance(protocol, dict) for protocol in protocols.values())
        and all(isinstance(score, dict) for protocol in protocols.values() for score in protocol.values())
        and all(
            _says_which_is_better(score) for protocol in protocols.values() for score in protocol.values()
        )
        and all(isinstance(scores.get(part) or {}, dict) for part in ("reconstruction", "skipped", "unseen"))
        and (not scores.get("unseen") or _scores_fit(scores["unseen"]))
    )


def _says_which_is_better(score: dict[str, Any]) -> bool:
    try:
        Better.of(score)
    except ValueError:
        return False
    return True


def _read_history(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"{path} is missing: the run has logged no step yet; go on with its fit first.")
    try:
        history = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{path} is damaged ({_first_line(error)}): fit the run again.") from error
    history.columns = history.columns.map(str)
    history = history.select_dtypes("number")
    if "step" not in history or history.empty:
        lack = "no rows" if "step" in history else "no column `step` of numbers"
        raise InputError(f"{path} has {lack}: go on with the fit of the run first.")
    # a run that was continued from a checkpoint may log a step twice: the later row counts
    return (
        history.sort_values("step", kind="stable").drop_duplicates("step", keep="last").reset_index(drop=True)
    )


def read_arrays(folder: Path) -> dict[str, NDArray]:
    """The arrays of a run folder's pictures.npz; none if there is no such file.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    path = folder / PICTURES
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} is damaged ({_first_line(error)}): remove it and evaluate the run again."
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
