"""What the report draws of a model: reconstructions, traversals, and how much codes know of factors."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import entropy

from prismae.data import World
from prismae.metrics import mutual_information_matrix
from prismae.nets.autoencoder import AutoencoderNet

PAIRS = 8
FRAMES = 11
POINTS = 10_000  # observations that ranges and information are measured on


def pictures(net: AutoencoderNet, world: World) -> dict[str, NDArray]:
    """Arrays behind a run's figures.

    Returns
    -------
    dict
        ``originals``, ``reconstructions`` [r, *shape]; ``traversals`` [m, t, *shape] with ``traversal_values``
        [m, t]: each latent moved from its 2nd to its 98th percentile, the others as in the observation nearest to
        the codes' median; ``spread`` [m], standard deviation of each code; and with known factors
        ``mutual_information`` [m, k] in nats, ``factor_entropies`` [k], ``factor_names`` [k].
    """
    rows = torch.from_numpy(np.sort(np.random.default_rng(0).permutation(len(world))[:POINTS]))
    with torch.no_grad():
        codes = torch.cat([net.encode(world.data[part]).mean for part in rows.split(1024)])
        shown = world.data[rows[torch.linspace(0, len(rows) - 1, min(PAIRS, len(rows))).long()]]
        low, high = torch.quantile(codes, torch.tensor([0.02, 0.98]), dim=0)
        base = codes[(codes - codes.median(0).values).square().sum(1).argmin()]
        values = torch.stack(
            [torch.linspace(a, b, FRAMES) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        )
        moved = base.repeat(*values.shape, 1)  # [m, t, m]
        for i, column in enumerate(values):
            moved[i, :, i] = column
        arrays = {
            "originals": shown,
            "reconstructions": net.generate(net.encode(shown).mean),
            "traversals": net.generate(moved.flatten(0, 1)).unflatten(0, values.shape),
            "traversal_values": values,
            "spread": codes.std(0),
        }
    drawn = {name: tensor.numpy() for name, tensor in arrays.items()}
    if world.factors is not None:
        factors = world.factors[rows.numpy()]
        drawn["mutual_information"] = mutual_information_matrix(codes.numpy(), factors)
        drawn["factor_entropies"] = np.array(
            [entropy(np.unique(f, return_counts=True)[1]) for f in factors.T]
        )
        drawn["factor_names"] = np.array(world.factor_names)
    return drawn
