"""Whether the arrays that a run holds are those that its views declare, and fit each other."""

from __future__ import annotations

from collections.abc import Iterator

from prismae.errors import InputError
from prismae.runs.files import PICTURES
from prismae.runs.run import Run
from prismae.views._base import all_views

SHARED = ("m", "*shape")  # dimensions that are the same in all views
RANKS = (1, 2, 3, 4)  # of an observation

Size = tuple[str, tuple[int, ...]]  # an array, and what one of its dimensions is there


def check(run: Run) -> None:
    """Refuse arrays that are not as the views declare them.

    Raises
    ------
    InputError
        Naming the file and every array that has the wrong rank or does not fit another.
    """
    shared: dict[str, Size] = {} if run.spread is None else {"m": ("spread", (len(run.spread),))}
    wrong: list[str] = []
    for view in all_views().values():
        sizes = dict(shared)
        for name, dimensions in view.arrays.items():
            if name in run.pictures and dimensions != "-":
                wrong += _faults(name, dimensions.split(), run.pictures[name].shape, sizes)
        shared |= {dimension: sizes[dimension] for dimension in SHARED if dimension in sizes}
    if wrong:
        raise InputError(f"{run.path / PICTURES}: {'; '.join(wrong)}: remove it and evaluate the run again.")


def _faults(
    name: str, dimensions: list[str], shape: tuple[int, ...], sizes: dict[str, Size]
) -> Iterator[str]:
    """What is wrong with an array; `sizes` learns from it those dimensions that it does not know yet."""
    rest = len(shape) - len([each for each in dimensions if each != "*shape"])
    if rest not in (RANKS if "*shape" in dimensions else (0,)):
        yield f"{name} {list(shape)} has the wrong rank, expected [{', '.join(dimensions)}]"
        return
    place = 0
    for dimension in dimensions:
        size = shape[place : place + (rest if dimension == "*shape" else 1)]
        place += len(size)
        other, known = sizes.setdefault(dimension, (name, size))
        if dimension.isdigit():
            if size != (int(dimension),):
                yield f"{name} {list(shape)} has not the shape [{', '.join(dimensions)}]"
        elif size != known and dimension == "m":
            yield f"{name} has {size[0]} latents, but the {other} is that of {known[0]}"
        elif size != known:
            yield f"{name} {list(shape)} does not fit {other} [{', '.join(map(str, known))}]"
