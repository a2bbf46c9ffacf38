"""Checks for classes of one's own: what every method, metric, world, … of prismae is held to.

>>> from prismae.testing import check_method
>>> from prismae.methods.vae import VAE
>>> check_method(VAE)

Each is a plain function that raises AssertionError with a sentence; `method_checks` and the others give its parts one
by one, as ``pytest.mark.parametrize`` wants them.
"""

from prismae.testing.controllers import check_controller, controller_checks
from prismae.testing.likelihoods import check_likelihood, likelihood_checks
from prismae.testing.methods import check_method, method_checks
from prismae.testing.metrics import check_metric, metric_checks
from prismae.testing.nets import check_net, net_checks
from prismae.testing.worlds import check_world, world_checks

__all__ = [
    "check_controller",
    "check_likelihood",
    "check_method",
    "check_metric",
    "check_net",
    "check_world",
    "controller_checks",
    "likelihood_checks",
    "method_checks",
    "metric_checks",
    "net_checks",
    "world_checks",
]
