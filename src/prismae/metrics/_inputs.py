"""Reading codes and factors: any array becomes what the metrics compute with, or one clear sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from prismae._tensors import of_tensor
from prismae.errors import InputError, Unavailable
from prismae.metrics._columns import listed, numbered, strange
from prismae.metrics._standard import Standard

Codes = NDArray[np.float64]
Labels = NDArray[np.int32]
Test = tuple[ArrayLike, ArrayLike]

MISSING = -1
LARGEST_LABEL = 65_535
LARGEST_CODE = 1e50  # squares, and sums of them, stay finite


def as_array(values: ArrayLike) -> NDArray:
    """A NumPy array of anything array-like; torch tensors leave their graph and device, and what is masked is NaN.

    Raises
    ------
    InputError
        For what holds no array, such as a path or a mapping.
    """
    given: Any = values
    if isinstance(given, str | bytes | PathLike):
        raise InputError(
            f"Expected an array, got {given!r:.60}: numpy.load or pandas.read_csv reads the file."
        )
    if hasattr(given, "toarray"):
        raise InputError(f"Expected a dense array, got {type(given).__name__}: .toarray() is that.")
    if isinstance(given, Mapping):
        raise InputError(
            f"Expected an array or a table, got {type(given).__name__}: pandas.DataFrame makes a table of it."
        )
    if isinstance(given, np.ma.MaskedArray):
        given = np.ma.filled(given.astype(np.float64), np.nan) if np.ma.is_masked(given) else given.data
    if hasattr(given, "detach"):
        given = of_tensor(given, "The values")
    made = np.asarray(given)
    if made.dtype.names:
        raise InputError(
            "Expected an array of numbers, got one of records: pandas.DataFrame makes a table of it."
        )
    if made.dtype == object and made.ndim == 0:
        raise InputError(f"Expected an array, got {type(given).__name__}.")
    if made.dtype == object and isinstance(
        given, pd.DataFrame | pd.Series
    ):  # of several types, or some that may lack
        with suppress(ValueError, TypeError):  # values: numbers among them are read as such
            made = given.to_numpy(dtype=np.float64, na_value=np.nan)
    return made


def as_codes(codes: ArrayLike, *, least_codes: int = 1, least_points: int = 2) -> NDArray[np.floating]:
    """Codes [n, m] as floating-point numbers (float32 stays as it is), all finite."""
    z = as_array(codes)
    if z.ndim != 2:
        raise InputError(f"The codes have shape {z.shape}, expected [points, codes].")
    if z.dtype.kind not in "fiub":
        raise InputError(f"The codes have {strange(codes, z)}, expected numbers.")
    if z.dtype not in (np.float32, np.float64):
        z = z.astype(np.float64)
    n, m = z.shape
    if m == 0:
        raise InputError(f"The codes have shape {z.shape}: expected at least one code.")
    if m < least_codes:
        raise Unavailable(
            f"The metric compares codes with each other and needs at least {least_codes}, got {m}."
        )
    if n < least_points:
        raise Unavailable(f"The metric needs at least {least_points} points, got {n}.")
    if not np.isfinite(z).all():
        bad = np.flatnonzero(~np.isfinite(z).all(axis=0))
        rows = int((~np.isfinite(z).all(axis=1)).sum())
        raise InputError(
            f"The codes must be finite, but {listed(codes, bad)} hold{'s' * (len(bad) == 1)} NaN or infinity, in "
            f"{rows:,} of {n:,} rows."
        )
    largest = float(np.abs(z).max())
    if largest > LARGEST_CODE:
        raise InputError(f"The codes reach {largest:.0e}, expected at most {LARGEST_CODE:.0e}: scale them.")
    return z


def as_deviations(stds: ArrayLike, codes: NDArray) -> NDArray[np.floating]:
    """Standard deviations of the posteriors whose means are `codes`, of the same shape, 0 or more."""
    found = as_codes(stds)
    if found.shape != codes.shape or (found < 0).any():
        raise InputError(
            f"The standard deviations must be 0 or more, in the codes' shape {codes.shape}; got {found.shape}."
        )
    return found


def varying(values: NDArray) -> NDArray[np.bool_]:
    """Which columns [n, m] take more than one value. The deviation of a constant may be above 0, by rounding."""
    return values.min(axis=0) < values.max(axis=0)


def centred(codes: NDArray) -> Codes:
    """Deviations [n, m] from the mean, exactly 0 where a column is constant, and exact far from the origin."""
    z = codes.astype(np.float64)
    z = z - z[0]
    return z - z.mean(axis=0)


def standardised(codes: NDArray) -> Codes:
    """Columns [n, m] of mean 0 and variance 1, of whatever magnitude; 0 where a column is constant."""
    return Standard.of(codes)(codes)


def as_labels(factors: ArrayLike, *, n: int, bins: int = 20, least_factors: int = 1) -> Labels:
    """Factors [n, k] as class labels 0, 1, ... in order of value; a missing value (NaN) is -1.

    A column of whole numbers holds class labels; any other is a continuous factor and is cut into `bins`
    equal-width bins.
    """
    v = as_factors(factors, n=n, least_factors=least_factors)
    return np.column_stack([_labels(v[:, k], k, bins) for k in range(v.shape[1])])


def as_factors(
    factors: ArrayLike, *, n: int | None, least_factors: int = 1, like: ArrayLike | None = None
) -> NDArray:
    """Factors [n, k], or one [n], as int64 or float64 [n, k], NaN where a value is missing; uint64 only for values
    beyond int64. Classes by name (texts, categories) are numbered in their order, or in that of `like`.

    Differences of narrower numbers wrap around: -100 to 100 is too far for int8.
    """
    v = as_array(numbered(factors, like))
    v = v[:, None] if v.ndim == 1 else v
    if v.ndim != 2:
        raise InputError(f"The factors have shape {v.shape}, expected [points, factors].")
    if v.dtype.kind not in "fiub":
        raise InputError(f"The factors have type {v.dtype}, expected class indices or numbers.")
    if n is not None and len(v) != n:
        mend = f": factors of shape {v.shape} are transposed" if v.shape[1] == n else ""
        raise InputError(
            f"There are {n} codes but {len(v)} rows of factors, expected one row per code{mend}."
        )
    if v.shape[1] == 0:
        raise InputError(f"The factors have shape {v.shape}: expected at least one factor.")
    if v.shape[1] < least_factors:
        raise Unavailable(
            f"The metric compares factors with each other: needs {least_factors} or more, got {v.shape[1]}."
        )
    if v.dtype.kind == "f" and np.isinf(v).any():
        bad = np.flatnonzero(np.isinf(v).any(axis=0))
        raise InputError(
            f"The factors hold infinity in {listed(factors, bad)}, expected numbers (NaN where a value is missing)."
        )
    if v.dtype.kind == "f":
        return v.astype(np.float64)
    return v if v.dtype == np.uint64 and v.max() > np.iinfo(np.int64).max else v.astype(np.int64)


def _labels(column: NDArray, k: int, bins: int) -> Labels:
    known = ~np.isnan(column) if column.dtype.kind == "f" else np.ones(len(column), dtype=bool)
    values = column[known]
    if len(values) and values.dtype.kind == "f" and (values != np.floor(values)).any():
        values = cut(values, bins)
    wide = len(values) and int(values.max()) - int(values.min()) > LARGEST_LABEL
    if wide:
        classes = np.unique(values, return_inverse=True)[1]
    else:  # the same as above without sorting: whole tables have many rows and few values
        values = (values - values.min()).astype(np.int32) if len(values) else values
        present = np.bincount(values) > 0
        classes = (np.cumsum(present) - 1)[values]
    if len(values) == 0 or classes.max() == 0:
        raise Unavailable(f"Factor {k} has only one value, so nothing can be said about it: leave it out.")
    labels = np.full(len(column), MISSING, dtype=np.int32)
    labels[known] = classes
    return labels


def as_clusters(clusters: ArrayLike, *, n: int | None = None) -> Labels:
    """Clusters or classes [n] (or [n, 1]), any whole numbers, as labels 0, 1, ... in order of value."""
    c = as_array(clusters)
    if c.ndim == 2 and c.shape[1] == 1:
        c = c[:, 0]
    if c.ndim != 1:
        raise InputError(f"The clusters have shape {c.shape}, expected one whole number a point: [points].")
    if c.dtype.kind not in "iub" and not (c.dtype.kind == "f" and (c % 1 == 0).all()):
        raise InputError("The clusters must be whole numbers, one a point and none missing.")
    if n is not None and len(c) != n:
        raise InputError(f"There are {n} points but {len(c)} clusters, expected one cluster per point.")
    if len(c) < 2:
        raise InputError(f"The metric needs at least 2 points, got {len(c)}.")
    return np.unique(c, return_inverse=True)[1].astype(np.int32)


def cut(values: NDArray, bins: int) -> NDArray[np.int32]:
    """Equal-width bins 0 ... bins - 1 over the values' own range; a constant falls into one bin."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.zeros(len(values), dtype=np.int32)
    edges = np.linspace(low, high, bins + 1)[:-1]
    return (np.searchsorted(edges, values, side="right") - 1).astype(np.int32)


