"""Factorised support."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from prismae.fields import Count, Seed
from prismae.latent.support import hausdorff
from prismae.metrics._base import AFFINE, UNBOUNDED, metric
from prismae.metrics._inputs import as_codes, standardised, varying

ROUNDS = 4  # batches at most


@metric(
    needs="codes",
    bounds=UNBOUNDED,
    better="lower",
    known={"identity": 0.0, "constant": 0.0},
    invariant=AFFINE,
)
def factorised_support(codes: ArrayLike, *, batch: Count = 128, seed: Seed = 0) -> float:
    """Factorised support: how far what two codes could take together is from what they do; needs no factors.

    The Hausdorff distance, squared, of codes from all combinations of their values: max over combinations (z_ai, z_cj)
    of the least squared distance of a code in that plane; mean over pairs of codes and over batches. Roth, Ibrahim,
    Akata, Vincent & Bouchacourt 2023, arXiv:2210.07347, Eqs. 4 and 5.

    Parameters
    ----------
    codes
        [n, m]; constant codes are left out.
    batch
        Points that are looked at together, up to four times, drawn by `seed`.
    seed
        Seed of the draw.

    Returns
    -------
    float
        In [0, inf], lower is better, in squared standard deviations.

    Notes
    -----
    The paper sums over pairs and takes codes as they are, so that its value grows with their number and scale; here
    codes have unit variance, and pairs are averaged. Factors may depend on each other: only combinations that never
    occur count. It is biased upwards by batches that hold few of the rare combinations: independent normal codes score
    about 3.5.

    Examples
    --------
    >>> grid = np.indices((4, 4)).reshape(2, -1).T
    >>> diagonal = np.repeat([[0, 0], [1, 1]], 20, axis=0)
    >>> factorised_support(grid), round(factorised_support(diagonal), 6)  # distances of 1, over variances of 1/4
    (0.0, 4.0)
    """
    z = as_codes(codes)
    z = standardised(z[:, varying(z)])
    if z.shape[1] < 2:
        return 0.0
    size = min(batch, len(z))
    order = np.random.default_rng(seed).permutation(len(z))
    parts = [order[start : start + size] for start in range(0, len(z) - size + 1, size)][:ROUNDS]
    pairs = torch.combinations(torch.arange(z.shape[1]))
    return float(np.mean([hausdorff(torch.from_numpy(z[rows]), pairs).mean() for rows in parts]))
