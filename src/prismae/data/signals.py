"""Pulse trains as Beamsynthesis has them: the grid of their two factors, and a simulation of the signals.

Beamsynthesis (Yeats et al. 2022, arXiv:2209.10677) holds the current of a simulated particle beam that a
pulsed gate chops. The simulation here was fitted to the 360 published series: its root mean square difference
from them is 0.007, where the series have standard deviation 0.417. It is no physics of the beam.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prismae.data._base import FactorKind

FREQUENCIES = (10.0, 15.0, 20.0)  # kHz; one sample is 1 microsecond
DUTY_CYCLES = tuple(round(0.2 + 0.005 * k, 3) for k in range(120))
LENGTH = 1000  # samples

FACTOR_NAMES = ("frequency", "duty_cycle")
FACTOR_KINDS: tuple[FactorKind, ...] = ("categorical", "continuous")


def grid() -> NDArray[np.int64]:
    """Class indices [360, 2] of (frequency, duty cycle), duty cycle fastest."""
    sizes = (len(FREQUENCIES), len(DUTY_CYCLES))
    return np.indices(sizes).reshape(len(sizes), -1).T.copy()


def pulse_trains(frequency: NDArray[np.float64], duty_cycle: NDArray[np.float64]) -> NDArray[np.float32]:
    """Simulate pulse trains [n, 1000] that look like Beamsynthesis.

    Parameters
    ----------
    frequency
        Pulses per millisecond (kHz), [n].
    duty_cycle
        Part of each period during which the gate is open, in [0, 1], [n].

    A gate times a rising envelope, with a residual ripple of the carrier, passes a second-order low-pass; a
    detector returns the magnitude. All times are in samples.
    """
    finer = 8  # steps per sample, so that edges fall between samples
    padding = 200  # samples of silence at the end, since the filter below works on a circle
    t = np.arange((LENGTH + padding) * finer) / finer
    period = 1000 / np.asarray(frequency)[:, None]

    gate = (t % period < np.asarray(duty_cycle)[:, None] * period) & (t < 800)
    envelope = 0.984 * np.sin(np.pi / 2 * np.clip((t - 1.6) / 320, 0, 1)) ** 2
    ripple = 1 - 0.051 * np.cos(2 * np.pi * 0.12 * t)
    drive = np.maximum(gate * envelope, 0.01) * ripple * (t < LENGTH + padding / 2)

    natural, damping, delay = 0.633, 0.75, 0.16  # radians per sample, 1, samples
    omega = 2 * np.pi * np.fft.rfftfreq(len(t), 1 / finer)
    response = (
        natural**2 / (natural**2 - omega**2 + 2j * damping * natural * omega) * np.exp(-1j * omega * delay)
    )
    filtered = np.fft.irfft(np.fft.rfft(drive) * response, n=len(t))
    return np.abs(filtered[:, : LENGTH * finer : finer]).astype(np.float32)
