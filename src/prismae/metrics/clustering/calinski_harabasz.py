"""Calinski-Harabasz index."""

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
    known={"constant": 0.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "relabel_factors"),
)
def calinski_harabasz(codes: ArrayLike, clusters: ArrayLike) -> float:
    """Calinski-Harabasz index: how far apart are the clusters' means, for how wide the clusters are?

    (B / (K - 1)) / (W / (n - K)), with B the sum of squared distances of the clusters' means from the overall mean,
    each counted as often as the cluster has points, and W the sum of squared distances of points from their cluster's
    mean. Calinski and Harabasz 1974, "A dendrite method for cluster analysis", doi:10.1080/03610927408827101.

    Parameters
    ----------
    codes
        [n, m].
    clusters
        [n] whole numbers: the cluster of each point.

    Returns
    -------
    float
        At least 0, higher is better; infinite where every cluster is one point in space.

    Notes
    -----
    It grows in proportion to the number of points, so that only values of equally many can be compared. Codes that are
    all the same, or all in one cluster, score 0 (our reading).

    Examples
    --------
    >>> calinski_harabasz([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1])  # 100 between / 1, 4 within / 2
    50.0
    """
    z = as_codes(codes)
    c = as_clusters(clusters, n=len(z))
    if not apart(z, c):
        return 0.0
    z = centred(z)
    means, size = cluster_means(z, c)
    between = float(size @ np.square(means).sum(axis=1))
    within = float(np.square(z - means[c]).sum())
    if within == 0:
        return inf
    return (between / (len(size) - 1)) / (within / (len(z) - len(size)))
