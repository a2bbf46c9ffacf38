"""What must stay the same when a training goes on."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from prismae.data.kinds import kind_of
from prismae.errors import InputError
from prismae.settings import Training

TRAINING = (
    "method",
    "fields",
    *(each.name for each in fields(Training) if each.name not in ("steps", "snapshots")),
)
DATA = ("n", "shape", "pixels", "summary")


def refuse_another_training(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Check that a warm start goes on with the training that was.

    Parameters
    ----------
    before, now
        What job.json says of the two.

    Raises
    ------
    InputError
        For other parameters than steps, other data, or fewer steps.
    """
    for what, names in (("parameters", TRAINING), ("data", DATA)):
        for name in names:
            if before[name] != now[name]:
                raise InputError(
                    f"warm_start goes on with the same {what}, but {name} was {before[name]!r} and is {now[name]!r}: "
                    "expected no change but of steps, or warm_start=False."
                )
    kinds = [kind_of(about).as_seen().to_json() for about in (before, now)]
    for name in sorted(kinds[0] | kinds[1]):  # too long to be shown
        if name != "kind" and kinds[0].get(name) != kinds[1].get(name):
            raise InputError(
                f"warm_start goes on with the same data, but its {name} is another: expected the data of the last "
                "fit, or warm_start=False."
            )
    if now["steps"] < before["steps"]:
        raise InputError(
            f"warm_start goes on after {before['steps']} steps, expected at least as many, got {now['steps']}."
        )
