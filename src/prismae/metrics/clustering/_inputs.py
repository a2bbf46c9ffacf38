"""What the indices of clusters share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prismae.errors import Unavailable
from prismae.metrics._inputs import varying

Floats = NDArray[np.float64]


def apart(codes: NDArray, clusters: NDArray[np.int32]) -> bool:
    """Whether there is anything to tell apart: several clusters, and codes that are not all the same.

    Raises
    ------
    Unavailable
        If every point is a cluster of its own, and so no cluster has a width.
    """
    count = int(clusters.max()) + 1
    if count == len(codes):
        raise Unavailable(
            f"Each of the {count} points is a cluster of its own, expected fewer clusters than points."
        )
    return count > 1 and bool(varying(codes).any())


def cluster_means(codes: Floats, clusters: NDArray[np.int32]) -> tuple[Floats, NDArray[np.int64]]:
    """Mean code of each cluster [K, m], exact where its points are one point in space; how many points it has [K]."""
    size = np.bincount(clusters)
    first = codes[np.unique(clusters, return_index=True)[1]]
    beyond = codes - first[clusters]
    return first + np.stack([np.bincount(clusters, each) for each in beyond.T], axis=1) / size[:, None], size