def split(
    codes: ArrayLike, factors: ArrayLike, test: Test | None, seed: int, **least: int
) -> tuple[Codes, Labels, Codes, Labels]:
    """Codes and labels to learn on and to score on.

    `test` holds the points to score on; without it a third of the points, drawn by `seed`, is kept apart.
    Labels mean the same in both parts.
    """
    z = as_codes(codes, least_codes=least.get("least_codes", 1), least_points=least.get("least_points", 30))
    points, v, n_train = apart(z, as_factors(factors, n=len(z)), test, seed)
    labels = as_labels(v, n=len(v), least_factors=least.get("least_factors", 1))
    for k in range(labels.shape[1]):
        seen = labels[:n_train, k]
        if len(np.unique(seen[seen != MISSING])) < 2:
            raise Unavailable(
                f"Factor {k} has only one value among the training points, expected at least two."
            )
        if (labels[n_train:, k] == MISSING).all():
            raise InputError(f"Factor {k} is unknown at every test point, so nothing can be scored on it.")
    return points[:n_train], labels[:n_train], points[n_train:], labels[n_train:]


def held_out(codes: ArrayLike, factors: ArrayLike, test: Test | None, seed: int) -> tuple[Codes, NDArray]:
    """Codes and factors (numbers) to score on: `test`, or a third of the points, drawn by `seed`."""
    z = as_codes(codes, least_points=6)
    points, v, n_train = apart(z, as_factors(factors, n=len(z)), test, seed)
    return points[n_train:], v[n_train:].astype(np.float64)


