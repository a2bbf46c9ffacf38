"""Categorical posteriors over few values."""

from __future__ import annotations

import torch
from torch import Tensor


def kl_to_even(logits: Tensor) -> Tensor:
    """KL of softmax(logits) [..., levels] to even shares, in nats: [...]; log(levels) where one is certain."""
    log_p = torch.log_softmax(logits, -1)
    return (log_p.exp() * log_p).sum(-1) + torch.log(log_p.new_tensor(float(logits.shape[-1])))


def relaxed(logits: Tensor, temperature: float) -> Tensor:
    """One relaxed draw (Gumbel-softmax) of shares [..., levels]; towards temperature 0 one of them is 1, with the
    frequencies of softmax(logits). Jang et al. 2017, arXiv:1611.01144."""
    even = torch.rand_like(logits).clamp_min(torch.finfo(logits.dtype).tiny)
    gumbel = -torch.log(-torch.log(even).clamp_max(-torch.finfo(logits.dtype).tiny))
    return torch.softmax((logits + gumbel) / temperature, -1)
