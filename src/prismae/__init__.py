"""prismae splits data into its factors of variation.

Fit any method on your own data or on a world with known factors, score the codes, look at the result:

>>> model = Autoencoder("beta-vae", n_latents=4, steps=50).fit(world("digits"))
>>> model.transform(world("digits")).shape
(1797, 4)
"""

from typing import Any

from prismae import metrics
from prismae._version import __version__
from prismae.data import World, data_folder, world, world_names
from prismae.errors import InputError
from prismae.estimator import Autoencoder, load
from prismae.evaluation import evaluate
from prismae.methods import Adversarial, Method, all_methods, method
from prismae.studies import Job, run

__all__ = [
    "Adversarial",
    "Autoencoder",
    "InputError",
    "Job",
    "Method",
    "World",
    "__version__",
    "all_methods",
    "data_folder",
    "evaluate",
    "load",
    "method",
    "metrics",
    "run",
    "world",
    "world_names",
]


def __getattr__(name: str) -> Any:
    """Methods by their class names, such as ``prismae.BetaVAE``: whatever file or package they are found in."""
    for found in all_methods().values():
        if found.__name__ == name:
            return found
    raise AttributeError(f"module 'prismae' has no attribute {name!r}")
