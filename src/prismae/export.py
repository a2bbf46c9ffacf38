"""Trained models for others: encoder and decoder as ONNX or torch.export files, codes as Parquet, a folder to share.

Encoder: observations [batch, *shape], float32 in the units of the data (pixels as value / 255) → mean codes [batch, m].
Decoder: codes [batch, m] → expected observations. Both hold the scale of the data, and take any batch size. Where
something is given, the decoder takes it from observations [batch, *shape] beside the codes: others of their elements
are not looked at, NaN if one likes.
"""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from prismae._files import written_whole
from prismae.data import World
from prismae.data.kinds import kind_of
from prismae.data.paths import is_path, split_path
from prismae.errors import InputError
from prismae.estimator import Autoencoder, Observations, load
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.text import TextAutoencoderNet
from prismae.runs.files import HISTORY, HUB, JOB, SCORES, VERDICT, WEIGHTS, place
from prismae.runs.manifest import LOCK, written
from prismae.runs.run import Run

TOLERANCE = 1e-4  # of what a file computes against PyTorch, in units of the greatest value
CHECKED = 64  # observations that files are checked on

Function = Callable[..., NDArray]
Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Parameters
    ----------
    path
        Where it is.
    difference
        Greatest difference of its outputs from PyTorch's, over the greatest output (codes: over 1 if that is more).
    """

    path: Path
    difference: float


class Encoder(nn.Module):
    """Observations [batch, *shape] → mean codes [batch, m]."""

    def __init__(self, ae: AutoencoderNet) -> None:
        super().__init__()
        self.ae = deepcopy(ae)
        self.ae.decoder = nn.Identity()  # not a part of the file; a posterior may read the parts

    def forward(self, x: Tensor) -> Tensor:
        return self.ae.encode(x).mean


class Decoder(nn.Module):
    """Codes [batch, m] → expected observations [batch, *shape]; where something is given, of codes and observations of
    which that is taken."""

    def __init__(self, ae: AutoencoderNet) -> None:
        super().__init__()
        self.ae = deepcopy(ae)
        self.ae.encoder, self.ae.parts = nn.Identity(), nn.ModuleDict()  # not a part of the file

    def forward(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        return self.ae.generate(z, x)


def to_onnx(model: Autoencoder, folder: Path | str, X: Observations) -> list[Exported]:
    """Write encoder.onnx and decoder.onnx, each checked against PyTorch by ONNX Runtime.

    Parameters
    ----------
    model
        A fitted autoencoder.
    folder
        Where the files go; made if it is not there.
    X
        Observations to check the files with, of which up to 64 are taken.

    Raises
    ------
    InputError
        Without the extra ``prismae[onnx]``, for a network that ONNX cannot express, and where a file's outputs
        differ from PyTorch's by more than 1e-4 of the greatest value; no file is left then.
    """
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise InputError(f"ONNX files need {', '.join(missing)}: pip install 'prismae[onnx]'.")
    import onnxruntime

    def write(
        module: nn.Module, example: Inputs, names: tuple[str, ...], about: dict[str, str], path: Path
    ) -> Function:
        with _quiet():
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                dynamic_shapes=_any_batch(example),
                input_names=names[:-1],
                output_names=names[-1:],
                verbose=False,
            )
        assert program is not None
        program.model.metadata_props.update(about)
        program.save(path, external_data=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return lambda *x: session.run(None, dict(zip(names, [each.numpy() for each in x], strict=False)))[0]

    return _written(model, Path(folder), X, "onnx", write)


def to_torch(model: Autoencoder, folder: Path | str, X: Observations) -> list[Exported]:
    """Write encoder.pt2 and decoder.pt2 by torch.export, each read again and checked against the model.

    ``torch.export.load(path).module()`` runs them without prismae. Parameters and errors are those of `to_onnx`.
    """

    def write(
        module: nn.Module, example: Inputs, names: tuple[str, ...], about: dict[str, str], path: Path
    ) -> Function:
        with _quiet():
            program = torch.export.export(module, example, dynamic_shapes=_any_batch(example))
            torch.export.save(program, path, extra_files={"prismae.json": json.dumps(about)})
            again = torch.export.load(path).module()
        return lambda *x: again(*x).detach().numpy()

    return _written(model, Path(folder), X, "pt2", write)


def to_parquet(model: Autoencoder, path: Path | str, X: Observations) -> Path:
    """Write the codes of observations: one row for each, columns z0, z1, …, and the factors of a world beside them.

    The table's index, a column ``name`` of the file, says what each observation is called: see `prismae.World.names`.

    Raises
    ------
    InputError
        For a world with a factor that is named like a code.
    """
    codes = pd.DataFrame(np.asarray(model.transform(X)), columns=model.get_feature_names_out())
    if isinstance(X, World) and X.factors is not None:
        factors = pd.DataFrame({name: X.named(name) for name in X.factor_names})
        both = codes.columns.intersection(factors.columns)
        if len(both):
            raise InputError(f"World {X.name!r} has a factor {both[0]!r}, which is the name of a code.")
        codes = pd.concat([codes, factors], axis=1)
    names = X.called if isinstance(X, World) else X.index if isinstance(X, pd.DataFrame) else codes.index
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        codes.set_axis(pd.Index(names, name="name")).to_parquet(part, index=True)
    return path


def to_hub(run: Run | Path | str, folder: Path | str) -> Path:
    """Write a run as a folder in the layout of the Hugging Face Hub, which `prismae.load` and every command read.

    README.md (the model card), config.json (what job.json says), model.safetensors, history.parquet, and verdict.json
    and scores.json where the run has them. Observations, and where they lay, are not in it: pictures.npz stays behind,
    and of the path of own data the name remains.

    Parameters
    ----------
    run
        A finished run, or its folder: ``model.save("mine")``, then ``to_hub("mine", "shared")``.
    folder
        A new folder, or one that is empty but for hidden files, such as the clone of a new repository.

    Returns
    -------
    The folder.

    Raises
    ------
    InputError
        For a folder that holds anything; and where the weights would come without what reads them: a method,
        controller, network or likelihood that no installed package declares.
    """
    run = Run.open(run if isinstance(run, Path | str) else run.path)
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InputError(f"{str(folder)!r} is a file, expected a new folder.")
    found = sorted(each.name for each in target.iterdir() if each.name[0] != ".") if target.exists() else []
    if found:
        raise InputError(f"{str(folder)!r} holds {', '.join(found[:5])}: expected a new or empty folder.")
    try:
        load(run.path)
    except InputError as error:
        raise InputError(f"A shared run is read by others, and this one cannot be: {error}") from error
    job: dict[str, Any] = {**run.job}
    job.pop("found_at", None)
    if is_path(job["world"]):
        path, part = split_path(job["world"])
        job["world"] = path.name + (f":{part}" if part else "/" if path.is_dir() else "")
    target.mkdir(parents=True, exist_ok=True)
    shared = Run(target)
    with written(target / HUB[JOB]) as config:
        config.write_text(json.dumps(job, indent=1) + "\n", encoding="utf-8")
    for name in (VERDICT, SCORES, HISTORY):
        if (run.path / name).exists():
            _copy(run.path / name, target / name)
    shared.write_card()
    _copy(place(run.path, WEIGHTS), target / HUB[WEIGHTS])
    (target / LOCK).unlink(missing_ok=True)
    return target


def _copy(path: Path, to: Path) -> None:
    with written(to) as part:
        shutil.copyfile(path, part)


def _written(
    model: Autoencoder,
    folder: Path,
    X: Observations,
    suffix: str,
    write: Callable[[nn.Module, Inputs, tuple[str, ...], dict[str, str], Path], Function],
) -> list[Exported]:
    check_is_fitted(model)
    if isinstance(model.net_, TextAutoencoderNet):
        raise InputError(
            "A network of texts writes word by word and cannot be exported: expected its codes only."
        )
    x = model.read(X, CHECKED)
    if len(x) == 1:  # exporters would take the number of rows for a fixed one
        x = torch.cat([x, x])
    with torch.no_grad():
        z = model.net_.encode(x).mean
    beside = (x,) if model.net_.given else ()
    about = _about(model)
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    for name, module, example, names, least in (
        ("encoder", Encoder(model.net_), (x,), ("observations", "codes"), 1.0),
        (
            "decoder",
            Decoder(model.net_),
            (z, *beside),
            ("codes", *["given"] * len(beside), "observations"),
            0.0,
        ),
    ):
        path = folder / f"{name}.{suffix}"
        with written_whole(path) as part, torch.no_grad():
            try:
                outputs = write(module.eval(), example, names, about, part)
            except Exception as error:  # exporters raise errors of many kinds
                reason = str(error).strip().splitlines()[0]
                raise InputError(
                    f"The {name} of {model.method_.name()} with network {model.about_['net']!r} cannot be written as "
                    f"{suffix} ({type(error).__name__}: {reason})."
                ) from error
            single = tuple(each[:1] for each in example)
            difference = max(_difference(module, outputs, rows, least) for rows in (example, single))
            if not difference <= TOLERANCE:
                raise InputError(
                    f"{path.name} was not written: its outputs differ from PyTorch's by {difference:.1e} of the "
                    f"greatest value, expected at most {TOLERANCE:g}."
                )
        done.append(Exported(path, difference))
    return done


def _any_batch(example: Inputs) -> Any:
    """How a file is told that its inputs may have any number of rows."""
    batch = torch.export.Dim("batch")
    return tuple({0: batch} for _ in example)


def _difference(module: nn.Module, outputs: Function, rows: Inputs, least: float) -> float:
    expected = module(*rows).numpy()
    found = outputs(*rows)
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / max(least, np.abs(expected).max()))


def _about(model: Autoencoder) -> dict[str, str]:
    """What a file says of itself, as texts."""
    job = model.about_
    kind = kind_of(job)
    about = {
        "library": f"prismae {job['version']}",
        "method": job["method"],
        "fields": json.dumps(job["fields"]),
        "data": job["source"] or job["world"],
        "observations": f"float32 [batch, {', '.join(map(str, job['shape']))}], {kind.units()}",
        "codes": f"float32 [batch, {job['n_latents']}], means of the posterior",
    }
    if kind.element_names:
        about["elements"] = json.dumps(kind.element_names)
    if kind.given:
        about["given"] = f"observations, of which {', '.join(kind.given)} are taken"
    return about | {name: json.dumps(each) for name, each in kind.scheme_json().items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' remarks, which are about their own internals."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels: list[Any] = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
