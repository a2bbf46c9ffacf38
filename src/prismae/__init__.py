"""prismae splits data into its factors of variation.

Fit any method on your own data or on a world with known factors, score the codes, look at the result:

>>> model = Autoencoder("beta-vae", n_latents=4, steps=50).fit(world("digits"))
>>> model.transform(world("digits")).shape
(1797, 4)
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from prismae._version import __version__

if TYPE_CHECKING:
    from prismae import metrics
    from prismae.data import World, data_folder, world, world_names
    from prismae.discovery import discover
    from prismae.errors import InputError
    from prismae.estimator import Autoencoder, load
    from prismae.evaluation import evaluate, evaluate_codes, evaluate_images, evaluate_likelihood
    from prismae.methods import Adversarial, Method, all_methods, method
    from prismae.studies import Job, run
    from prismae.train import Hook

__all__ = [
    "Adversarial",
    "Autoencoder",
    "Hook",
    "InputError",
    "Job",
    "Method",
    "World",
    "__version__",
    "all_methods",
    "data_folder",
    "discover",
    "evaluate",
    "evaluate_codes",
    "evaluate_images",
    "evaluate_likelihood",
    "load",
    "method",
    "metrics",
    "run",
    "world",
    "world_names",
]


_HOMES = {  # where a name is found when it is first asked for: PyTorch alone takes seconds to import
    "Adversarial": "methods",
    "Autoencoder": "estimator",
    "Hook": "train",
    "InputError": "errors",
    "Job": "studies",
    "Method": "methods",
    "World": "data",
    "all_methods": "methods",
    "data_folder": "data",
    "discover": "discovery",
    "evaluate": "evaluation",
    "evaluate_codes": "evaluation",
    "evaluate_images": "evaluation",
    "evaluate_likelihood": "evaluation",
    "load": "estimator",
    "method": "methods",
    "run": "studies",
    "world": "data",
    "world_names": "data",
}


def __getattr__(name: str) -> Any:
    """The names above, modules, and methods by their class names, such as ``prismae.BetaVAE``, wherever they lie."""
    if name in _HOMES:
        return getattr(import_module(f"prismae.{_HOMES[name]}"), name)
    if name in {module.name for module in iter_modules(__path__)}:
        return import_module(f"prismae.{name}")
    if not name.startswith("_"):
        for found in import_module("prismae.methods").all_methods().values():
            if found.__name__ == name:
                return found
    raise AttributeError(f"module 'prismae' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
