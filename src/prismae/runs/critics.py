"""What a critic sees of the dependence between latents, and what there is to be seen."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from prismae._random import Draws
from prismae.data import World
from prismae.errors import Unavailable
from prismae.evaluation.baselines import fitted_rows
from prismae.methods import Adversarial, Context, Method
from prismae.runs.measured import channel_noise
from prismae.train.descent import adam, follow
from prismae.train.trained import Trained

FASTER = 5  # times its own learning rate
BATCH, LOOKED_AT = 64, 256  # observations of an update, and behind a value


def sight(method: Method, trained: Trained, data: World, updates: Collection[int], seed: int) -> NDArray:
    """[n] the term that the critic estimates, after so many more `updates` of a copy, while the codes stay as they are.

    The copy goes on at five times its learning rate, on up to 2,000 observations. What the last values have more than
    the first is dependence between latents on which nothing presses.

    Raises
    ------
    Unavailable
        For a method without a critic, or without that term.
    """
    if not isinstance(method, Adversarial) or trained.critic is None:
        raise Unavailable(f"{method.called()} has no critic.")
    if method.estimates not in method.weights():
        raise Unavailable(f"The loss of {method.called()} has no term that its critic estimates.")
    noise = channel_noise(trained.history)
    sigma = torch.empty(0) if noise is None else torch.from_numpy(noise).float()
    critic: nn.Module = deepcopy(trained.critic).train()
    context = Context(len(data), method.weights(), sigma, critic, trained.steps)
    settings = method.critic_optimizer()
    optimizer = adam(critic, settings, FASTER * settings.lr)
    found: dict[int, float] = {}
    with Draws(seed):
        x = data.data[fitted_rows(data, 2_000)]
        fixed = x[:LOOKED_AT]
        for n in range(max(updates) + 1):
            if n in updates:
                with torch.no_grad():
                    value = method.terms(trained.ae, fixed, context)[method.estimates]
                found[n] = float(value.detach().mean())
            with torch.no_grad():
                q = trained.ae.encode(x[torch.randint(len(x), (BATCH,))])
            terms = method.critic_terms(critic, q, replace(context, critic=None))
            torch.stack([each.mean() for each in terms.values()]).sum().backward()
            follow(optimizer, settings, FASTER * settings.lr, n)
    return np.array([found[n] for n in updates])
