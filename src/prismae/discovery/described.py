"""Factors in words and numbers: what each one explains, and what of the data it moves, in the data's own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prismae.discovery import axes
from prismae.discovery.alone import columns
from prismae.discovery.curves import reordered
from prismae.discovery.result import Discovery, Factor

IS = 0.9  # correlation from which a factor is that column
REACH = 1.5  # deviations by which a factor is moved
SHUFFLED = 4  # times that a factor is exchanged between observations
MOVED = 5  # columns that are named for each factor


def described(
    found: Discovery,
    codes: NDArray,
    agreed: NDArray,
    x: NDArray,
    lone: list[int],
    loose: NDArray[np.bool_] | None = None,
) -> Discovery:
    """The same with its factors: what each explains and moves, the greatest first, and those last that are a column
    which goes with no other, together where it is a category; those that are `loose` [k] have no axes of their own."""
    k = codes.shape[1]
    named = replace(found, factors=[Factor(f"f{i}", 0.0, float(agreed[i]), []) for i in range(k)])
    places = columns(named.model._form.kind, x.shape[1])
    names = {i: name for name, own in places.items() for i in own}
    which = [""] * k
    if lone:
        r = axes.correlations(codes, x[:, lone])
        which = [names[lone[int(each.argmax())]] if each.max() > IS else "" for each in r]
    ends = np.concatenate([np.eye(k) * sign * REACH for sign in (-1, 1)])
    back = named.inverse_transform(ends)
    some = codes[:: max(1, len(codes) // 500)]
    shares = [total_effect(named.seen, some, i) for i in range(k)]
    most = {name: max(shares[i] for i in range(k) if which[i] == name) for name in which if name}
    order = sorted(range(k), key=lambda i: (-most.get(which[i], np.inf), which[i], -shares[i]))
    factors = [
        Factor(
            f"f{place}",
            shares[i],
            float(agreed[i]),
            moves(back, i, k),
            which[i],
            loose is not None and bool(loose[i]),
        )
        for place, i in enumerate(order)
    ]
    components, curves = reordered(found.components, found.curves, order)
    return replace(found, components=components, curves=curves, factors=factors)


def total_effect(seen: Callable[[NDArray], NDArray], factors: NDArray, i: int) -> float:
    """The share of the variance of what is seen [n, d] of factors [n, k] that is due to factor i, alone and with
    others: half of the squared difference that other observations' values of it make (Jansen 1999)."""
    rng, whole, other = np.random.default_rng(0), seen(factors), factors.copy()
    squares = 0.0
    for _ in range(SHUFFLED):
        other[:, i] = rng.permutation(factors[:, i])
        squares += float(np.square(whole - seen(other)).sum())
    share = squares / (2 * SHUFFLED) / (float(np.square(whole - whole.mean(0)).sum()) or 1.0)
    return min(1.0, share)  # an estimate may lie above


def moves(back: Any, i: int, k: int) -> list[tuple[str, Any, Any]]:
    """The columns that factor i moves most, with their values at both ends."""
    if not isinstance(back, pd.DataFrame):
        back = np.asarray(back)
        if back.ndim != 2:
            return []
        back = pd.DataFrame(back, columns=[f"x{j}" for j in range(back.shape[1])])
    changes: dict[str, tuple[float, Any, Any]] = {}
    for name in back:
        low, high = back[name].iloc[i], back[name].iloc[k + i]
        if pd.api.types.is_numeric_dtype(back[name]) and not pd.api.types.is_bool_dtype(back[name]):
            spread = float(back[name].max() - back[name].min()) or 1.0
            changes[str(name)] = (abs(float(high) - float(low)) / spread, float(low), float(high))
        elif low != high:
            changes[str(name)] = (1.0, str(low), str(high))
    most = sorted(changes.items(), key=lambda each: -each[1][0])[:MOVED]
    return [(name, low, high) for name, (far, low, high) in most if far > 0.1]
