"""Run: the record of a finished training, and its folder; one reader and one writer of its files.

Importing this module, and reading a run, needs no PyTorch; `Run.load` and writing what was trained do.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
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
    FAILED,
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
    read_failure,
    read_history,
    read_job,
    read_scores,
    read_stability,
    read_verdict,
    write_history,
)
from prismae.runs.job_record import JobRecord, from_python
from prismae.runs.latents import Latents
from prismae.runs.logged import Logged
from prismae.runs.manifest import MANIFEST, check, written
from prismae.runs.shown import Shown
from prismae.runs.verdict import Verdict

if TYPE_CHECKING:
    from prismae.methods import Method
    from prismae.nets import Architecture, Likelihood, Net
    from prismae.train import Trained


@dataclass(frozen=True)
class Run:
    """What one training left behind, in a folder.

    ``job.json`` what was asked for, and what came of it; ``weights.safetensors`` its presence means that training is
    finished; ``history.parquet``; ``scores.json``; ``pictures.npz``; ``decoder.json`` the layers of the decoder;
    ``stability.json``; ``verdict.json``; ``failed.json`` why a job of a study came to no end; ``manifest.json`` the
    digests of these; ``figures/``, ``report.html``; ``README.md`` the model card; ``checkpoint/state.safetensors``
    while training goes on. `prismae.export.to_hub` gives the first two other names.
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

    @cached_property
    def failure(self) -> str | None:
        """Why the training came to no end, if something became infinite or NaN."""
        return read_failure(self.path / FAILED)

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
    def logged(self) -> Logged:
        """The columns of the history by what they are: terms, weights, what was observed of the latents."""
        return Logged(self.history)

    @cached_property
    def shown(self) -> Shown:
        """The observations in pictures.npz as people see them: their kind, units and names."""
        return Shown(self.path / PICTURES, self.pictures, self.job)

    @cached_property
    def spread(self) -> NDArray | None:
        """[m] standard deviation of each code: from pictures, scores or the last monitor; None if unknown."""
        if "spread" in self.pictures:
            return self.pictures["spread"].astype(float)
        if self.scores and self.scores.get("spread") is not None:
            return np.asarray(self.scores["spread"], dtype=float)
        monitored = self.logged.vectors.get("monitor:spread", np.empty((0, 0)))
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
        noise = self.logged.vectors.get("sigma")
        if noise is not None and noise.shape[1] == len(self.spread):
            return Latents(self.spread, 0.5 * np.log1p((np.nan_to_num(self.spread) / noise[-1]) ** 2))
        return Latents(self.spread, self.pictures.get("kl"))

    @cached_property
    def explained(self) -> float | None:
        """Share of the data's variance that reconstructions explain: 1 - error / error of the mean observation.

        For a run that did not keep the latter, 1 - error in units of the variance of all elements, which is never less.
        None where no error is known, and for texts.
        """
        if self.verdict is not None or self.shown.kind == "texts":
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

    @property
    def from_python(self) -> bool:
        """Whether the run was saved by `Autoencoder.save`, so that its data cannot be found again."""
        return from_python(self.job)

    @cached_property
    def unseen(self) -> dict[str, Any]:
        """What was measured on observations that were not trained on: `n`, `reconstruction`, `protocols`."""
        return (self.scores or {}).get("unseen") or {}
