"""From an autoencoder to what it says of each observation: posteriors, and nats at samples of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from prismae._progress import Bar
from prismae.data.storage import Storage
from prismae.errors import Unavailable
from prismae.latent.gaussian import Gaussian
from prismae.latent.likelihood import log_importance_weights

CHUNK = 500  # observations that are encoded at once, and samples that are decoded at once, at most
OUTPUTS = 2**24  # of the decoder in memory at once: 64 MB in float32


def posteriors(net: Any, data: Storage, rows: Tensor, bar: Bar) -> Gaussian:
    """Posteriors [len(rows), m] of some observations, where the net lies."""
    parts = []
    for part in rows.split(CHUNK):
        q = net.encode(_drawn(net, data, part))
        if not isinstance(q, Gaussian):
            raise Unavailable(
                "Likelihood needs a density q(z|x), and the codes of this model are points: expected a method with a "
                "Gaussian posterior."
            )
        bar.advance(len(part))
        parts.append(q)
    return Gaussian(torch.cat([q.mean for q in parts]), torch.cat([q.log_var for q in parts]))


def at_samples(
    net: Any,
    data: Storage,
    rows: Tensor,
    posterior: Gaussian,
    samples: int,
    *,
    weighted: bool,
    outputs: int = 1,
    bar: Bar,
) -> Tensor:
    """Nats of some observations at samples of each one's posterior: [len(rows), samples] on the CPU.

    -log p(x|z), or if `weighted` the log-weight of importance sampling, log p(x, z) - log q(z|x). Some samples are
    decoded at once: a part of those of one observation, or those of several; fewer where the decoder has several
    `outputs` for each element, as for each word the probabilities of all.
    """
    found = torch.empty(len(rows), samples)
    for some in torch.arange(len(rows)).split(max(1, CHUNK // samples)):
        x = _drawn(net, data, rows[some])
        mean, log_var = posterior.mean[some], posterior.log_var[some]
        at_once = min(CHUNK, OUTPUTS // (x[0].numel() * outputs))
        for columns in torch.arange(samples).split(max(1, at_once // len(some))):
            k = len(columns)
            q = Gaussian(mean.repeat_interleave(k, 0), log_var.repeat_interleave(k, 0))
            z = q.rsample()
            nats = net.nll(x.repeat_interleave(k, 0), z)
            nats = log_importance_weights(nats, q, z) if weighted else nats
            found[some.unsqueeze(1), columns] = nats.view(-1, k).cpu()
            bar.advance(len(z))
    return found


def _drawn(net: Any, data: Storage, rows: Tensor) -> Tensor:
    return data[rows.to(data.device)].to(net.mean.device)
