"""Scoring a model on a world: by the codes of all observations, the images it makes, or the likelihood of some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from prismae._random import Draws
from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import InputError, Unavailable
from prismae.latent.gaussian import Gaussian
from prismae.methods import Clustering, Method
from prismae.metrics._progress import Progress
from prismae.metrics.clustering._clusters import class_labels
from prismae.metrics.evaluate import (
    Scores,
    by_parts,
    by_protocol,
    evaluate_codes,
    evaluate_images,
    evaluate_likelihood,
    posteriors_needed,
    tables_needed,
)
from prismae.metrics.likelihood._sampling import at_samples, posteriors

IMAGES = 5_000  # real ones, as many reconstructions and samples, and twice as many more real ones
CHUNK = 500
OBSERVATIONS = 2_000  # whose likelihood is measured
SAMPLES = 500  # of each posterior, behind a likelihood; as in most papers
FEW_SAMPLES = 10  # of each posterior, behind a reconstruction term


def codes_table(net: nn.Module, world: World, *, progress: bool = False) -> NDArray[np.float32]:
    """Mean codes of every observation, [n, m], by an autoencoder's `encode`, in evaluation mode where it lies."""
    return _table(net, world, lambda x: net.encode(x).mean, progress)  # type: ignore[operator]


def deviations_table(net: nn.Module, world: World, *, progress: bool = False) -> NDArray[np.float32]:
    """Standard deviations of the posteriors of every observation, [n, m]; 0 where codes have no density."""

    def deviations(x: Tensor) -> Tensor:
        q = net.encode(x)  # type: ignore[operator]
        return torch.exp(0.5 * q.log_var) if isinstance(q, Gaussian) else torch.zeros_like(q.mean)

    return _table(net, world, deviations, progress)


def assignments_table(
    method: Clustering, net: Any, world: World, *, progress: bool = False
) -> NDArray[np.float32]:
    """Shares of a clustering method's components in every observation, [n, K]."""
    return _table(net, world, lambda x: method.responsibilities(net, x), progress)


def _table(
    net: nn.Module, world: World, encode: Callable[[Tensor], Tensor], progress: bool
) -> NDArray[np.float32]:
    training = net.training
    device = next(net.parameters()).device
    with Progress("encoding", len(world), enabled=progress) as bar:

        def part(x: Tensor) -> Tensor:
            bar.advance(len(x))
            return encode(x)

        try:
            net.eval()
            return world.to(device).codes_table(part)
        finally:
            net.train(training)


