"""The world `pulses`: Beamsynthesis without a download."""

from __future__ import annotations

import numpy as np
import torch

from prismae.data._base import World
from prismae.data.kinds import Series
from prismae.data.signals import DUTY_CYCLES, FACTOR_KINDS, FACTOR_NAMES, FREQUENCIES, grid, pulse_trains
from prismae.data.storage import Dense


def load() -> World:
    """Simulated pulse trains, much like beamsynthesis: 3 frequencies x 120 duty cycles; needs no download.

    Observations float32 [360, 1000], about 0 to 1.04; factors [360, 2]: frequency 10, 15, 20 kHz
    (categorical) and duty cycle 0.200, 0.205 … 0.795 (continuous).
    """
    factors = grid()
    x = pulse_trains(np.array(FREQUENCIES)[factors[:, 0]], np.array(DUTY_CYCLES)[factors[:, 1]])
    data, source = Dense(torch.from_numpy(x)), "simulated pulses"
    return World("pulses", data, factors, FACTOR_NAMES, FACTOR_KINDS, source, Series())
