"""The Gaussian channel between a bounded code and the decoder (Yeats et al. 2023)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softsign

CODE_BOUND = 3.0


def bounded(a: Tensor) -> Tensor:
    """Encoder outputs to codes within (-3, 3): 3 softsign(a / 3), with unit slope at 0."""
    return CODE_BOUND * softsign(a / CODE_BOUND)


def through_channel(z: Tensor, sigma: Tensor) -> Tensor:
    """What the decoder and the critics receive: z + sigma eps, eps ~ N(0, I); z [batch, m], sigma [m]."""
    return z + sigma * torch.randn_like(z)
