"""Controllers: what moves a run's weights or noise during training."""

from prismae.control._base import Controller
from prismae.control.entropy_noise import EntropyNoise

__all__ = ["Controller", "EntropyNoise"]
