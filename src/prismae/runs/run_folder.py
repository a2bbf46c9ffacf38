"""The run folder: what was asked, the weights, the history, and whatever is made of them later."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from prismae._discovery import class_path, of_package
from prismae._files import written_whole
from prismae._job_record import checked_job
from prismae._random import Draws
from prismae._version import __version__
from prismae.data import Summary, World
from prismae.data.kinds import kind_of
from prismae.errors import InputError
from prismae.methods import Adversarial, Method, all_methods, method
from prismae.nets import Architecture, Likelihood, Net
from prismae.runs.model_card import model_card
from prismae.train.build import build
from prismae.train.checkpoint import read_tensors
from prismae.train.loop import Trained

JOB = "job.json"
WEIGHTS = "weights.safetensors"
HISTORY = "history.parquet"
SCORES = "scores.json"
PICTURES = "pictures.npz"
CARD = "README.md"
SNAPSHOT = "codes-{step}.npz"

FILES = (
    JOB,
    WEIGHTS,
    HISTORY,
    SCORES,
    PICTURES,
    CARD,
    "decoder.json",
    "stability.json",
    "report.html",
    "error.txt",
)
FOLDERS = ("figures", "export", "checkpoint")

NEEDED = (
    "method", "fields", "world", "source", "n", "shape", "pixels", "summary", "n_latents", "net", "likelihood", "steps",
    "batch", "lr", "seed", "precision", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run. Files are written under a temporary name and then renamed.

    ``job.json`` what was asked for, and what came of it; ``weights.safetensors`` its presence means that training is
    finished; ``history.parquet``, ``scores.json``, ``pictures.npz``, ``decoder.json`` the layers of the decoder,
    ``figures/``, ``report.html``; ``README.md`` the model card;
    ``checkpoint/state.safetensors`` while training goes on.
    """

    path: Path

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """The folder of a finished run.

        Raises
        ------
        InputError
            If there is no such folder, or the run in it is not finished.
        """
        folder = cls(Path(path))
        if not folder.path.is_dir():
            raise InputError(f"There is no run folder {str(path)!r}.")
        missing = [name for name in (JOB, WEIGHTS, HISTORY) if not (folder.path / name).exists()]
        if missing:
            goes_on = (
                "run the same fit again to go on" if folder.checkpoint.exists() else "it is not a run folder"
            )
            raise InputError(
                f"{str(path)!r} is not a finished run: {', '.join(missing)} missing ({goes_on})."
            )
        return folder

    @classmethod
    @contextmanager
    def anew(cls, path: Path | str) -> Iterator[RunFolder]:
        """A folder to write a run into, which takes the place of what is at `path` when all went well.

        Nothing of an older run is left there: pictures, scores and exports are of its weights. A reader sees the old
        run, for a moment none, and then the new one.

        Raises
        ------
        InputError
            If `path` holds anything that is not of a run, which would be lost.
        """
        home = Path(path).resolve()  # a link stays one
        cls(home)._check_replaceable()
        part, old = (home.with_name(f".{home.name}.{os.getpid()}.{what}") for what in ("part", "old"))
        part.mkdir(parents=True)
        try:
            yield cls(part)
            if home.exists():
                home.rename(old)
            part.rename(home)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            if old.exists() and not home.exists():
                old.rename(home)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def _check_replaceable(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{str(self.path)!r} is a file, expected a folder or a new name.")
        found = sorted(each.name for each in self.path.iterdir()) if self.path.exists() else []
        foreign = [
            name
            for name in found
            if name not in (*FILES, *FOLDERS) and not name.startswith((".", SNAPSHOT.partition("{")[0]))
        ]
        if found and (foreign or JOB not in found):
            raise InputError(
                f"{str(self.path)!r} holds {', '.join((foreign or found)[:5])}, which a run saved over it would "
                "remove: expected a new or empty folder, or one that holds nothing but a run."
            )

    @property
    def checkpoint(self) -> Path:
        """Where training keeps its state."""
        return self.path / "checkpoint" / "state.safetensors"

    @property
    def finished(self) -> bool:
        """Whether training is done."""
        return (self.path / WEIGHTS).exists()

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder, which holds an object; that of `JOB` is held to its schema."""
        try:
            content = dict(json.loads((self.path / name).read_bytes()))
        except FileNotFoundError:
            raise InputError(f"{str(self.path)!r} has no {name}.") from None
        except (ValueError, TypeError) as error:
            raise InputError(f"{str(self.path / name)!r} is damaged: {error}.") from None
        return checked_job(content, self.path / name) if name == JOB else content

    def write_json(self, name: str, data: dict[str, Any]) -> None:
        """Write a JSON file, atomically."""
        text = json.dumps(data, indent=1) + "\n"
        self._write(name, lambda path: Path(path).write_text(text))

    def write_arrays(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        """Write an .npz file, atomically."""

        def write(path: str) -> None:
            with open(path, "wb") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)

        self._write(name, write)

    def write_trained(self, trained: Trained) -> None:
        """Write history, card and weights; the weights last, since they mark the run as finished."""
        self._write(HISTORY, lambda path: trained.history.to_parquet(path, index=False))
        self.write_card()
        tensors = {f"ae.{name}": value for name, value in trained.ae.state_dict().items()}
        if trained.critic is not None:
            tensors |= {f"critic.{name}": value for name, value in trained.critic.state_dict().items()}
        self._write(WEIGHTS, lambda path: save_file({k: v.contiguous() for k, v in tensors.items()}, path))
        if self.checkpoint.exists():
            self.checkpoint.unlink()
            self.checkpoint.parent.rmdir()

    def write_card(self) -> None:
        """Write the model card, README.md, from job.json and, if there is one, scores.json."""
        scores = self.read_json(SCORES) if (self.path / SCORES).exists() else None
        card = model_card(self.read_json(JOB), scores)
        self._write(CARD, lambda path: Path(path).write_text(card, encoding="utf-8"))

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
        """
        job = self.read_json(JOB)
        missing = [name for name in NEEDED if name not in job]
        if missing:
            raise InputError(f"{str(self.path / JOB)!r} is damaged: it has no {', '.join(missing)}.")
        chosen = _found(job) if method is None else _given(job, method)
        with Draws(0):  # weights that are written over
            ae = build(
                chosen,
                kind_of(job),
                tuple(job["shape"]),
                Summary(**job["summary"]),
                n_latents=job["n_latents"],
                net=job["net"] if net is None else net,
                likelihood=job["likelihood"] if likelihood is None else likelihood,
            )
            critic = chosen.critic(job["n_latents"]) if isinstance(chosen, Adversarial) else None
        tensors = read_tensors(self.path / WEIGHTS)
        for name, module in (("ae.", ae), ("critic.", critic)):
            if module is not None:
                own = {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}
                try:
                    module.load_state_dict(own)
                except RuntimeError:
                    raise InputError(
                        f"{str(self.path / WEIGHTS)!r} is damaged: it does not hold the weights of the network that "
                        f"{JOB} tells of."
                    ) from None
        try:
            history = pd.read_parquet(self.path / HISTORY)
        except (OSError, ValueError) as error:
            raise InputError(f"{str(self.path / HISTORY)!r} is damaged: {error}.") from None
        return chosen, Trained(
            ae.eval(),
            critic and critic.eval(),
            history,
            job["seconds"],
            tuple(job.get("warnings", ())),
            steps=job["steps"],
        )

    def _write(self, name: str, write: Callable[[str], Any]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path / name) as part:
            write(str(part))


def _found(job: dict[str, Any]) -> Method:
    """The method that a run's job.json names, if it is the one that was trained."""
    known, called, path = all_methods(), job["method"], job.get("class")
    same = called in known and path is not None and of_package(known[called], path)
    if path is None or same:  # runs of version 0.1 do not say the class
        return method(called, **job["fields"])
    raise InputError(
        f"The run's method {called!r} is the class {path}, which no installed package declares by that name: "
        f"expected the class, as in load(path, method={path.rpartition('.')[2]})."
    )


def _given(job: dict[str, Any], given: Method | type[Method]) -> Method:
    """The method that a user names as that of a run."""
    cls = given if isinstance(given, type) else type(given)
    if not issubclass(cls, Method):
        raise InputError(f"The method of a run should be given as a Method or its class, got {given!r}.")
    chosen = cls(**job["fields"]) if isinstance(given, type) else given
    called = job["method"]
    # else it is a class that version 0.1 named after its file
    known = "class" in job or called in all_methods()
    if (known and chosen.called() != called) or json.loads(json.dumps(chosen.fields())) != job["fields"]:
        raise InputError(f"The run's method is {called!r} with {job['fields']}, got {chosen!r}.")
    return chosen


def describe(method: Method, world: World, /, **run: Any) -> dict[str, Any]:
    """What a run's job.json says: the method with all its fields, the world, and the settings given as `run`.

    `run` needs at least n_latents, net, likelihood, steps, batch, lr, seed and precision.
    """
    return {
        "method": method.called(),
        "fields": method.fields(),
        "reconstruction": method.reconstruction,
        "class": class_path(type(method)),
        **world.kind.to_json(),
        **run,
        "lr": method.optimizer().lr if run["lr"] is None else run["lr"],
        "source": world.source,
        "n": len(world),
        "shape": list(world.shape),
        "summary": asdict(world.summary),
        "version": __version__,
    }


def machine(device: str) -> str:
    """What a run was computed on, as results should name it."""
    if device not in ("auto", "cpu") or (device == "auto" and torch.cuda.is_available()):
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"
