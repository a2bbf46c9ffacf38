"""What every method that is found must hold: the checks of `prismae.testing`, and what its file in prismae must say."""

from dataclasses import fields
from inspect import getdoc

import pytest
import torch

from prismae.errors import InputError
from prismae.latent.gaussian import Gaussian
from prismae.methods import Adversarial, Clustering, Method, all_methods, method
from prismae.testing import method_checks
from prismae.testing.methods import the_reconstruction_error_halves

METHODS = sorted(all_methods())
QUICK = {  # where a method has such fields
    "critic_warmup": 3,
    "critic_width": 16,
    "n_nodes": 4,
    "capacity_steps": 50,
    "beta_start": 1.0,
    "pretrain_steps": 0,
}


def quick(name):
    known = {field.name: field.default for field in fields(all_methods()[name])}
    chosen = {k: v for k, v in QUICK.items() if k in known}
    if known.get("critic_steps", 1) > 2:
        chosen["critic_steps"] = 2
    return method(name, **chosen)


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name in METHODS for check in method_checks(quick(name))],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_every_method(name, check):
    check(quick(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_reconstruction_error_of_pulses_halves(name):
    rate = {"nash-ae": 5e-4, "fsq": 1e-3}.get(name, 2e-3)  # at which sigmoids and bounds of levels saturate
    the_reconstruction_error_halves(quick(name), "pulses", steps=200, lr=rate, batch=64)


def test_methods_with_a_critic_clusters_or_a_kl_have_more_checks():
    numbers = {name: len(method_checks(quick(name))) for name in METHODS}
    for name, cls in all_methods().items():
        more = issubclass(cls, Adversarial) + 2 * issubclass(cls, Clustering) + bool(cls.kl)
        assert numbers[name] == numbers["ae"] + more, name


@pytest.mark.parametrize("name", METHODS)
def test_a_kl_is_declared_where_there_is_one(name):
    chosen = quick(name)
    standard = type(chosen).prior_sample is Method.prior_sample and chosen.has_prior
    posterior = chosen.posterior(torch.zeros(3, chosen.n_outputs(2)), chosen.modules(2))
    alone = chosen.pairs() is None  # the KL of a pair is that of what its two posteriors were made
    assert bool(chosen.kl) == (standard and alone and isinstance(posterior, Gaussian))


@pytest.mark.parametrize("name", METHODS)
def test_docstring_names_its_source_and_terms(name):
    text = getdoc(all_methods()[name])
    assert "Terms" in text
    assert any(char.isdigit() for char in text)  # a year


@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_field_is_refused_with_the_valid_ones(name):
    with pytest.raises(InputError, match="nonsense"):
        method(name, nonsense=1)
