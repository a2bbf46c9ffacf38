"""What the indices of clusters share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prismae.errors import InputError

Floats = NDArray[np.float64]


def apart(codes: NDArray, clusters: NDArray[np.int32]) -> bool:
    """Whether there is anything to tell apart: several clusters, and codes that are not all the same.

    Raises
    ------
    InputError
        If every point is a cluster of its own, and so no cluster has a width.
    """
    count = int(clusters.max()) + 1
    if count == len(codes):
        raise InputError(
            f"Each of the {count} points is a cluster of its own, expected fewer clusters than points."
        )
    return count > 1 and bool((codes != codes[0]).any())


def cluster_means(codes: Floats, clusters: NDArray[np.int32]) -> tuple[Floats, NDArray[np.int64]]:
    """Mean code of each cluster [K, m], and how many points it has [K]."""
    size = np.bincount(clusters)
    return np.stack([np.bincount(clusters, column) for column in codes.T], axis=1) / size[:, None], size
