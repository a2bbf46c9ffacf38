"""The files of a run folder: their names, and how each is read; none of it needs PyTorch."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow.parquet import read_metadata

from prismae._better import Better
from prismae._files import check_room
from prismae.errors import InputError, in_a_sentence
from prismae.runs.job_record import JobRecord, checked_job
from prismae.runs.manifest import whole
from prismae.runs.verdict import Verdict

JOB = "job.json"
WEIGHTS = "weights.safetensors"
HISTORY = "history.parquet"
SCORES = "scores.json"
PICTURES = "pictures.npz"
DECODER = "decoder.json"
STABILITY = "stability.json"
VERDICT = "verdict.json"
FAILED = "failed.json"
CARD = "README.md"
HUB = {JOB: "config.json", WEIGHTS: "model.safetensors"}  # their names in a folder for a hub of models
SNAPSHOT = "codes-{step}.npz"
DIGEST = "sha256"  # key of what a history says of itself
CHECKPOINT = "checkpoint/state.safetensors"
OTHERS = (
    "report.html",
    "error.txt",
    FAILED,
    "figures",
    "export",
    "tensorboard",
    "checkpoint",
)  # what is made of a run later, or before


_HALF = re.compile(r"(?i)\\ud[89a-f]")


def place(folder: Path, name: str) -> Path:
    """Where a file of a run lies: under its own name, or under that which hubs of models know it by."""
    own, other = folder / name, folder / HUB.get(name, name)
    return other if other.is_file() and not own.exists() else own


def read_job(path: Path) -> JobRecord:
    """A job.json, held to its schema; raises InputError where it is missing or damaged."""
    job = _read_json(path, "give the folder that `prismae fit` wrote")
    assert job is not None
    return checked_job(job, path)


def read_scores(path: Path) -> dict[str, Any] | None:
    """A scores.json; None without the file."""
    scores = _read_json(path, missing=None)
    if scores is not None and not _scores_fit(scores):
        raise InputError(
            f"{path} is not a table of scores by protocol: remove it and evaluate the run again."
        )
    return scores


def read_stability(path: Path) -> dict[str, Any] | None:
    """A stability.json; None without the file."""
    stability = _read_json(path, missing=None)
    if stability is not None and not {"seeds", "latents", "udr"} <= stability.keys():
        raise InputError(f"{path} is not a comparison of seeds: remove it.")
    return stability


def read_failure(path: Path) -> str | None:
    """Why a training came to no end, of a failed.json; None without the file."""
    content = _read_json(path, missing=None)
    return None if content is None else str(content.get("text", ""))


def read_verdict(path: Path) -> Verdict | None:
    """A verdict.json; None without the file, for runs of versions that gave none."""
    content = _read_json(path, missing=None)
    return None if content is None else Verdict.from_json(content, str(path))


def _read_json(path: Path, missing: str | None) -> dict[str, Any] | None:
    """The object in a JSON file; without the file, None, or an error that ends with `missing`."""
    if not path.is_file():
        if missing is None:
            return None
        raise InputError(f"{path} is missing: {missing}.")
    remedy = "remove it and evaluate the run again" if missing is None else "fit the run again"
    broken = (OSError, ValueError, RecursionError)
    with in_a_sentence(f"{path} is damaged, it cannot be read as JSON", *broken, then=remedy):
        text = whole(path).decode()
        content = json.loads(text)
        if _HALF.search(text):  # of a letter beyond 16 bits; a half alone is none, and no page could show it
            json.dumps(content, ensure_ascii=False).encode()
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
            _says_which_is_better(score) and isinstance(score.get("beside", {}), dict)
            for protocol in protocols.values()
            for score in protocol.values()
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


def write_history(history: pd.DataFrame, path: Path) -> None:
    """Write a history.parquet, with a digest of all that is in it."""
    told = history.copy(deep=False)
    told.attrs = {DIGEST: _digest(history)}
    told.to_parquet(path, index=False)


def _digest(history: pd.DataFrame) -> str:
    found = hashlib.sha256("\n".join(map(str, history.columns)).encode())
    for _, column in history.items():
        values = column.to_numpy(np.float64, na_value=np.nan)
        found.update(np.where(np.isnan(values), np.nan, values).tobytes())
    return found.hexdigest()


def read_history(path: Path) -> pd.DataFrame:
    """A history.parquet: the columns that are numbers, in the order of steps."""
    if not path.is_file():
        raise InputError(f"{path} is missing: the run has logged no step yet; go on with its fit first.")
    # errors of many kinds: what is damaged may be what tells of types
    with in_a_sentence(f"{path} is damaged", Exception, then="fit the run again"):
        content = BytesIO(whole(path))
        about = read_metadata(content)
        check_room(path, 8 * about.num_rows * about.num_columns, "values")
        history = pd.read_parquet(content, engine="pyarrow")
    _check_digest(history, path)
    history.columns = history.columns.map(str)
    history = history.select_dtypes("number")
    if "step" not in history or history.empty:
        lack = "no rows" if "step" in history else "no column `step` of numbers"
        raise InputError(f"{path} has {lack}: go on with the fit of the run first.")
    # a run that was continued from a checkpoint may log a step twice: the later row counts
    return (
        history.sort_values("step", kind="stable").drop_duplicates("step", keep="last").reset_index(drop=True)
    )


def _check_digest(history: pd.DataFrame, path: Path) -> None:
    digest = history.attrs.pop(DIGEST, None)  # earlier versions wrote none
    try:
        same = digest is None or digest == _digest(history)
    except (TypeError, ValueError):  # a column that is of no numbers any more
        same = False
    if not same:
        raise InputError(f"{path} is damaged, its content is not what was written: fit the run again.")


def read_arrays(path: Path) -> dict[str, NDArray]:
    """The arrays of an .npz file; none if there is no such file. Raises InputError where it is damaged."""
    if not path.is_file():
        return {}
    broken = (OSError, ValueError, EOFError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)
    with in_a_sentence(f"{path} is damaged", *broken, then="remove it and evaluate the run again"):
        content = BytesIO(whole(path))
        with zipfile.ZipFile(content) as packed:
            check_room(path, sum(each.file_size for each in packed.infolist()))
        with np.load(content, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
