"""The mean observation of each cluster."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from matplotlib.figure import Figure

from prismae.fields import Seed
from prismae.views._base import Arrays, View
from prismae.views._shown import shown

if TYPE_CHECKING:
    from prismae.runs.run import Run
    from prismae.views._subject import Subject

CLUSTERS = 10  # of k-means, where the method has no assignments of its own


@dataclass(frozen=True)
class Clusters(View):
    """The mean observation of each cluster, over up to 2,000 observations, fewer of wide ones.

    Clusters are those that the method assigns, each observation to the most probable; else those of k-means on the
    mean codes. Arrays: ``clusters`` (those that have any observation), ``cluster_sizes``, and ``cluster_source``, a
    sentence's part that says where the clusters come from.

    Parameters
    ----------
    seed
        Seed of the observations and of k-means.
    """

    seed: Seed = 0

    arrays: ClassVar = {"cluster_sizes": "c", "clusters": "c *shape", "cluster_source": ""}
    title = "Clusters"
    called = "clusters"
    place = 30

    def compute(self, subject: Subject) -> Arrays:
        import torch
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        from prismae.methods import Clustering
        from prismae.runs.codes import MEASURED, drawn_rows, in_parts, looked_at, moments

        method, net, world = subject.method, subject.net, subject.world
        rows = drawn_rows(world, looked_at(world, MEASURED), self.seed)
        if isinstance(method, Clustering):
            with torch.no_grad():
                shares = [method.responsibilities(net, world.data[part]) for part in in_parts(world, rows)]
            labels, source = torch.cat(shares).argmax(1).numpy(), f"assignments of {method.called()}"
        else:
            k = min(CLUSTERS, len(rows))
            codes = subject.codes_of(rows).numpy()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different codes, fewer clusters
                labels = KMeans(k, n_init=3, random_state=self.seed).fit_predict(codes)
            source = f"k-means of the codes, k = {len(np.unique(labels))}"
        kept, sizes = np.unique(labels, return_counts=True)
        means = [moments(world, rows[torch.from_numpy(labels == label)]).mean for label in kept]
        return {
            "clusters": np.stack(means).astype(np.float32),
            "cluster_sizes": sizes,
            "cluster_source": np.array(source),
        }

    def draw(self, run: Run) -> Figure:
        means, sizes = run.pictures["clusters"], run.pictures["cluster_sizes"]
        return shown(run).clusters(run, means, sizes, str(run.pictures["cluster_source"]))

    def sentence(self, run: Run) -> str:
        return (
            "The mean observation of each cluster with its size, largest first. A clear mean is a cluster of like "
            "observations."
        )
