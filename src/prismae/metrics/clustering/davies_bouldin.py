"""Davies-Bouldin index."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from prismae.metrics._base import UNBOUNDED, metric
from prismae.metrics._inputs import as_clusters, as_codes, centred
from prismae.metrics.clustering._inputs import apart, cluster_means


@metric(
    needs="clusters",
    protocol="clustering",
    bounds=UNBOUNDED,
    better="lower",
    known={"constant": inf},
    invariant=("permute_codes", "shift_codes", "flip_codes", "relabel_factors"),
)
def davies_bouldin(codes: ArrayLike, clusters: ArrayLike) -> float:
    """Davies-Bouldin index: how wide are two neighbouring clusters, for the distance between them?

    mean_i max_j (s_i + s_j) / d_ij, with s_i the mean distance of cluster i's points from its mean, and d_ij the
    distance between two means. Davies and Bouldin 1979, "A cluster separation measure",
    doi:10.1109/TPAMI.1979.4766909 (with p = 2 and q = 1, as scikit-learn has it).

    Parameters
    ----------
    codes
        [n, m].
    clusters
        [n] whole numbers: the cluster of each point.

    Returns
    -------
    float
        At least 0, lower is better; infinite where two means coincide.

    Notes
    -----
    Codes that are all the same, or all in one cluster, score infinity (our reading: nothing is apart; scikit-learn
    gives 0, the best value, or an error). It sees each cluster's worst neighbour only.

    Examples
    --------
    >>> davies_bouldin([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1])  # (1 + 1) / 10
    0.2
    """
    z = as_codes(codes)
    c = as_clusters(clusters, n=len(z))
    if not apart(z, c):
        return inf
    z = centred(z)
    means, size = cluster_means(z, c)
    width = np.bincount(c, np.linalg.norm(z - means[c], axis=1)) / size
    distance = np.linalg.norm(means[:, None] - means[None], axis=2)
    np.fill_diagonal(distance, inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (width[:, None] + width[None]) / distance
    return float(np.mean(np.nan_to_num(ratio, nan=inf, posinf=inf).max(axis=1)))
