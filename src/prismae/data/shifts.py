"""Worlds that differ from what a model is tried on: factors that go together, combinations that are kept away, smaller
ones; and how a name asks for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.composed import Averaged
from prismae.errors import InputError, unknown_name

Rule = Mapping[str, Collection[int]]  # of factors: class indices, all of which must hold


@dataclass(frozen=True)
class Composition:
    """Which combinations of factors a model does not see in training.

    Parameters
    ----------
    held
        What is kept away for trials.
    unused
        What is in neither part.
    """

    held: Rule
    unused: Rule = field(default_factory=dict)


_ROOMS = {
    "extrapolation": Composition({"floor_hue": range(5, 10)}),
    "to-range-hues": Composition({"object_hue": range(8, 10), "wall_hue": range(3)}),
    "to-range-shape": Composition({"shape": (3,), "object_hue": range(5, 10)}),
    "to-element": Composition(
        {
            "floor_hue": range(8, 10),
            "wall_hue": range(8, 10),
            "object_hue": range(8, 10),
            "scale": range(5, 8),
            "shape": (1,),
            "orientation": range(12, 15),
        }
    ),
}
_SPRITES = {
    "extrapolation": Composition({"pos_x": range(16, 32)}),
    "to-range": Composition({"shape": (0,), "pos_x": range(16, 32)}),  # squares
    "to-element": Composition(
        {
            "shape": (1,),  # ellipses: the value 1 of the rule above is the class 0, here it is the class
            "scale": range(2, 6),
            "orientation": range(14, 26),
            "pos_x": range(21, 32),
            "pos_y": range(21, 32),
        }
    ),
}
_ROBOT = {
    "extrapolation-place": Composition({"horizontal_axis": range(21, 40)}, {"horizontal_axis": (20,)}),
    "extrapolation-color": Composition({"object_color": (4, 5)}),
    "to-range": Composition({"object_shape": (2,), "horizontal_axis": range(20)}),  # cylinders
    "to-element": Composition(
        {
            "object_color": (5,),
            "object_shape": (2,),
            "object_size": (1,),
            "camera_height": (1,),
            "background_color": (1,),
            "horizontal_axis": range(36, 40),
            "vertical_axis": range(36, 40),
        }
    ),
}
# Montero et al. 2021 (ICLR, "The role of disentanglement in generalisation"), by class indices as their code has them
COMPOSITIONS: Mapping[str, Mapping[str, Composition]] = {
    "shapes3d": _ROOMS,
    "rooms3d": _ROOMS,
    "dsprites": _SPRITES,
    "color-dsprites": _SPRITES,
    "noisy-dsprites": _SPRITES,
    "mpi3d": _ROBOT,
}


def correlated(
    world: World, pairs: Mapping[tuple[str, str], float], *, n: int | None = None, seed: int = 0
) -> World:
    """Observations drawn so that pairs of factors go together; to be tried on the world itself.

    A combination is as likely as the product over pairs of exp(-(u_a - u_b)² / 2σ²), u = class index / (values - 1).
    Roth et al. 2023, arXiv:2210.07347; of 10 x 10 values σ = 0.1 is a correlation of 0.95, 0.2 of 0.81, 0.4 of 0.46.
    Values at the ends become rarer: a quarter at 10 values and σ = 0.1.

    Parameters
    ----------
    pairs
        σ of each pair of names.
    n
        How many are drawn, with replacement; None: as many as there are.
    seed
        Seed of the draw.

    Raises
    ------
    InputError
        For names of no factors, and σ that is not above 0.
    """
    weights = correlation_weights(world, pairs)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(world), size=len(world) if n is None else n, p=weights / weights.sum()))
    said = ", ".join(f"{a} with {b} ({sigma:g})" for (a, b), sigma in pairs.items())
    return _part(world, rows, f"{world.source}, correlated: {said}")


def correlation_weights(world: World, pairs: Mapping[tuple[str, str], float]) -> NDArray[np.float64]:
    """How likely each observation [n] is drawn, up to a factor."""
    bad = [sigma for sigma in pairs.values() if not sigma > 0]
    if not pairs or bad:
        raise InputError(f"Each pair of factors needs a deviation above 0, got {bad or 'no pairs'}.")
    places = {name: _index(world, name) for pair in pairs for name in pair}
    places = {name: index / max(index.max(), 1) for name, index in places.items()}
    log = sum((places[a] - places[b]) ** 2 / (-2 * sigma**2) for (a, b), sigma in pairs.items())
    return np.exp(log)


def held_out(world: World, rule: Rule | Composition | str) -> tuple[World, World]:
    """The world without combinations of factors, and these, both in the world's order.

    Parameters
    ----------
    rule
        Class indices of each factor that all must hold, ``{"shape": (3,), "object_hue": range(5, 10)}``; a
        `Composition`; or the name of one that the literature has for this world (`COMPOSITIONS`): "extrapolation" …

    Raises
    ------
    InputError
        For names of no factors and of no composition, and a rule that leaves fewer than two observations on a side.
    """
    if isinstance(rule, str):
        known = COMPOSITIONS.get(world.name.partition(":")[0], {})
        if rule not in known:
            raise unknown_name(f"composition of {world.name}", rule, known)
        rule = known[rule]
    given = rule if isinstance(rule, Composition) else Composition(rule)
    held = _where(world, given.held)
    kept = ~held & ~_where(world, given.unused) if given.unused else ~held
    if min(held.sum(), kept.sum()) < 2:
        raise InputError(
            f"World {world.name!r}: {held.sum()} observations would be held out and {kept.sum()} kept, "
            "expected at least two of each."
        )
    source = world.source or world.name
    return (
        _part(world, np.flatnonzero(kept), f"{source}, some combinations held out"),
        _part(world, np.flatnonzero(held), f"{source}, held-out combinations"),
    )


def fewer(world: World, n: int, seed: int = 0) -> World:
    """`n` of the observations, drawn without replacement by the seed, in the world's order."""
    if not 2 <= n <= len(world):
        raise InputError(
            f"World {world.name!r} has {len(world)} observations: n should be 2 to that, got {n}."
        )
    rows = np.sort(np.random.default_rng(seed).permutation(len(world))[:n])
    return _part(world, rows, f"{world.source or world.name}, {n:,} of {len(world):,}")