def evaluate(
    model: Any,
    world: World | ArrayLike | None = None,
    *,
    metrics: str | Sequence[str] = "default",
    protocol: str = "locatello2019",
    bootstrap: int = 0,
    baselines: bool = True,
    seed: int = 0,
    other_runs: Sequence[Any] = (),
    stds: ArrayLike | None = None,
    other_stds: Sequence[ArrayLike] = (),
    test: World | tuple[ArrayLike, ArrayLike] | None = None,
    assignments: ArrayLike | None = None,
    label: str | int | None = None,
    method: Method | None = None,
    samples: int = SAMPLES,
    progress: bool = False,
) -> Scores:
    """Score a model, or codes from anywhere, against the known factors; or a model's images or likelihood.

    Parameters
    ----------
    model
        A fitted `prismae.Autoencoder`, its `net_`, or codes [n, m] of all observations as an array or tensor.
    world
        The world that was encoded; or its factors [n, k] where codes are given; or None, and only metrics that need
        no factors are taken.
    metrics
        "default", "all" (of the protocol), "clustering", "classification", "generation", "likelihood", or names of
        metrics and of these families. See `prismae.metrics.evaluate.evaluate_codes`, `evaluate_images` and
        `evaluate_likelihood`.
    protocol, bootstrap, baselines, seed
        See `prismae.metrics.evaluate.evaluate_codes`.
    other_runs
        The same method trained with other seeds, as models or codes, for metrics that compare runs (UDR).
    stds, other_stds
        Standard deviations of the posteriors, where codes are given, for RMIG and UDR; see
        `prismae.metrics.evaluate.evaluate_codes`. Those of models are the models' own.
    test
        A world of observations that were kept apart (``prismae.world("mnist:test")``): classifiers are scored on its
        codes, its images are reconstructed, and its likelihood is measured. Or its codes and factors, where codes are
        given.
    assignments
        Clusters of all observations, [n] or shares [n, K]; by default those of a method that clusters.
    label
        Name or index of the factor that counts as class, for clustering and generation; None: the only categorical one.
    method
        What was trained, where the model is a bare net: its prior gives samples, its clusters are scored.
    samples
        Samples of each observation's posterior, behind a likelihood.
    progress
        Whether progress bars are shown.

    Returns
    -------
    Scores
        A mapping from a metric's name to its score with interval, ceiling and chance level.
    """
    wanted = by_protocol(metrics, (protocol,))
    method = getattr(model, "method_", method)
    net = getattr(model, "net_", model)
    taken: dict[str, Any] = {
        "bootstrap": bootstrap,
        "baselines": baselines,
        "seed": seed,
        "label": label,
        "progress": progress,
    }
    unseen = test if isinstance(test, World) else None
    of_codes = {name: chosen for name, chosen in wanted.items() if name not in ("generation", "likelihood")}
    given: dict[str, Any] = {}
    if of_codes:
        given = _given(model, world, other_runs, stds, other_stds, posteriors_needed(of_codes), progress)
        given |= {"test": test, "assignments": assignments}
        if unseen is not None:
            if unseen.factors is None:
                raise InputError(
                    f"World {unseen.name!r} has no known factors, so nothing can be tested on it."
                )
            classified = "classification" in wanted
            given["test"] = (_codes(model, unseen, progress), unseen.factors) if classified else None
        if (
            "clustering" in wanted
            and assignments is None
            and isinstance(method, Clustering)
            and isinstance(net, nn.Module)
            and isinstance(world, World)
        ):
            given["assignments"] = assignments_table(method, net, world, progress=progress)

    def take(name: str, chosen: str | list[str]) -> Scores:
        if name in of_codes:
            return evaluate_codes(metrics=chosen, protocol=name, **given, **taken)
        if not isinstance(net, nn.Module) or not isinstance(world, World):
            scored = "scored on the images of" if name == "generation" else "measured on"
            raise InputError(f"{name.capitalize()} is {scored} a model and a World, expected both.")
        if name == "generation":
            return image_scores(net, world, metrics=chosen, test=unseen, method=method, **taken)
        return likelihood_scores(
            net,
            world if unseen is None else unseen,
            metrics=chosen,
            method=method,
            samples=samples,
            bootstrap=bootstrap,
            seed=seed,
            progress=progress,
        )

    return by_parts(wanted, take)


def _given(
    model: Any,
    world: World | ArrayLike | None,
    other_runs: Sequence[Any],
    stds: ArrayLike | None,
    other_stds: Sequence[ArrayLike],
    posteriors: bool,
    progress: bool,
) -> dict[str, Any]:
    """Codes and factors as `evaluate_codes` takes them, and where `posteriors` are needed their deviations."""
    factors: ArrayLike | None
    if isinstance(world, World):
        factors, names, kinds = world.factors, world.factor_names or None, world.factor_kinds or None
    else:
        factors, names, kinds = world, None, None
    none: list[ArrayLike | None] = [None] * len(other_runs)
    deviations = [stds, *(other_stds or none)]
    if posteriors:
        runs = zip([model, *other_runs], deviations, strict=False)
        deviations = [_deviations(run, world, each, progress) for run, each in runs]
    return {
        "codes": _codes(model, world, progress),
        "factors": factors,
        "factor_names": names,
        "factor_kinds": kinds,
        "other_runs": [_codes(run, world, progress) for run in other_runs],
        "stds": deviations[0],
        "other_stds": [each for each in deviations[1:] if each is not None],
    }


