"""What is known of a batch beside its observations: partners that differ in a few factors, and a labelled part."""

from __future__ import annotations

from math import log2
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import InputError
from prismae.methods import Labelled, Method, Pairs
from prismae.train.batches import Batches

PARTNERS, LABELS = 4, 5  # streams of random numbers, after those of the players and of trials
TRIES = 50  # draws of the factors that a partner should have
LOOKED_AT = 1_000  # observations that a world is asked for partners of, before a training
ENOUGH = 0.5  # of them that should have one


class Known:
    """Partners and labels of batches; those of batch number i are always the same."""

    def __init__(self, method: Method, world: World, batch: int, seed: int, device: torch.device) -> None:
        self.device, self.labels = device, None
        self.partners: Partners | Following | None = None
        if method.pairs() == "next":
            self.partners = Following(world.factors, len(world))
        if not needs_factors(method):
            return
        factors = check_known(method, world)
        self.factors = torch.from_numpy(np.asarray(factors, dtype=np.float32))
        differing = method.pairs()
        if differing is not None and differing != "next":
            partners = Partners(factors, differing, seed)
            partners.check(method, world)
            self.partners = partners
        if method.labelled():
            n = min(method.labelled(), len(world))
            rows = np.random.default_rng([seed, LABELS]).permutation(len(world))[:n]
            self.rows = torch.from_numpy(rows)
            low, high = self.factors[self.rows].aminmax(dim=0)
            self.scaled = (self.factors - low) / (high - low).clamp(min=torch.finfo(torch.float32).tiny)
            self.values = tuple(column.unique().to(device) for column in self.scaled[self.rows].T)
            self.labels = Batches(n, min(batch, n), seed, LABELS, torch.device("cpu"))

    def __bool__(self) -> bool:
        return self.partners is not None or self.labels is not None

    def of(self, rows: Tensor, number: int, data: Any) -> tuple[Tensor, dict[str, Any]]:
        """The rows of batch `number`, which has these rows of `data`, and fields of its `Context`.

        They are other rows only where some have no partner.
        """
        found: dict[str, Any] = {}
        if self.partners is not None:
            rows, partners, differ = (
                torch.from_numpy(each).to(self.device)
                for each in self.partners.of(rows.cpu().numpy(), number)
            )
            found["pairs"] = Pairs(data[partners], differ)
        if self.labels is not None:
            known = self.rows[self.labels[number]]
            factors, scaled = (each[known].to(self.device) for each in (self.factors, self.scaled))
            found["labels"] = Labelled(data[known.to(self.device)], factors, scaled, self.values)
        return rows, found


class Following:
    """Partners that follow in the world's order, as moments of a recording do; the last one has the one before."""

    def __init__(self, factors: NDArray | None, n: int) -> None:
        self.factors, self.n = np.zeros((n, 0)) if factors is None else factors, n

    def of(self, rows: NDArray, number: int) -> tuple[NDArray, NDArray, NDArray]:
        """The rows [batch], those that follow [batch], and whether they differ in each factor, [batch, k]."""
        partners = np.where(rows + 1 < self.n, rows + 1, rows - 1)
        return rows, partners, self.factors[rows] != self.factors[partners]


