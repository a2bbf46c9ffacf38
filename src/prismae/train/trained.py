"""What a training returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from torch import nn

from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class Trained:
    """A trained autoencoder, and how its training went.

    Parameters
    ----------
    ae
        The trained autoencoder, on the CPU.
    critic
        The critic, on the CPU; None for methods without one.
    history
        One row per logged step, as `prismae.train.history.History.frame` describes.
    seconds
        Wall time of the training, over all its pieces if it was resumed.
    warm_up
        How much of it the critic's warm-up took.
    trial_updates
        Autoencoder updates beside its steps: those of copies in the trials of a controller.
    steps
        Autoencoder updates that were made: those asked for, unless the training stopped by itself or a hook ended it.
    state
        All that a longer training needs to go on from here to the bit, on the CPU; None for a run read from disk.
    kept
        After how many updates the weights were these, where the training stopped by itself; else None.
    """

    ae: AutoencoderNet
    critic: nn.Module | None
    history: pd.DataFrame
    seconds: float
    trial_updates: int = 0
    steps: int = 0
    state: dict[str, Any] | None = None
    kept: int | None = None
    warm_up: float = 0.0
