"""Run: the record of a finished training, and its folder; one reader and one writer of its files.

Importing this module, and reading a run, needs no PyTorch; `Run.load` and writing what was trained do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae._files import own_folder, sweep, written_whole
from prismae._text import finite
from prismae.errors import InputError
from prismae.runs.files import (
    CARD,
    CHECKPOINT,
    DECODER,
    HISTORY,
    JOB,
    OTHERS,
    PICTURES,
    SCORES,
    SNAPSHOT,
    STABILITY,
    VERDICT,
    WEIGHTS,
    place,
    read_arrays,
    read_history,
    read_job,
    read_scores,
    read_stability,
    read_verdict,
    write_history,
)
from prismae.runs.job_record import JobRecord, from_python
from prismae.runs.latents import Latents
from prismae.runs.manifest import MANIFEST, check, written
from prismae.runs.slices import middle_slices
from prismae.runs.verdict import Verdict

if TYPE_CHECKING:
    from prismae.methods import Method
    from prismae.nets import Architecture, Likelihood, Net
    from prismae.train import Trained

TABLE = 32  # elements: version 0.1 showed longer vectors whose elements have no names as series

_ELEMENT = re.compile(r"(?P<name>.+)\[(?P<index>\d+)\]")


@dataclass(frozen=True)
class Run:
    """What one training left behind, in a folder.

    ``job.json`` what was asked for, and what came of it; ``weights.safetensors`` its presence means that training is
    finished; ``history.parquet``; ``scores.json``; ``pictures.npz``; ``decoder.json`` the layers of the decoder;
    ``stability.json``; ``verdict.json``; ``manifest.json`` the digests of these; ``figures/``, ``report.html``;
    ``README.md`` the model card; ``checkpoint/state.safetensors`` while training goes on. `prismae.export.to_hub` gives
    the first two other names.
    Each file is read when it is first asked for, and again once this object has written.
    Files are written under a temporary name and then renamed.

    Parameters
    ----------
    path
        The folder, which need not be there yet; `Run.open` takes finished runs only.
    """

    path: Path

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """A finished run.

        Raises
        ------
        InputError
            If there is no such folder, or the run in it is not finished.
        """
        run = cls(Path(path))
        run._check_there()
        missing = [name for name in (JOB, WEIGHTS, HISTORY) if not place(run.path, name).is_file()]
        if missing:
            mend = "run the same fit again to go on" if run.checkpoint.exists() else "it is not a run folder"
            raise InputError(f"{str(path)!r} is not a finished run: {', '.join(missing)} missing ({mend}).")
        return run

    @classmethod
    @contextmanager
    def anew(cls, path: Path | str) -> Iterator[Self]:
        """A folder to write a run into, which takes the place of what is at `path` when all went well.

        Nothing of an older run is left there: pictures, scores and exports are of its weights. A reader sees the old
        run, for a moment none, and then the new one; a kill in that moment leaves the old run under a hidden name
        beside it.

        Raises
        ------
        InputError
            If `path` holds anything that is not of a run, which would be lost.
        """
        home = Path(path).resolve()  # a link stays one
        cls(home)._check_replaceable()
        home.parent.mkdir(parents=True, exist_ok=True)
        with own_folder(home.parent) as own:
            part, old = own / home.name, home.with_name(f".{home.name}.{os.getpid()}.old")
            part.mkdir()
            yield cls(part)
            try:
                if home.exists():
                    home.rename(old)
                part.rename(home)
            except BaseException:
                if old.exists() and not home.exists():
                    old.rename(home)
                raise
            shutil.rmtree(old, ignore_errors=True)

    def _check_there(self) -> None:
        if not os.path.isdir(
            self.path
        ):  # as pathlib asks, but a name that no file can have is an error there
            raise InputError(f"There is no run folder {str(self.path)!r}.")

    def _check_replaceable(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{str(self.path)!r} is a file, expected a folder or a new name.")
        names = {
            JOB,
            WEIGHTS,
            HISTORY,
            SCORES,
            PICTURES,
            DECODER,
            STABILITY,
            VERDICT,
            CARD,
            MANIFEST,
            *OTHERS,
        }
        found = sorted(each.name for each in self.path.iterdir()) if self.path.exists() else []
        foreign = [
            name
            for name in found
            if name not in names and not name.startswith((".", SNAPSHOT.partition("{")[0]))
        ]
        if found and (foreign or JOB not in found):
            raise InputError(
                f"{str(self.path)!r} holds {', '.join((foreign or found)[:5])}, which a run saved over it would "
                "remove: expected a new or empty folder, or one that holds nothing but a run."
            )

    @property
    def checkpoint(self) -> Path:
        """Where training keeps its state."""
        return self.path / CHECKPOINT

    @property
    def finished(self) -> bool:
        """Whether training is done."""
        return place(self.path, WEIGHTS).is_file()

    def read(self) -> Self:
        """This run, with all its results read.

        Raises
        ------
        InputError
            When the folder, `job.json` or `history.parquet` is missing, or any file is damaged or does not fit the
            others: the sentence names the file and says what to do.
        """
        self._check_there()
        check(self.path)
        for each in ("job", "scores", "stability", "verdict", "pictures", "history"):
            getattr(self, each)
        return self

    @cached_property
    def job(self) -> JobRecord:
        """What was trained on what, and what came of it: job.json."""
        return read_job(place(self.path, JOB))

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row per logged step, in the order of steps; `step`, terms, weights, monitors."""
        return read_history(self.path / HISTORY)

    @cached_property
    def scores(self) -> dict[str, Any] | None:
        """The content of scores.json, see `prismae.studies.score`; None if the run is not evaluated."""
        return read_scores(self.path / SCORES)

    @cached_property
    def pictures(self) -> dict[str, NDArray]:
        """The arrays of pictures.npz, which the views declare; empty if there is none."""
        return read_arrays(self.path / PICTURES)

    @cached_property
    def stability(self) -> dict[str, Any] | None:
        """The content of stability.json; None if the run was not compared with other seeds."""
        return read_stability(self.path / STABILITY)

    @cached_property
    def verdict(self) -> Verdict | None:
        """The content of verdict.json; None for a run of a version that gave none."""
        return read_verdict(self.path / VERDICT)

    def snapshot(self, step: int) -> NDArray:
        """[n, m] the codes that were kept at a step."""
        path = self.path / SNAPSHOT.format(step=step)
        arrays = read_arrays(path)
        if "codes" not in arrays:
            raise InputError(f"{path} is missing, or holds no codes: fit the run again.")
        return arrays["codes"]

    def load(
        self,
        *,
        method: Method | type[Method] | None = None,
        net: Net | Architecture | None = None,
        likelihood: Likelihood | None = None,
    ) -> tuple[Method, Trained]:
        """The method, and what its training returned, on the CPU. Nothing is unpickled.

        Parameters
        ----------
        method, net, likelihood
            Those of the run, where they are of no installed package and so cannot be found by their names.

        Raises
        ------
        InputError
            For files that are damaged or do not fit each other, and a method, network or likelihood that is not found
            or is another than the run's.
        """
        from prismae.runs.loading import loaded  # here: what needs no networks needs no PyTorch

        return loaded(self.path, self.job, self.history, method, net, likelihood)

    # writing

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file, atomically."""
        text = json.dumps(data, indent=1) + "\n"
        self._write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_arrays(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        """Write an .npz file, atomically; arrays of objects, which would be pickled, are refused."""
        pickled = [key for key, array in arrays.items() if array.dtype.hasobject]
        if pickled:
            raise TypeError(f"{name} would hold objects: {', '.join(pickled)}.")
        write = cast(Callable[..., None], np.savez_compressed)  # not every version takes `allow_pickle`
        self._write(name, lambda path: write(path, **arrays))

    def write_trained(self, trained: Trained) -> None:
        """Write history, card and weights; the weights last, since they mark the run as finished."""
        from prismae.runs.loading import write_weights  # here: it needs PyTorch

        self._write(HISTORY, lambda path: write_history(trained.history, path))
        self.write_card()
        self._write(WEIGHTS, lambda path: write_weights(trained, path))
        self.clear()

    def clear(self) -> None:
        """Remove the checkpoint of a finished training, and what killed processes left."""
        sweep(self.path)
        if self.checkpoint.parent.exists():
            # The whole folder: a kill in the middle of a write leaves a part beside the state.
            shutil.rmtree(self.checkpoint.parent, ignore_errors=True)

    def write_card(self, scores: dict[str, Any] | None = None) -> None:
        """Write the model card, README.md, from job.json, verdict.json and `scores`, else those of scores.json."""
        from prismae.runs.model_card import model_card  # here: the kinds of data need PyTorch

        card = model_card(self.job, self.scores if scores is None else scores, self.verdict)
        self._write(CARD, lambda path: path.write_text(card, encoding="utf-8"))

    def _write(self, name: str, write: Callable[[Path], Any]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        how = written_whole if name == CARD else written  # the card is for people to read, and to write on
        with how(place(self.path, name)) as part:
            write(part)
        for read in [*vars(self)]:  # is not what is there now
            if read != "path":
                vars(self).pop(read, None)

    # what the results say

    @cached_property
    def steps(self) -> NDArray:
        """[n] the logged steps."""
        return self.history["step"].to_numpy()

    @cached_property
    def scalars(self) -> dict[str, NDArray]:
        """Loss terms and scalar monitors by column name, each [n] with NaN where it was not logged."""
        others = ("weight:", "evolve:", "unseen:")
        names = [name for name in self._names if name != "step" and not name.startswith(others)]
        return {name: self._column(name) for name in names if not _ELEMENT.fullmatch(name)}

    @cached_property
    def terms(self) -> dict[str, NDArray]:
        """The loss terms alone, each [n]."""
        return {name: values for name, values in self.scalars.items() if not name.startswith("monitor:")}

    @cached_property
    def unseen_terms(self) -> dict[str, NDArray]:
        """The loss terms on what is held out, each [n] with NaN where they were not measured."""
        names = [name for name in self._names if name.startswith("unseen:")]
        return {name.removeprefix("unseen:"): self._column(name) for name in names}

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
        """What is known of the latents; None where not even their spread is.

        Runs of earlier versions did not keep what each tells: it is then the capacity of their channel, or the KL from
        N(0, 1), which is never less.
        """
        if self.spread is None:
            return None
        if self.verdict is not None:
            return Latents(self.spread, np.array(self.verdict.information), np.array(self.verdict.effect))
        noise = self.vectors.get("sigma")
        if noise is not None and noise.shape[1] == len(self.spread):
            return Latents(self.spread, 0.5 * np.log1p((np.nan_to_num(self.spread) / noise[-1]) ** 2))
        return Latents(self.spread, self.pictures.get("kl"))

    @cached_property
    def explained(self) -> float | None:
        """Share of the data's variance that reconstructions explain: 1 - error / error of the mean observation.

        For a run that did not keep the latter, 1 - error in units of the variance of all elements, which is never less.
        None where no error is known, and for texts.
        """
        if self.verdict is not None or self.kind == "texts":
            return None if self.verdict is None else self.verdict.explained
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
                f"{self.path / PICTURES} has observations of the shape {list(frames.shape[1:])}, and {JOB} says "
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
