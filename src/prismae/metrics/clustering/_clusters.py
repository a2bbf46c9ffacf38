"""Codes and clusters of a world's points: by their labels, by k-means, as a method assigns them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from prismae.errors import InputError, Unavailable
from prismae.metrics._base import Metric
from prismae.metrics._calls import Call, Inputs
from prismae.metrics._inputs import Labels, as_array, as_clusters

RESTARTS = 10  # of k-means, from other means; the tightest clusters are taken


@dataclass(frozen=True)
class Clusters:
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
            yield Call(f"{metric.key}[{kind}]", Inputs((first, second), options), known, chance=chance)

    @cached_property
    def _found(self) -> dict[str, Labels]:
        """Clusters that were found without labels."""
        found = {} if self.assigned is None else {"assigned": self.assigned}
        if self.labels is not None:
            found["k-means"] = k_means(self.codes, int(self.labels.max()) + 1, self.seed)
        return found


def k_means(codes: NDArray, n_clusters: int, seed: int) -> Labels:
    """Clusters [n] by k-means: the best of 10 starts. Of fewer different codes there are fewer clusters."""
    if len(codes) <= n_clusters:
        raise Unavailable(f"There are {len(codes)} points for {n_clusters} clusters, expected more points.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer clusters: their number is in the results
        found = KMeans(n_clusters, n_init=RESTARTS, random_state=seed).fit_predict(codes)
    return as_clusters(found)


def as_assignments(assignments: ArrayLike, n: int) -> Labels:
    """Cluster of each point [n], from these or from shares of components [n, K], of which the largest counts."""
    given = as_array(assignments)
    if given.ndim == 2 and given.shape[1] > 1:
        if given.dtype.kind != "f" or not np.isfinite(given).all():
            raise InputError("Shares of components [points, components] must be finite numbers.")
        given = given.argmax(axis=1)
    return as_clusters(given, n=n)


def class_labels(
    factors: NDArray, kinds: tuple[str, ...], names: tuple[str, ...], label: str | int | None
) -> NDArray:
    """The factor that counts as the class of each point: [n], NaN where unknown.

    Parameters
    ----------
    label
        Its name or index; None: the only categorical factor.
    """
    if isinstance(label, str):
        if label not in names:
            raise InputError(f"There is no factor {label!r}: expected one of {', '.join(names) or 'none'}.")
        label = names.index(label)
    if label is None:
        categorical = [k for k, kind in enumerate(kinds) if kind == "categorical"]
        if len(categorical) != 1:
            which = ", ".join(names) or f"0 to {len(kinds) - 1}"
            raise Unavailable(
                f"There are {len(categorical)} categorical factors and one is needed as class label: choose by label "
                f"one of {which}."
            )
        label = categorical[0]
    if not 0 <= label < factors.shape[1]:
        raise InputError(f"There is no factor {label}: expected 0 to {factors.shape[1] - 1}.")
    if kinds[label] != "categorical":
        raise InputError(f"Factor {names[label] if names else label} is continuous, expected class labels.")
    return factors[:, label]
