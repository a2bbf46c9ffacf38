"""The world `beamsynthesis`, from its official archive."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from prismae.data._base import World
from prismae.data.files import official_file
from prismae.data.kinds import Series
from prismae.data.signals import DUTY_CYCLES, FACTOR_KINDS, FACTOR_NAMES, FREQUENCIES, LENGTH, grid
from prismae.data.storage import Dense
from prismae.errors import InputError

FILE = "beamsynthesis.zip"
URL = "https://raw.githubusercontent.com/ericyeats/nashae-beamsynthesis/main/beamsynthesis.zip"
SHA256 = "1b6ae30328ac5ef371e1f467257c6443baec7caa584557792db7446c1f6e4d0c"


def load() -> World:
    """Currents of a chopped particle beam: 3 frequencies x 120 duty cycles, 360 series of 1000 samples.

    The official file (2.7 MB, MIT licence) is downloaded when it is not in the data folder.
    Yeats, Liu, Womble, Li 2022, arXiv:2209.10677. Observations float32 [360, 1000], about 0 to 1.04; factors
    [360, 2]: frequency 10, 15, 20 kHz (categorical) and duty cycle 0.200, 0.205 … 0.795 (continuous).

    Raises
    ------
    InputError
        Where the file cannot be had, or is corrupted.
    """
    x = read_series(official_file("beamsynthesis", FILE, URL, SHA256))
    data, source = Dense(torch.from_numpy(x)), "official Beamsynthesis"
    return World("beamsynthesis", data, grid(), FACTOR_NAMES, FACTOR_KINDS, source, Series())


def read_series(path: Path) -> NDArray[np.float32]:
    """The series of the archive in C order of (frequency, duty cycle), [360, 1000].

    Its members are named after the factors: ``beamsynthesis/data/<duty cycle>_<frequency>.npy``.
    """
    series = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if match := re.search(r"([0-9.]+)_([0-9.]+)\.npy$", member):
                duty_cycle, frequency = map(float, match.groups())
                with archive.open(member) as file:
                    series[frequency, duty_cycle] = np.lib.format.read_array(file, allow_pickle=False)
    cells = [(frequency, duty_cycle) for frequency in FREQUENCIES for duty_cycle in DUTY_CYCLES]
    missing = [cell for cell in cells if cell not in series or series[cell].shape != (LENGTH,)]
    if missing:
        raise InputError(
            f"{path} lacks {len(missing)} of the {len(cells)} series of {LENGTH} samples, "
            f"the first with frequency {missing[0][0]:g} kHz and duty cycle {missing[0][1]:.3f}."
        )
    return np.stack([series[cell] for cell in cells]).astype(np.float32)
