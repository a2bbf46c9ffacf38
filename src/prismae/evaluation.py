"""Scoring a model on a world: encode every observation once, then look codes up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from prismae.data import World
from prismae.errors import InputError
from prismae.metrics.evaluate import Scores, evaluate_codes


def codes_table(net: nn.Module, world: World) -> NDArray[np.float32]:
    """Mean codes of every observation, [n, m], by an autoencoder's `encode`, in evaluation mode where it lies."""
    training = net.training
    device = next(net.parameters()).device
    try:
        return world.to(device).codes_table(lambda x: net.eval().encode(x).mean)  # type: ignore[operator]
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
) -> Scores:
    """Score a model, or codes from anywhere, against the known factors.

    Parameters
    ----------
    model
        A fitted `prismae.Autoencoder`, its `net_`, or codes [n, m] of all observations as an array or tensor.
    world
        The world that was encoded; or its factors [n, k] where codes are given; or None, and only metrics that need
        no factors are taken.
    metrics, protocol, bootstrap, baselines, seed
        See `prismae.metrics.evaluate.evaluate_codes`.
    other_runs
        The same method trained with other seeds, as models or codes, for metrics that compare runs (UDR).

    Returns
    -------
    Scores
        A mapping from a metric's name to its score with interval, ceiling and chance level.
    """
    factors: ArrayLike | None
    if isinstance(world, World):
        factors, names, kinds = world.factors, world.factor_names or None, world.factor_kinds or None
    else:
        factors, names, kinds = world, None, None
    return evaluate_codes(
        _codes(model, world),
        factors,
        factor_names=names,
        factor_kinds=kinds,
        metrics=metrics,
        protocol=protocol,
        bootstrap=bootstrap,
        baselines=baselines,
        seed=seed,
        other_runs=[_codes(run, world) for run in other_runs],
    )


def _codes(model: Any, world: World | ArrayLike | None) -> ArrayLike:
    """Codes of all observations, by a model or as they are given."""
    net = getattr(model, "net_", model)
    if not isinstance(net, nn.Module):
        return model.detach().cpu().numpy() if isinstance(model, torch.Tensor) else model
    if not isinstance(world, World):
        raise InputError(f"A model is evaluated on a World, got {type(world).__name__}: see prismae.world.")
    return codes_table(net, world)
