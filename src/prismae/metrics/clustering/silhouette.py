"""Silhouette."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import silhouette_samples

from prismae.fields import AtLeastTwo, Seed
from prismae.metrics._base import Learned, metric
from prismae.metrics._inputs import as_clusters, as_codes, centred
from prismae.metrics.clustering._inputs import apart


@dataclass(frozen=True)
class Silhouette(Learned):
    """The mean, and the silhouette of each point [n] that was looked at."""

    score: float
    points: NDArray[np.float64] = field(repr=False)

    def resample(self, rng: Generator) -> dict[str, float]:
        return {"": float(rng.choice(self.points, size=len(self.points)).mean())}


@metric(
    needs="clusters",
    protocol="clustering",
    bounds=(-1.0, 1.0),
    known={"constant": 0.0},
    invariant=("permute_codes", "shift_codes", "flip_codes", "relabel_factors"),
)
def silhouette(
    codes: ArrayLike, clusters: ArrayLike, *, points: AtLeastTwo = 10_000, seed: Seed = 0
) -> Silhouette:
    """Silhouette: are points nearer to their own cluster than to the next one?

    For each point (b - a) / max(a, b), with a its mean Euclidean distance to the other points of its cluster and b
    the least mean distance to the points of another cluster; a point alone in its cluster counts 0. The score is the
    mean over points. Rousseeuw 1987, "Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis", doi:10.1016/0377-0427(87)90125-7; computed by scikit-learn.

    Parameters
    ----------
    codes
        [n, m].
    clusters
        [n] whole numbers: the cluster of each point.
    points
        The most points that are looked at, since the work grows with their square; more are drawn from, without
        replacement, by `seed`.
    seed
        Seed of that draw.

    Returns
    -------
    Silhouette
        `float(...)` is the score, in [-1, 1], higher is better; with the silhouettes of the points.

    Notes
    -----
    Codes that are all the same, or all in one cluster, score 0 (our reading: nothing is nearer to anything). In many
    dimensions distances grow alike and every silhouette shrinks towards 0.

    Examples
    --------
    >>> float(silhouette([[0.0], [0.0], [4.0], [4.0]], [0, 0, 1, 1]))
    1.0
    """
    z = as_codes(codes)
    c = as_clusters(clusters, n=len(z))
    if len(z) > points:
        rows = np.random.default_rng(seed).permutation(len(z))[:points]
        z, c = z[rows], as_clusters(c[rows], n=points)
    # Distances are of the codes around their mean: far from the origin, squares would swallow them.
    each = silhouette_samples(centred(z), c) if apart(z, c) else np.zeros(len(z))
    return Silhouette(float(each.mean()), each)
