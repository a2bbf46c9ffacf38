"""Codes and clusters of a world's points: by their labels, by k-means, as a method assigns them; labels on a t-SNE."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from prismae.errors import Unavailable
from prismae.evaluation.families._base import Call, Family, Given, Inputs
from prismae.evaluation.labels import class_labels
from prismae.evaluation.options import Options
from prismae.evaluation.plane import perplexity, t_sne
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.subjects import coded
from prismae.metrics import Metric
from prismae.metrics._inputs import Labels, as_clusters

CLUSTERING = Protocol(
    "clustering",
    default=("silhouette", "calinski-harabasz", "davies-bouldin", "clustering-accuracy", "nmi", "ari"),
)
ON_PLANE = Protocol(
    "clustering",
    variant="t-sne",
    default=("silhouette", "calinski-harabasz", "davies-bouldin"),
    n_points=5_000,
)
RESTARTS = 10  # of k-means, from other means; the tightest clusters are taken


class Clusters(Family):
    """Clustering: codes, classes, and clusters of k-means and of the method; variant "t-sne": classes on a t-SNE."""

    protocols = (CLUSTERING, ON_PLANE)
    needs = ("clusters", "assignments")

    def given(
        self, subject: object, plan: Protocol, metrics: Sequence[Metric], options: Options
    ) -> Clustered | OnPlane:
        """Up to 10,000 points (5,000 on a t-SNE), those whose class is known where there are classes."""
        codes = coded(subject, plan)
        plane = plan.variant == ON_PLANE.variant
        assigned, labels = None if plane else codes.clusters, None
        rows = np.random.default_rng(options.seed).permutation(len(codes.codes))
        if codes.factors is not None and codes.kinds is not None:
            labels = class_labels(codes.factors, codes.kinds, codes.names, options.label)
            rows = rows[~np.isnan(labels[rows])] if labels.dtype.kind == "f" else rows
        rows = rows[: plan.n_points]
        classes = None if labels is None else as_clusters(labels[rows])
        if plane:
            return OnPlane(codes.codes[rows], classes, options.baselines, options.seed)
        return Clustered(
            codes.codes[rows],
            classes,
            None if assigned is None else as_clusters(assigned[rows]),
            options.baselines,
            options.seed,
        )


@dataclass(frozen=True)
class Clustered(Given):
    """Points whose clusters are scored.

    Parameters
    ----------
    codes
        [n, m] as they are, not standardised: the distances that the model has learned.
    labels
        [n] class of each point, or None if unknown.
    assigned
        [n] cluster of each point by the method itself, or None if it has none.
    baselines
        Whether chance levels are wanted: the same with the labels shuffled over the points. (There is no ceiling:
        what perfect codes score under an index of distances depends on how far they put the classes apart.)
    seed
        Seed of k-means and of shuffling.
    """

    codes: NDArray
    labels: Labels | None
    assigned: Labels | None
    baselines: bool
    seed: int

    def calls(self, metric: Metric) -> Iterator[Call]:
        """One score for each kind of clusters, named in brackets: "labels", "k-means", "assigned"."""
        options = {"seed": self.seed} if "seed" in metric.parameters else {}
        said = metric.parameters | options | {"n_points": len(self.codes)}
        if metric.needs == "clusters":
            kinds = self._found | ({} if self.labels is None else {"labels": self.labels})
        elif self.labels is None:
            raise Unavailable("The metric compares clusters with class labels, and none are known.")
        else:
            kinds = self._found
        if not kinds:
            raise Unavailable(
                "There are neither class labels, which say the number of clusters, nor assignments."
            )
        for kind in sorted(kinds, key=("labels", "k-means", "assigned").index):
            clusters = kinds[kind]
            known = said | {"n_clusters": int(clusters.max()) + 1}
            first: NDArray = self.codes if metric.needs == "clusters" else clusters
            second, chance = clusters, None
            if metric.needs == "assignments":
                assert self.labels is not None
                second = self.labels
            if self.baselines and (kind == "labels" or metric.needs == "assignments"):
                chance = Inputs((first, np.random.default_rng(self.seed).permutation(second)), options)
            yield Call(Inputs((first, second), options), known, chance=chance, of=kind)

    @cached_property
    def _found(self) -> dict[str, Labels]:
        """Clusters that were found without labels."""
        found = {} if self.assigned is None else {"assigned": self.assigned}
        if self.labels is not None:
            found["k-means"] = k_means(self.codes, int(self.labels.max()) + 1, self.seed)
        return found


@dataclass(frozen=True)
class OnPlane(Given):
    """Points whose classes are scored as clusters, on the t-SNE of their codes; parameters as of `Clustered`."""

    codes: NDArray
    labels: Labels | None
    baselines: bool
    seed: int

    def calls(self, metric: Metric) -> Iterator[Call]:
        """One score, of the "labels on t-SNE"; chance is the same plane with the labels shuffled over the points."""
        if self.labels is None or metric.needs != "clusters":
            raise Unavailable(
                "On a t-SNE the classes are scored as clusters, and "
                + (
                    "no class labels are known."
                    if self.labels is None
                    else "this metric compares two groupings."
                )
            )
        options = {"seed": self.seed} if "seed" in metric.parameters else {}
        said = (
            metric.parameters
            | options
            | {"n_points": len(self.codes), "perplexity": perplexity(len(self.codes))}
        )
        said["n_clusters"] = int(self.labels.max()) + 1
        shuffled = np.random.default_rng(self.seed).permutation(self.labels)
        chance = Inputs((self._plane, shuffled), options) if self.baselines else None
        yield Call(Inputs((self._plane, self.labels), options), said, chance=chance, of="labels on t-SNE")

    @cached_property
    def _plane(self) -> NDArray:
        return t_sne(self.codes, self.seed)


def k_means(codes: NDArray, n_clusters: int, seed: int) -> Labels:
    """Clusters [n] by k-means: the best of 10 starts. Of fewer different codes there are fewer clusters."""
    if len(codes) <= n_clusters:
        raise Unavailable(f"There are {len(codes)} points for {n_clusters} clusters, expected more points.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer clusters: their number is in the results
        found = KMeans(n_clusters, n_init=RESTARTS, random_state=seed).fit_predict(codes)
    return as_clusters(found)