class Partners:
    """Partners of observations that differ from them in a number of factors, and in no other, or by small steps.

    The factors that differ are drawn without replacement, each with another of its values, equally likely; of several
    observations that then have these factors one is drawn. Where there is none, as after a part of the world was held
    out, other factors are drawn; an observation for which none is found gives its place to another of the batch.

    "laplace": each factor moves by itself, value i of k to value j with a probability proportional to
    exp(-|i - j| / log k) (Klindt et al. 2021, by their code, at their rate of 1); where none has moved, one that is
    drawn moves by the same law.
    """

    def __init__(self, factors: NDArray, differing: int | Literal["any", "laplace"], seed: int) -> None:
        columns = [np.unique(column, return_inverse=True) for column in factors.T]
        self.index = np.stack([inverse for _, inverse in columns], axis=1)  # [n, k]
        self.sizes = np.array([len(values) for values, _ in columns])
        self.differing, self.seed = differing, seed
        self.many = sum(log2(size) for size in self.sizes) < 62
        if self.many:  # else the combinations have no numbers
            self.radix = np.concatenate([np.cumprod(self.sizes[:0:-1])[::-1], [1]]).astype(np.int64)
            keys = self.index @ self.radix
            self.order = np.argsort(keys, kind="stable")
            self.keys, self.starts, self.counts = np.unique(
                keys[self.order], return_index=True, return_counts=True
            )

    def of(self, rows: NDArray, number: int) -> tuple[NDArray, NDArray, NDArray]:
        """Rows [batch] that have partners, these [batch], and whether they differ in each factor, [batch, k]."""
        partners = self._drawn(rows, np.random.default_rng([self.seed, PARTNERS, number]))
        missing = partners < 0
        if missing.all():
            raise InputError(
                "No observation of a batch has a partner: take a larger batch, or a method without pairs."
            )
        place, found = np.arange(len(rows)), np.flatnonzero(~missing)
        place[missing] = found[np.arange(missing.sum()) % len(found)]
        rows, partners = rows[place], partners[place]
        return rows, partners, self.index[rows] != self.index[partners]

    def _drawn(self, rows: NDArray, rng: np.random.Generator) -> NDArray:
        """A partner of each row, -1 where none was found."""
        partners = np.full(len(rows), -1)
        vary = np.flatnonzero(self.sizes > 1)
        for _ in range(TRIES):
            left = np.flatnonzero(partners < 0)
            if not len(left):
                break
            drawn = self._moved if self.differing == "laplace" else self._changed
            keys = drawn(self.index[rows[left]], vary, rng) @ self.radix
            place = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
            there = self.keys[place] == keys
            which = rng.integers(self.counts[place])
            partners[left[there]] = self.order[(self.starts[place] + which)[there]]
        return partners

    def _changed(self, index: NDArray, vary: NDArray, rng: np.random.Generator) -> NDArray:
        """Values [batch, k], of which so many are others than those of `index` [batch, k], equally likely."""
        most = max(1, len(vary) - 1)
        n = rng.integers(1, most + 1, len(index)) if self.differing == "any" else self.differing
        ranks = rng.random((len(index), len(vary))).argsort(1).argsort(1)
        differ = np.zeros(index.shape, dtype=bool)
        differ[:, vary] = ranks < np.reshape(n, (-1, 1))
        steps = 1 + rng.integers(np.maximum(self.sizes - 1, 1), size=differ.shape)
        return cast(NDArray, (index + differ * steps) % self.sizes)

    def _moved(self, index: NDArray, vary: NDArray, rng: np.random.Generator) -> NDArray:
        """Values [batch, k] near those of `index` [batch, k], at least one of which is another."""
        found = index.copy()
        for j in vary:
            found[:, j] = _near(index[:, j], int(self.sizes[j]), rng)
        still = np.flatnonzero((found == index).all(1))
        chosen = rng.choice(vary, len(still))
        for j in vary:
            rows = still[chosen == j]
            found[rows, j] = _near(index[rows, j], int(self.sizes[j]), rng, stay=False)
        return found

    def check(self, method: Method, world: World) -> None:
        """Refuse a world in which too few observations have partners."""
        vary = int((self.sizes > 1).sum())
        several = self.differing if isinstance(self.differing, int) else 1
        if several > vary:
            raise InputError(
                f"{method.called()} learns from pairs of observations that differ in {self.differing} factors, and "
                f"world {world.name!r} has {vary} that vary."
            )
        n = len(self.index)
        rows = spaced(n, LOOKED_AT).numpy()
        found = (self._drawn(rows, np.random.default_rng(0)) >= 0).mean() if self.many else 0.0
        if found < ENOUGH:
            raise InputError(
                f"{method.called()} learns from pairs of observations that differ in few factors, and in world "
                f"{world.name!r} {found:.0%} have a partner: expected a world in which factors are combined."
            )


def _near(index: NDArray, size: int, rng: np.random.Generator, *, stay: bool = True) -> NDArray:
    """For values [batch] of `size`, others near them, drawn by a Laplace distribution that ends where the values do."""
    values = np.arange(size)
    weights = np.exp(-np.abs(values - values[:, None]) / np.log(size)) * (stay | ~np.eye(size, dtype=bool))
    ends = np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
    return cast(NDArray, (rng.random((len(index), 1)) > ends[index]).sum(1).clip(max=size - 1))


def needs_factors(method: Method) -> bool:
    """Whether a method learns from pairs that are drawn by factors, or from labels."""
    return method.pairs() not in (None, "next") or bool(method.labelled())


def check_known(method: Method, world: World) -> NDArray:
    """The factors of a world, which a method that learns from pairs or labels cannot do without."""
    if world.factors is None:
        what = "pairs of observations" if method.pairs() is not None else "labels"
        raise InputError(
            f"{method.called()} learns from {what} by their factors, and world {world.name!r} has none: expected a "
            "world with factors, or own data with some (--factors)."
        )
    return world.factors
