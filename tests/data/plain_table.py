"""A table of fish, which the tests of tables write in every form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

N = 24
_RNG = np.random.default_rng(0)
PLAIN = pd.DataFrame(
    {
        "length": _RNG.normal(30, 5, N).round(2),
        "rings": _RNG.integers(3, 30, N),
        "sex": _RNG.choice(["F", "I", "M"], N),
    }
)


def values(made: Any) -> np.ndarray:
    """What a network sees of a world's observations."""
    return made.data[torch.arange(len(made))].numpy()
