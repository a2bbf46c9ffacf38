"""The scikit-learn face: fit, transform, inverse_transform."""

from prismae.estimator._autoencoder import Autoencoder, auto_steps, load

__all__ = ["Autoencoder", "auto_steps", "load"]
