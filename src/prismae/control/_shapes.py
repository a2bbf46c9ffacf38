"""Courses of a value over the steps, as pure functions of the step."""

from __future__ import annotations

from math import cos, exp, pi
from typing import Literal

from prismae.errors import InputError

Shape = Literal["linear", "cosine", "sigmoid"]


def rise(fraction: float, shape: Shape) -> float:
    """From 0 at fraction 0 (and before) to 1 at fraction 1 (and after), along a line, half a cosine or a sigmoid.

    The sigmoid is the logistic function between -6 and 6, stretched to reach 0 and 1.
    """
    x = min(1.0, max(0.0, fraction))
    if shape == "linear":
        return x
    if shape == "cosine":
        return (1 - cos(pi * x)) / 2
    low, at, high = (1 / (1 + exp(-12 * (v - 0.5))) for v in (0.0, x, 1.0))
    return (at - low) / (high - low)


def check_stairs(label: str, start: float | None, stop: float) -> None:
    """Refuse a target of the controller `label` that would have to fall; `stairs` of settings climb."""
    if start is not None and start > stop:
        raise InputError(f"{label}: target_start should be at most target, got {start:g} > {stop:g}.")


def stairs(t: int, start: float, stop: float, height: float, every: int, ramp: int) -> float:
    """`start`, and after each `every` steps `height` more, until `stop`; each stair is climbed over `ramp` steps.

    ramp = 0 are stairs; ramp = every is a straight line after the first `every` steps.
    """
    done, within = divmod(t, every)
    if done == 0:
        return start
    climbed = 1.0 if within >= ramp else within / ramp
    level = start + height * (done - 1 + climbed)
    return min(level, stop) if height >= 0 else max(level, stop)
