"""Images, their reconstructions and samples, and what of them a metric sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from prismae._progress import Bar
from prismae._random import Draws
from prismae.data import World
from prismae.errors import InputError, Unavailable
from prismae.evaluation.families._base import Call, Family, Given, Inputs
from prismae.evaluation.labels import class_labels
from prismae.evaluation.options import Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.subjects import Subject
from prismae.methods import Method
from prismae.metrics import Metric
from prismae.metrics._inputs import Labels, as_clusters
from prismae.metrics.generation._features import Features, classifier, pixels_pca
from prismae.metrics.generation._images import as_images, as_pairs, as_sets

IMAGES = 5_000  # real ones, as many reconstructions and samples, and twice as many more real ones
CHUNK = 500
GENERATION = Protocol(
    "generation",
    default=("ssim", "ms-ssim", "psnr", "pixel-mse", "frechet", "kernel-distance", "fid", "kid", "lpips"),
)


@dataclass(frozen=True)
class Pictures:
    """Images, and what was made of them; see `prismae.evaluation.evaluate_images`."""

    images: ArrayLike | Tensor
    reconstructions: ArrayLike | Tensor | None = None
    samples: ArrayLike | Tensor | None = None
    others: ArrayLike | Tensor | None = None
    labels: ArrayLike | None = None
    name: str = "own"

    @property
    def size(self) -> int:
        """Number of images."""
        return len(self.images)  # type: ignore[arg-type]


class Images(Family):
    """Generation: images, their reconstructions, and samples."""

    protocols = (GENERATION,)
    needs = ("pairs", "features", "images")

    def given(self, subject: Any, plan: Protocol, metrics: Sequence[Metric], options: Options) -> Sets:
        if isinstance(subject, Subject) and subject.trained is not None:
            net, world, method = subject.trained
            subject = generated(net, world, subject.test, method, options)
        if not isinstance(subject, Pictures):
            raise InputError(
                "Generation is scored on images of a model and a World, and codes are given: see evaluate_images."
            )
        return sets_of(subject, options)


def generated(net: Any, world: World, test: object, method: Method | None, options: Options) -> Pictures:
    """Reconstructions and samples of an autoencoder, beside images of its world.

    Reconstructions are of 5,000 observations of `test` (of `world` where there is no `test`), from their mean codes; as
    many samples are drawn from the prior (N(0, I) where no method is given). As many other observations of `world`
    teach the features, and as many more say how far real images lie apart. Smaller worlds are parted evenly.

    Raises
    ------
    Unavailable
        If an observation is no image, or its pixels do not lie in [0, 1].
    """
    if len(world.shape) != 3 or world.shape[0] not in (1, 3):
        raise Unavailable(
            f"Generation is scored on images [1 or 3 channels, height, width], and an observation of world "
            f"{world.name!r} has shape {world.shape}."
        )
    seen = world.summary
    if seen.low < 0 or seen.high > 1:
        raise Unavailable(
            f"Generation is scored on images, and those of world {world.name!r} range from {seen.low:.3g} to "
            f"{seen.high:.3g}, expected pixels in [0, 1]."
        )
    order = torch.from_numpy(np.random.default_rng(options.seed).permutation(len(world)))
    if not isinstance(test, World):
        n = min(IMAGES, len(world) // 3)
        x = _observations(world, order[2 * n : 3 * n])
    else:
        n = min(IMAGES, len(test), len(world) // 2)
        x = _observations(
            test, torch.from_numpy(np.random.default_rng(options.seed).permutation(len(test))[:n])
        )
    rows = order[: 2 * n]
    device = next(net.parameters()).device
    training = net.training
    with torch.no_grad(), Draws(options.seed), Bar("images", 2 * n, enabled=options.progress) as bar:
        net.eval()

        def generated(codes: Tensor) -> Tensor:
            bar.advance(len(codes))
            return net.generate(codes).cpu().clamp(0, 1)  # as pictures are shown

        try:
            codes = [net.encode(part.to(device)).mean for part in x.split(CHUNK)]
            n_latents = codes[0].shape[1]
            z = torch.randn(n, n_latents) if method is None else method.prior_sample(net, n_latents, n)
            reconstructions = torch.cat([generated(part) for part in codes])
            samples = torch.cat([generated(part.to(device)) for part in z.split(CHUNK)])
        finally:
            net.train(training)
    return Pictures(
        x,
        reconstructions,
        samples,
        _observations(world, rows),
        _labels(world, rows, options.label),
        world.name,
    )


def sets_of(pictures: Pictures, options: Options) -> Sets:
    """Checked images; of the others one half is for learning features, and the other for comparing."""
    x = as_images(pictures.images, least=2)
    if pictures.reconstructions is None and pictures.samples is None:
        raise InputError("There are neither reconstructions nor samples to compare with the images.")
    if pictures.labels is not None and pictures.others is None:
        raise InputError("Labels belong to the other real images, and these are missing.")
    further = taught = classes = None
    if pictures.others is not None:
        taught, further = as_sets(x, pictures.others)[1].tensor_split(2)
        if pictures.labels is not None:
            classes = as_clusters(pictures.labels, n=len(taught) + len(further))[: len(taught)]
    return Sets(
        x,
        None if pictures.reconstructions is None else as_pairs(x, pictures.reconstructions)[1],
        None if pictures.samples is None else as_sets(x, pictures.samples)[1],
        further,
        taught,
        classes,
        pictures.name,
        options.baselines,
        options.seed,
    )


def _observations(world: World, rows: Tensor) -> Tensor:
    return world.data[rows.to(world.data.device)].cpu()


def _labels(world: World, rows: Tensor, label: str | int | None) -> NDArray | None:
    """Classes of these observations, for a classifier to learn; None where the world has no single class label."""
    if world.factors is None or (label is None and world.factor_kinds.count("categorical") != 1):
        return None
    labels = class_labels(world.factors, world.factor_kinds, world.factor_names, label)[rows.numpy()]
    return None if labels.dtype.kind == "f" and np.isnan(labels).any() else labels


@dataclass(frozen=True)
class Sets(Given):
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
            yield Call(inputs, said | {"n_images": len(self.images)}, chance=chance)
            return
        for kind, sets in (self._features if metric.needs == "features" else {"": self._sets}).items():
            for name in [each for each in ("reconstructions", "samples") if each in sets]:
                ceiling = None
                if self.baselines and name == "samples" and "others" in sets:
                    ceiling = Inputs((sets["images"], sets["others"]), options)
                numbers = {"n_images": len(sets["images"]), f"n_{name}": len(sets[name])}
                inputs = Inputs((sets["images"], sets[name]), options)
                yield Call(inputs, said | numbers, ceiling, of=kind, suffix=f"-{name}")

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