def averaged(world: World, side: int) -> World:
    """Images whose shorter side is `side` pixels, each the mean of a square of the world's."""
    shape = world.shape
    times = min(shape[1:]) // side if len(shape) == 3 and side > 0 else 0
    if not times or any(each % times for each in shape[1:]) or min(shape[1:]) != times * side:
        raise InputError(
            f"World {world.name!r} has observations of shape {'x'.join(map(str, shape))}: a side can be given to "
            f"images, and should divide theirs, got {side}."
        )
    source = f"{world.source or world.name}, averaged to {side} pixels"
    return replace(world, data=Averaged(world.data, times), source=source) if times > 1 else world


PARTS = "the name of a composition, unseen=COMPOSITION, correlated=FACTOR~FACTOR~σ, n=COUNT or side=PIXELS"


def shifted(world: World, part: str) -> World:
    """The world that a part of a name asks for, one of `PARTS`: ``to-element``, ``correlated=scale~shape~0.1``.

    Several pairs of correlated factors are separated by commas.
    """
    key, _, value = part.partition("=")
    if key == "correlated":
        made = correlated(world, _pairs(part, value))
    elif key in ("n", "side"):
        if not value.isdecimal():
            raise InputError(f"World {world.name!r}: {key} should be a whole number, got {part!r}.")
        made = fewer(world, int(value)) if key == "n" else averaged(world, int(value))
    elif key == "unseen" and value:
        made = held_out(world, value)[1]
    elif part in COMPOSITIONS.get(world.name.partition(":")[0], {}):
        made = held_out(world, part)[0]
    else:
        raise InputError(f"World {world.name!r} has no part {part!r}: expected {PARTS}.")
    return replace(made, name=f"{world.name}:{part}")


def tried_on(name: str) -> str | None:
    """The name of what a model of a shifted world is tried on: unseen combinations of a composition, the world itself
    of correlated factors; None for the name of one that is not shifted."""
    parts = name.split(":")
    shown = [
        f"unseen={part}" if any(part in known for known in COMPOSITIONS.values()) else part
        for part in parts
        if not part.startswith("correlated=")
    ]
    return ":".join(shown) if shown != parts else None


def _pairs(part: str, text: str) -> dict[tuple[str, str], float]:
    """Pairs of correlated factors: ``a~b~0.1,c~d~0.2``."""
    pairs = {}
    for each in text.split(","):
        try:
            first, second, sigma = each.split("~")
            pairs[first, second] = float(sigma)
        except ValueError:
            raise InputError(
                f"{part!r} names no correlated factors: expected correlated=FACTOR~FACTOR~σ, several with commas."
            ) from None
    return pairs


def _where(world: World, rule: Rule) -> NDArray[np.bool_]:
    found = np.ones(len(world), dtype=bool)
    for name, values in rule.items():
        found &= np.isin(_index(world, name), list(values))
    return found


def _index(world: World, name: str) -> NDArray[np.int64]:
    """Class index [n] of a factor's values, in their order."""
    if world.factors is None or name not in world.factor_names:
        raise unknown_name(f"factor of {world.name}", name, world.factor_names)
    index: NDArray[np.int64] = np.unique(
        world.factors[:, world.factor_names.index(name)], return_inverse=True
    )[1]
    return index


def _part(world: World, rows: NDArray[np.int64], source: str) -> World:
    assert world.factors is not None
    data = world.data.take(torch.from_numpy(rows).to(world.data.device))
    return replace(world, data=data, factors=world.factors[rows], names=world.called[rows], source=source)
