"""What job.json says of a run: its one schema, which every reader of the file holds it to."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NotRequired, cast

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from prismae._version import __version__
from prismae.errors import DataWarning, InputError

Number = Annotated[int, Ge(1), Le(10**9)]
Code = Annotated[int, Ge(1), Le(10_000)]
OPEN = ConfigDict(extra="allow", strict=True)  # versions to come may say more
NOT_MANY = 3  # faults that are named


@with_config(OPEN)
class SummaryRecord(TypedDict):
    """Statistics of the elements of observations."""

    mean: float
    std: float
    low: float
    high: float


@with_config(OPEN)
class TableRecord(TypedDict):
    """How columns became numbers: mean and deviation of a number, values of a category."""

    columns: list[str]
    scaling: dict[str, Annotated[list[float], MinLen(2)]]
    categories: dict[str, list[Any]]
    constants: NotRequired[dict[str, Any]]
    written: NotRequired[dict[str, str]]
    sorts: NotRequired[dict[str, str]]
    left_out: NotRequired[list[str]]
    index: NotRequired[str]
    zones: NotRequired[dict[str, str]]


@with_config(OPEN)
class ChannelsRecord(TypedDict):
    """How channels were scaled."""

    means: list[float]
    stds: list[float]
    names: NotRequired[list[str]]


@with_config(OPEN)
class ControlRecord(TypedDict):
    """A controller and its fields."""

    controller: str


# The functional form, since one key is called "class". No key is needed by all readers: each says what it lacks.
JobRecord = TypedDict(
    "JobRecord",
    {
        # what was trained by what
        "id": str,
        "version": str,
        "method": str,
        "class": str,
        "fields": dict[str, Any],
        "reconstruction": str,
        "n_latents": Code,
        "net": str,
        "likelihood": str,
        "steps": Number,
        "batch": Number,
        "lr": Annotated[float, Gt(0)] | None,
        "seed": int,
        "precision": str,
        "snapshots": list[int],
        "controls": list[ControlRecord],
        "control_classes": list[str | None] | None,
        # on what
        "world": str,
        "source": str,
        "found_at": str,
        "contents": str,
        "factors": list[str] | None,
        "size": int | None,
        "axes": str | None,
        "skip_damaged": bool,
        "holdout": float | None,
        "series": str | None,
        "channel_names": list[str] | None,
        "window": int | None,
        "stride": int | None,
        "rate": float | None,
        "series_id": str | None,
        "time": str | None,
        "drop": list[str] | None,
        "categorical": list[str] | None,
        "numeric": list[str] | None,
        "given": list[str] | None,
        "index": str | None,
        "missing": list[str] | None,
        "sep": str | None,
        "tokens": str | None,
        "sheet": str | None,
        "n": Number,
        "shape": Annotated[list[Number], MinLen(1)],
        "summary": SummaryRecord,
        "kind": str,
        "pixels": bool,
        "offset": float,
        "notices": list[str],
        "lacking": list[int],  # elements of which some observations lack the value
        "constant": dict[str, float],
        "table": TableRecord,
        "channels": ChannelsRecord,
        "vocabulary": list[str],
        "value_names": dict[str, list[str]],  # of factors with few values
        "given_shape": list[Number],  # of runs that were saved from Python, as is the next
        "feature_names": list[str] | None,
        # and what came of it
        "seconds": Annotated[float, Ge(0)],
        "warm_up": Annotated[float, Ge(0)],
        "machine": str,
        "updates": int,
        "kept": Number,
        "warnings": list[str],
    },
    total=False,
)
NEEDED = (  # by whoever loads the networks
    "method", "fields", "world", "source", "n", "shape", "pixels", "summary", "n_latents", "net", "likelihood", "steps",
    "batch", "lr", "seed", "precision", "seconds",
)  # fmt: skip
with_config(OPEN)(JobRecord)


def checked_job(content: Any, path: Path) -> JobRecord:
    """The content of a job.json, if all that it says is of the right type; unknown keys stay.

    A file of a later version of prismae is read as far as this one knows it, with a warning.

    Raises
    ------
    InputError
        Naming the file and what is wrong in it.
    """
    try:
        _reader().validate_python(content)
        faults = _unfit(content)
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors()[:NOT_MANY]]
    if faults:
        raise InputError(
            f"{path} is damaged, or of a version of prismae that this one does not know: {'; '.join(faults)}."
        )
    if _numbers(version := content.get("version", "")) > _numbers(__version__):
        warnings.warn(
            f"{path} was written by prismae {version:.20}, which is later than this one ({__version__}): what only "
            "that knows is passed over.",
            DataWarning,
            stacklevel=2,
        )
    return cast(JobRecord, content)  # as it was written, to the type of each number


def from_python(job: Mapping[str, Any]) -> bool:
    """Whether a run was saved by `Autoencoder.save`, so that its data may not be found again."""
    return "given_shape" in job


@cache
def _reader() -> TypeAdapter:
    """What reads a record; making it takes longer than reading."""
    return TypeAdapter(JobRecord)


def _numbers(version: str) -> list[int]:
    """What stands before the first letter of a version."""
    return [int(each) for each in re.findall(r"\d{1,9}", re.split("[a-z]", version, maxsplit=1)[0])]


def _unfit(job: Mapping[str, Any]) -> list[str]:
    """What of a record says another number of columns or channels than its shape, or lacks it."""
    shape, told = job.get("shape"), {}
    if "table" in job:
        table = job["table"]
        told["table"] = len(table["scaling"]) + sum(map(len, table["categories"].values()))
    if "channels" in job:
        told["channels.means"], told["channels.stds"] = (
            len(job["channels"][key]) for key in ("means", "stds")
        )
    known = {**job["table"]["scaling"], **job["table"]["categories"]} if "table" in job else None
    lost = [
        name for name in job.get("given") or () if not (name.isdecimal() if known is None else name in known)
    ]
    lacking = ["shape is missing, and channels says that there is one"] * ("channels" in job and not shape)
    return (
        lacking
        + [
            f"{name} is of {n} numbers, and shape of {shape[0]}"
            for name, n in told.items()
            if shape and n != shape[0]
        ]
        + [f"given names {name!r}, which is no column" for name in lost]
    )


def _fault(error: Any) -> str:
    """A fault in words, after the place of the value: "n_latents: should be a valid integer, got 'three'"."""
    place, said = ".".join(map(str, error["loc"])), error["msg"].replace("Input should", "should")
    return f"{place}: {said}, got {error['input']!r:.60}"
