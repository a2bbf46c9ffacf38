"""Mean, deviation and range of every element of arrays that are too large to be looked at as a whole: in one pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from prismae.data.layout import numbers
from prismae.data.pieces import block_of
from prismae.data.rows import Rows, SparseRows


@dataclass(frozen=True)
class Moments:
    """What is known of each element [*shape] of observations; NaN where it has no values.

    Parameters
    ----------
    count
        How many observations have it.
    mean, squares
        The mean of these, and the sum of squares about it.
    low, high
        Their range.
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows, layout: Callable[[NDArray], NDArray], where: str) -> Moments:
        """Those of rows, of which `layout` makes observations [k, *shape]; `where` is what messages call them.

        Raises
        ------
        InputError
            For infinity and values that are no numbers.
        """
        if (
            isinstance(rows, SparseRows)
            and layout(np.zeros((1, *rows.shape[1:]))).shape[1:] == rows.shape[1:]
        ):
            return reduce(cls.with_others, (cls._of_sparse(part, where) for part in rows.stored()))
        size = block_of(rows)
        parts = (
            numbers(rows[start : start + size], where, start, gaps=True)
            for start in range(0, len(rows), size)
        )
        return reduce(cls.with_others, (cls.of_part(layout(part)) for part in parts))

    @classmethod
    def of_part(cls, x: NDArray) -> Moments:
        """Those of observations [n, *shape] in memory."""
        x = x.astype(np.float64)
        gaps = np.isnan(x)
        if not gaps.any():
            mean = x.mean(0)
            squares = np.square(x - mean).sum(0)
            return cls(np.full(mean.shape, float(len(x))), mean, squares, x.min(0), x.max(0))
        count = (~gaps).sum(0).astype(np.float64)
        mean = np.where(gaps, 0.0, x).sum(0) / np.maximum(count, 1)
        squares = np.where(gaps, 0.0, np.square(x - mean)).sum(0)
        mean[count == 0] = np.nan
        return cls(count, mean, squares, np.fmin.reduce(x, 0), np.fmax.reduce(x, 0))

    @classmethod
    def _of_sparse(cls, x: csr_array, where: str) -> Moments:
        """Those of the columns of a sparse matrix, of which only what is stored is looked at."""
        if not x.has_canonical_format:
            x = x.copy()
            x.sum_duplicates()
        n, d = x.shape
        values = numbers(x.data, f"{where}, values that are stored", gaps=True).astype(np.float64)
        known = ~np.isnan(values)
        count = n - np.bincount(x.indices[~known], minlength=d).astype(np.float64)
        at, values = x.indices[known], values[known]
        zeros = count - np.bincount(at, minlength=d)
        mean = np.bincount(at, values, d) / np.maximum(count, 1)
        squares = np.bincount(at, np.square(values - mean[at]), d) + zeros * np.square(mean)
        mean[count == 0] = np.nan
        low, high = (np.where(zeros > 0, 0.0, np.nan) for _ in range(2))
        np.fmin.at(low, at, values)
        np.fmax.at(high, at, values)
        return cls(count, mean, squares, low, high)

    def with_others(self, other: Moments) -> Moments:
        """Those of both together (Chan, Golub and LeVeque 1983, eq. 2.1)."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        mine, its = np.nan_to_num(self.mean), np.nan_to_num(other.mean)
        shift = np.where(self.count == 0, its, np.where(other.count == 0, mine, its)) - mine
        mean = np.where(self.count == 0, its, mine + shift * share)
        squares = self.squares + other.squares + np.square(shift) * self.count * share
        mean[count == 0] = np.nan
        low, high = np.fmin(self.low, other.low), np.fmax(self.high, other.high)
        return Moments(count, mean, squares, low, high)

    def over(self, axes: tuple[int, ...] | None = None) -> Moments:
        """Those of several elements together: over these axes, or all."""
        count = self.count.sum(axes)
        mean = np.nansum(self.mean * self.count, axes) / np.maximum(count, 1)
        about = np.expand_dims(mean, axes) if axes is not None else mean
        squares = (self.squares + np.nan_to_num(np.square(self.mean - about)) * self.count).sum(axes)
        low, high = np.fmin.reduce(self.low, axes), np.fmax.reduce(self.high, axes)
        return Moments(*(np.asarray(each) for each in (count, mean, squares, low, high)))

    def scaled(self, mean: NDArray, std: NDArray) -> Moments:
        """Those of the elements less `mean`, over `std`."""
        low, high = (self.low - mean) / std, (self.high - mean) / std
        return Moments(self.count, (self.mean - mean) / std, self.squares / np.square(std), low, high)

    @property
    def std(self) -> float:
        """Standard deviation, of one element or of all together."""
        whole = self.over()
        return sqrt(float(whole.squares) / max(float(whole.count) - 1, 1))
