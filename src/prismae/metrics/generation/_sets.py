"""Images, their reconstructions and samples, and what of them a metric sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from prismae.errors import Unavailable
from prismae.metrics._base import Metric
from prismae.metrics._calls import Call, Inputs
from prismae.metrics._inputs import Labels
from prismae.metrics.generation._features import Features, classifier, pixels_pca


@dataclass(frozen=True)
class Images:
    """Sets of images [., c, h, w] in [0, 1].

    Parameters
    ----------
    images
        Real ones.
    reconstructions
        Reconstructions of these, in the same order; None: there are none.
    samples
        From the prior; None: there are none.
    others
        More real ones, whose distance is the ceiling of samples; None: there are none.
    taught
        Real ones with which features are learned, neither of `images` nor of `others`: a network knows the images that
        it has learned. None: features are learned with `images`.
    labels
        Class of each of the `taught`, for features of a classifier; None if unknown.
    name
        Name of the world: a classifier's features are called by it.
    baselines
        Whether ceiling and chance level are wanted. Chance: reconstructions shuffled over the images.
    seed
        Seed of the metrics and of shuffling.
    """

    images: Tensor
    reconstructions: Tensor | None
    samples: Tensor | None
    others: Tensor | None
    taught: Tensor | None
    labels: Labels | None
    name: str
    baselines: bool
    seed: int

    def calls(self, metric: Metric) -> Iterator[Call]:
        """For pairs one score; for sets one of reconstructions and one of samples, by each kind of features."""
        options = {"seed": self.seed} if "seed" in metric.parameters else {}
        said = metric.parameters | options
        if metric.needs == "pairs":
            if self.reconstructions is None:
                raise Unavailable(
                    "The metric compares images with their reconstructions, and none are given."
                )
            chance = None
            if self.baselines:
                order = np.random.default_rng(self.seed).permutation(len(self.images))
                chance = Inputs((self.images, self.reconstructions[order]), options)
            inputs = Inputs((self.images, self.reconstructions), options)
            yield Call(metric.key, inputs, said | {"n_images": len(self.images)}, chance=chance)
            return
        for kind, sets in (self._features if metric.needs == "features" else {"": self._sets}).items():
            key = f"{metric.key}[{kind}]" if kind else metric.key
            for name in [each for each in ("reconstructions", "samples") if each in sets]:
                ceiling = None
                if self.baselines and name == "samples" and "others" in sets:
                    ceiling = Inputs((sets["images"], sets["others"]), options)
                numbers = {"n_images": len(sets["images"]), f"n_{name}": len(sets[name])}
                inputs = Inputs((sets["images"], sets[name]), options)
                yield Call(key, inputs, said | numbers, ceiling, suffix=f"-{name}")

    @property
    def _sets(self) -> dict[str, Tensor]:
        sets = {
            "images": self.images,
            "reconstructions": self.reconstructions,
            "samples": self.samples,
            "others": self.others,
        }
        return {name: each for name, each in sets.items() if each is not None}

    @cached_property
    def _features(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Features of every set, by kind: each image is looked at once."""
        taught = self.images if self.taught is None else self.taught
        kinds: dict[str, Features] = {"pixels-pca": pixels_pca(taught)}
        if self.labels is not None:
            kinds[f"classifier:{self.name}"] = classifier(taught, self.labels)
        return {
            kind: {name: features(each) for name, each in self._sets.items()}
            for kind, features in kinds.items()
        }
