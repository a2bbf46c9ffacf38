"""Scoring a model on a world: by the codes of all observations, the images it makes, or the likelihood of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from prismae.data import World
from prismae.evaluation.baselines import baselines_of, beside
from prismae.evaluation.options import SAMPLES, Options
from prismae.evaluation.protocol import Protocol
from prismae.evaluation.protocols import Metrics, by_protocol
from prismae.evaluation.scores import Scores
from prismae.evaluation.subjects import Factors, Subject
from prismae.evaluation.take import joined, walk
from prismae.methods import Method


def evaluate(
    model: Any,
    world: World | ArrayLike | None = None,
    *,
    metrics: Metrics = "default",
    protocol: str | Protocol = "locatello2019",
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
        "default", "all" (of the protocol), "clustering", "classification", "generation", "likelihood", names of metrics
        and of these families, and functions that are declared by `prismae.metrics.metric`. See
        `prismae.evaluation.evaluate_codes`, `evaluate_images` and `evaluate_likelihood`.
    protocol, bootstrap, baselines, seed
        See `prismae.evaluation.evaluate_codes`.
    other_runs
        The same method trained with other seeds, as models or codes, for metrics that compare runs (UDR).
    stds, other_stds
        Standard deviations of the posteriors, where codes are given, for RMIG and UDR; see
        `prismae.evaluation.evaluate_codes`. Those of models are the models' own.
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
        A mapping from a metric's name to its score with interval, ceiling and chance level; scores of a model's codes
        stand beside those of as many principal and independent components as it has latents, and, for an
        `Autoencoder`, of its network untrained.
    """
    subject = Subject(
        model,
        world if isinstance(world, World) else Factors(world),
        other_runs,
        stds,
        other_stds,
        test,
        assignments,
        method,
        progress,
    )
    options = Options(bootstrap, baselines, seed, label, samples, progress)
    wanted = by_protocol(metrics, (protocol,))
    subject.check()
    start = getattr(model, "untrained", None)
    others = baselines_of(subject, seed=seed, start=None if start is None else start()) if baselines else {}
    walked = walk(subject, wanted, options)
    return joined(
        (name, beside(scores, wanted[name], others, options), refused) for name, scores, refused in walked
    )