def apart(z: NDArray, v: NDArray, test: Test | None, seed: int) -> tuple[Codes, NDArray, int]:
    """Codes and factors, those to learn on first, and how many these are."""
    if test is None:
        rows = np.random.default_rng(seed).permutation(len(z))
        return z[rows].astype(np.float64), v[rows], len(z) - len(z) // 3
    z_test = as_codes(test[0])
    v_test = as_factors(test[1], n=len(z_test))
    if z_test.shape[1] != z.shape[1] or v_test.shape[1] != v.shape[1]:
        raise InputError(
            f"The test points have {z_test.shape[1]} codes and {v_test.shape[1]} factors, "
            f"expected {z.shape[1]} and {v.shape[1]} as in training."
        )
    return np.concatenate([z, z_test]).astype(np.float64), np.concatenate([v, v_test]), len(z)


def as_kinds(kinds: Sequence[str] | None, factors: NDArray) -> tuple[str, ...]:
    """Kind of each factor; not given, a column of whole numbers is categorical and any other continuous."""
    if kinds is None:
        whole = [bool((column[~np.isnan(column)] % 1 == 0).all()) for column in factors.T.astype(np.float64)]
        return tuple("categorical" if each else "continuous" for each in whole)
    if len(kinds) != factors.shape[1]:
        raise InputError(f"There are {factors.shape[1]} factors but {len(kinds)} factor kinds.")
    for kind in kinds:
        if kind not in ("categorical", "continuous"):
            raise InputError(f"Unknown factor kind {kind!r}: expected 'categorical' or 'continuous'.")
    return tuple(kinds)
