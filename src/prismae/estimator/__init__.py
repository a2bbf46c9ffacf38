"""The scikit-learn face: fit, transform, inverse_transform."""

from prismae.estimator._autoencoder import Autoencoder
from prismae.estimator._loading import load
from prismae.estimator._observations import Observations

__all__ = ["Autoencoder", "Observations", "load"]
