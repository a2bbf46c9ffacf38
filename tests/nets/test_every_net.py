"""What every network and likelihood that is found must hold: the checks of `prismae.testing`."""

import pytest

from prismae.nets import all_likelihoods, all_nets
from prismae.testing import likelihood_checks, net_checks


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
