"""What a job trains on, and what it never sees: a part of its own world that is held out, or a world's test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Literal

from prismae.data import World, world, world_names, world_splits
from prismae.data.image_folder import is_image
from prismae.data.kinds import kind_of
from prismae.data.own import from_path
from prismae.data.paths import contents, is_path, split_path
from prismae.data.shifts import tried_on
from prismae.errors import InputError
from prismae.runs.job_record import from_python
from prismae.settings import Reading, as_plain

OF_DATA = ("n", "shape", "summary")  # by which data that were given in Python are recognised


def observations(job: Mapping[str, Any]) -> World:
    """The world that a job trains on, without what is held out; `job` is its job.json or its fields.

    Raises
    ------
    InputError
        For own data that have changed since the job was trained, that are not there any more, or that were given in
        Python and so are not known; and as `prismae.world`.
    """
    return parted(job)[0]


def parted(job: Mapping[str, Any]) -> tuple[World, World | None]:
    """The same, and what is held out of it; None where nothing is."""
    whole = everything(job)
    return whole.split(job["holdout"]) if job.get("holdout") else (whole, None)


def unseen(job: Mapping[str, Any]) -> World | None:
    """What a job does not train on: the part that is held out, what a shifted world is tried on, or the test split of a
    world that has one.

    None where there is none of them, and where the job was given a split by name.
    """
    if job.get("holdout"):
        return parted(job)[1]
    name = job.get("world", "")
    if name.partition(":")[0] in world_names() and (trial := tried_on(name)):
        return world(trial)
    splits = world_splits(name) if name in world_names() else ()
    return world(f"{name}:test") if splits[:1] == ("train",) and "test" in splits else None


def everything(job: Mapping[str, Any]) -> World:
    """The world of a job, with what is held out. Raises what `observations` does."""
    lacking = [name for name in ("world", *(OF_DATA if from_python(job) else ())) if name not in job]
    if lacking:
        raise InputError(f"The run's job.json is damaged: it does not say {', '.join(lacking)}.")
    if from_python(job):
        return _named(job)
    return world(_unchanged(job), **{name: value for name, value in as_plain(_reading(job)).items() if value})


def new_observations(
    source: str, job: Mapping[str, Any], handle_unknown: Literal["error", "ignore"] = "error"
) -> World:
    """Observations new to a trained model: a world by name, or own data, which become numbers as the job's did.

    One observation is enough, nothing needs to vary, and the job's factors are left out where they are missing. By
    "ignore" a category that the job's data do not have is taken for none of theirs.
    """
    if not is_path(source) and (source in world_names() or not Path(source).is_dir()):
        return world(source)
    reading = replace(_reading(job), channel_names=())
    path = split_path(source)[0]
    if not (path.is_dir() or is_image(path)):
        reading = replace(reading, size=None, skip_damaged=False)
    like = kind_of(job)
    return from_path(source, reading=reading, like=like.lenient() if handle_unknown == "ignore" else like)


def _reading(job: Mapping[str, Any]) -> Reading:
    """How a job's own data are read; what is held out is another matter."""
    names = [each.name for each in fields(Reading) if each.name != "holdout" and job.get(each.name)]
    given: dict[str, Any] = {name: job[name] for name in names}
    made: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in given.items()
    }
    return Reading(**made)


def known_by(source: str) -> dict[str, str]:
    """What job.json says of own data, to find them again and to see whether they changed: nothing for a world's name.

    ``found_at``, the path from the root; ``contents``, the hash of all that they are made of.
    """
    if not is_path(source):
        return {}
    path, part = split_path(source)
    return {
        "found_at": str(path.resolve()) + (f":{part}" if part else ""),
        "contents": contents(source).hex(),
    }


def _named(job: Mapping[str, Any]) -> World:
    """The world that a model saved from Python was fitted on, where it is one with a name and still the same."""
    if job["world"] in world_names():
        found = world(job["world"])
        kept = found.split(job["holdout"])[0] if job.get("holdout") else found
        if (len(kept), list(kept.shape), asdict(kept.summary)) == (job["n"], job["shape"], job["summary"]):
            return found
    raise InputError(
        "The run was saved from Python, so its data are not known here: give the data to "
        "Autoencoder.save(folder, X), prismae.evaluate(model, world) or `prismae export RUN --world DATA`."
    )


def _unchanged(job: Mapping[str, Any]) -> str:
    """Where a job's world is: its name, or the path of its own data, which are still what they were."""
    source, at = job["world"], job.get("found_at")
    if at is not None and split_path(at)[0].exists():
        source = at
    elif at is not None and not split_path(source)[0].exists():
        raise InputError(
            f"The run's data, {split_path(at)[0]}, are not there any more, nor is {source} in this folder: "
            "put them back."
        )
    elif at is None and "contents" in job and not split_path(source)[0].exists():
        raise InputError(
            f"The run's data, {source}, are not in this folder, and a shared run does not say where they were: "
            "put them here, or say which data are meant with --world where a command has it."
        )
    if job.get("contents") not in (None, contents(source).hex()):
        raise InputError(
            f"{split_path(source)[0]} has changed since the run was trained on it: put back what it held, or train "
            f"again. To look at the new data on purpose: `prismae export RUN --codes --world {source}` encodes them, "
            f"prismae.evaluate(prismae.load(RUN), prismae.world({source!r})) scores the codes."
        )
    return source
