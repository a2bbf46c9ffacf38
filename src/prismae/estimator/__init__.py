"""The scikit-learn face: fit, transform, inverse_transform."""

from prismae.estimator._autoencoder import Autoencoder, auto_steps, load
from prismae.estimator._observations import Observations

__all__ = ["Autoencoder", "Observations", "auto_steps", "load"]
