"""Agreement of clusters with classes: accuracy, mutual information, Rand index."""

from __future__ import annotations

from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from prismae.metrics._base import metric
from prismae.metrics._inputs import as_clusters

INVARIANT = ("relabel_clusters", "relabel_factors")


@metric(needs="assignments", protocol="clustering", invariant=INVARIANT)
def clustering_accuracy(clusters: ArrayLike, labels: ArrayLike) -> float:
    """Clustering accuracy (ACC): the share of points in the right cluster, where each cluster may stand for one class.

    The largest share of points whose cluster stands for their own class, over all one-to-one maps from clusters to
    classes; found by the Hungarian method. As in Xie et al. 2016, arXiv:1511.06335.

    Parameters
    ----------
    clusters
        [n] whole numbers: the cluster of each point.
    labels
        [n] whole numbers: the class of each point.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    Its chance level is above 1 / K, since the map is chosen afterwards. Where there are more clusters than classes, the
    points of the clusters that are left over count as wrong.

    Examples
    --------
    >>> clustering_accuracy([1, 1, 0, 0], [0, 0, 1, 0])  # cluster 1 is class 0, and one point is off
    0.75
    """
    c = as_clusters(clusters)
    counts = contingency_matrix(as_clusters(labels, n=len(c)), c)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(c))


@metric(needs="assignments", protocol="clustering", invariant=INVARIANT, known={"constant": 0.0})
def nmi(clusters: ArrayLike, labels: ArrayLike) -> float:
    """Normalised mutual information (NMI): what clusters and classes say about each other.

    I(c; y) / ((H(c) + H(y)) / 2). Strehl and Ghosh 2002, doi:10.1162/153244303321897735, here with the arithmetic mean
    of the entropies (theirs is geometric); computed by scikit-learn.

    Parameters
    ----------
    clusters, labels
        [n] whole numbers.

    Returns
    -------
    float
        In [0, 1], higher is better.

    Notes
    -----
    Not corrected for chance: it grows with the number of clusters, so compare at equal K.

    Examples
    --------
    >>> round(nmi([0, 0, 1, 1], [0, 0, 1, 2]), 3)  # the clusters miss that the last two differ
    0.8
    """
    c = as_clusters(clusters)
    found = normalized_mutual_info_score(as_clusters(labels, n=len(c)), c)
    return min(max(float(found), 0.0), 1.0)  # rounding may lead beyond the bounds


@metric(
    needs="assignments",
    protocol="clustering",
    bounds=(-0.5, 1.0),
    invariant=INVARIANT,
    known={"constant": 0.0},
)
def ari(clusters: ArrayLike, labels: ArrayLike) -> float:
    """Adjusted Rand index (ARI): do pairs of points lie together in clusters where they do in classes?

    The share of pairs on which clusters and classes agree, moved and scaled so that random clusters of the same sizes
    score 0 in expectation and equal ones 1. Hubert and Arabie 1985, doi:10.1007/BF01908075; computed by scikit-learn.

    Parameters
    ----------
    clusters, labels
        [n] whole numbers.

    Returns
    -------
    float
        In [-0.5, 1], higher is better.

    Examples
    --------
    >>> ari([0, 0, 1, 1], [5, 5, 7, 7])  # the same parts under other names
    1.0
    """
    c = as_clusters(clusters)
    return float(adjusted_rand_score(as_clusters(labels, n=len(c)), c))
