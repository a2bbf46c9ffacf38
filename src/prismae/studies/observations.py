"""What a job trains on, and what it never sees: a part of its own world that is held out, or a world's test split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prismae.data import World, world, world_names, world_splits


def observations(job: Mapping[str, Any]) -> World:
    """The world that a job trains on, without what is held out; `job` is its job.json or its fields."""
    whole = _whole(job)
    return whole.split(job["holdout"])[0] if job.get("holdout") else whole


def unseen(job: Mapping[str, Any]) -> World | None:
    """What a job does not train on: the part that is held out, or the test split of a world that has one.

    None where there is neither, and where the job was given a split by name.
    """
    if job.get("holdout"):
        return _whole(job).split(job["holdout"])[1]
    name = job["world"]
    splits = world_splits(name) if name in world_names() else ()
    return world(f"{name}:test") if splits[:1] == ("train",) and "test" in splits else None


def _whole(job: Mapping[str, Any]) -> World:
    return world(
        job["world"],
        factors=job.get("factors") or None,
        size=job.get("size"),
        series=job.get("series"),
        channel_names=job.get("channel_names") or None,
    )
