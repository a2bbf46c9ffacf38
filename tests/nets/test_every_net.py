"""What every network and likelihood that is found must hold: the checks of `prismae.testing`."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from prismae.errors import InputError
from prismae.estimator import Autoencoder
from prismae.nets import Net, all_likelihoods, all_nets
from prismae.testing import check_net, likelihood_checks, net_checks

IN, OUT, CODES = 5, 6, 3


def name_of(each):
    return getattr(each, "__name__", each)


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name, cls in all_nets().items() for check in net_checks(cls())],
    ids=name_of,
)
def test_every_net(name, check):
    check(all_nets()[name]())


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name, cls in all_likelihoods().items() for check in likelihood_checks(cls())],
    ids=name_of,
)
def test_every_likelihood(name, check):
    check(all_likelihoods()[name]())


def odd(*built):
    """A network of an outside class, which builds these."""
    cls: Any = type("Odd", (Net,), {"build": lambda self, *given: built if len(built) > 1 else built[0]})
    return dataclass(frozen=True)(cls)()


def two(encoder=OUT, decoder=IN):
    """One of linear maps to these sizes."""
    return odd(torch.nn.Linear(IN, encoder), torch.nn.Linear(CODES, decoder))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (two(encoder=OUT + 2), "its encoder makes (2, 8), expected (2, 6)"),
        (two(decoder=1), "its decoder makes (2, 1), expected (2, 5)"),  # it would be spread over all five
        (
            two(OUT - 2, IN + 1),
            "its encoder makes (2, 4), expected (2, 6); of an input of shape (2, 3) its decoder",
        ),
        (
            odd(torch.nn.Linear(5, 6)),
            "Network 'odd' gave Linear(in_features=5, out_features=6, bias=True), expected two torch modules",
        ),
    ],
)
def test_a_network_of_another_package_maps_there_and_back_or_is_refused(network, said):
    with pytest.raises(InputError, match=re.escape(said)):
        Autoencoder("vae", CODES, net=network, steps=1, batch=4, device="cpu").fit(np.eye(8, IN))
    with pytest.raises(AssertionError):
        check_net(network, (IN,))