def image_scores(
    net: Any,
    world: World,
    *,
    metrics: str | Sequence[str] = "default",
    test: World | None = None,
    method: Method | None = None,
    label: str | int | None = None,
    bootstrap: int = 0,
    baselines: bool = True,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Score reconstructions and samples of an autoencoder as images.

    Reconstructions are of 5,000 observations of `test` (of `world` where there is no `test`), from their mean codes; as
    many samples are drawn from the prior (N(0, I) where no method is given). As many other observations of `world`
    teach the features, and as many more say how far real images lie apart. Smaller worlds are parted evenly.

    Parameters
    ----------
    net
        The trained `AutoencoderNet`.
    world, test, method, label, progress
        As for `evaluate`.
    metrics, bootstrap, baselines, seed
        See `prismae.metrics.evaluate.evaluate_images`.

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
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(world)))
    if test is None:
        n = min(IMAGES, len(world) // 3)
        x = _observations(world, order[2 * n : 3 * n])
    else:
        n = min(IMAGES, len(test), len(world) // 2)
        x = _observations(test, torch.from_numpy(np.random.default_rng(seed).permutation(len(test))[:n]))
    rows = order[: 2 * n]
    device = next(net.parameters()).device
    training = net.training
    with torch.no_grad(), Draws(seed), Progress("images", 2 * n, enabled=progress) as bar:
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
    return evaluate_images(
        x,
        reconstructions=reconstructions,
        samples=samples,
        others=_observations(world, rows),
        labels=_labels(world, rows, label),
        name=world.name,
        metrics="generation" if metrics == "default" else metrics,
        bootstrap=bootstrap,
        baselines=baselines,
        seed=seed,
        progress=progress,
    )


def likelihood_scores(
    net: Any,
    world: World,
    *,
    metrics: str | Sequence[str] = "default",
    method: Method | None = None,
    samples: int = SAMPLES,
    bootstrap: int = 0,
    seed: int = 0,
    progress: bool = False,
) -> Scores:
    """Score an autoencoder with a Gaussian posterior and the prior N(0, I) as a density, in nats an observation.

    Up to 2,000 observations are taken, evenly spaced: the likelihood by `samples` importance samples each,
    reconstructions by 10, and the posteriors.

    Parameters
    ----------
    net
        The trained `AutoencoderNet`.
    world
        The observations, of which the model has seen none if the score is to say how it generalises.
    samples
        Samples of each posterior, behind a likelihood: fewer are faster and a looser bound.
    metrics, bootstrap, seed
        See `prismae.metrics.evaluate.evaluate_likelihood`.
    method, progress
        As for `evaluate`.

    Raises
    ------
    Unavailable
        If the method's prior is not N(0, I), the posterior no Gaussian, or the likelihood not in nats.
    """
    if samples < 1:
        raise InputError(f"A likelihood needs at least 1 sample of each posterior, got {samples}.")
    if method is not None and type(method).prior_sample is not Method.prior_sample:
        raise Unavailable(
            f"Likelihood is measured against the prior N(0, I), and that of {method.called()} is another."
        )
    if not net.likelihood.nats:
        raise Unavailable(
            f"Likelihood is measured in nats, and {net.likelihood.name()!r} is none: train with 'bernoulli', "
            "'gaussian' or 'gaussian-learned'."
        )
    chosen = "likelihood" if metrics == "default" else metrics
    draws = {"log_weights": samples, "losses": FEW_SAMPLES}
    draws = {name: k for name, k in draws.items() if name in tables_needed(chosen)}
    rows = spaced(len(world), OBSERVATIONS)
    total = len(rows) * (1 + sum(draws.values()))
    training = net.training
    tables: dict[str, Tensor] = {}
    with torch.no_grad(), Progress("likelihood", total, enabled=progress) as bar:
        try:
            net.eval()
            q = posteriors(net, world.data, rows, bar)
            for name, k in draws.items():
                with Draws(seed):  # anew, so that a score does not depend on which others are taken
                    tables[name] = at_samples(
                        net,
                        world.data,
                        rows,
                        q,
                        k,
                        weighted=name == "log_weights",
                        outputs=world.kind.outputs,
                        bar=bar,
                    )
        finally:
            net.train(training)
    lengths = world.kind.lengths(world.data)
    return evaluate_likelihood(
        **tables,
        words=None if lengths is None else lengths[rows],
        mean=q.mean,
        log_var=q.log_var,
        metrics=chosen,
        bootstrap=bootstrap,
        seed=seed,
        progress=progress,
    )


def _observations(world: World, rows: Tensor) -> Tensor:
    return world.data[rows.to(world.data.device)].cpu()


def _labels(world: World, rows: Tensor, label: str | int | None) -> NDArray | None:
    """Classes of these observations, for a classifier to learn; None where the world has no single class label."""
    if world.factors is None or (label is None and world.factor_kinds.count("categorical") != 1):
        return None
    labels = class_labels(world.factors, world.factor_kinds, world.factor_names, label)[rows.numpy()]
    return None if labels.dtype.kind == "f" and np.isnan(labels).any() else labels


def _codes(model: Any, world: World | ArrayLike | None, progress: bool) -> ArrayLike:
    """Codes of all observations, by a model or as they are given."""
    net = getattr(model, "net_", model)
    if not isinstance(net, nn.Module):
        return model.detach().cpu().numpy() if isinstance(model, torch.Tensor) else model
    if not isinstance(world, World):
        raise InputError(f"A model is evaluated on a World, got {type(world).__name__}: see prismae.world.")
    return codes_table(net, world, progress=progress)


def _deviations(
    model: Any, world: World | ArrayLike | None, given: ArrayLike | None, progress: bool
) -> ArrayLike | None:
    """Deviations of all posteriors, by a model or as they are given with codes."""
    net = getattr(model, "net_", model)
    if isinstance(net, nn.Module) and isinstance(world, World):
        return deviations_table(net, world, progress=progress)
    return given
