"""What must stay the same when a training goes on."""

from __future__ import annotations

from typing import Any

from prismae.errors import InputError

TRAINING = (
    "method",
    "fields",
    "n_latents",
    "net",
    "likelihood",
    "batch",
    "lr",
    "seed",
    "precision",
    "controls",
)
DATA = ("n", "shape", "pixels", "summary")
FORM = ("table", "channels", "vocabulary", "offset")  # too long to be shown


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
    for name in FORM:
        if before.get(name) != now.get(name):
            raise InputError(
                f"warm_start goes on with the same data, but its {name} is another: expected the data of the last "
                "fit, or warm_start=False."
            )
    if now["steps"] < before["steps"]:
        raise InputError(
            f"warm_start goes on after {before['steps']} steps, expected at least as many, got {now['steps']}."
        )
