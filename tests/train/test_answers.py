"""What a method says and gives is looked at before a training, and at its first batch."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from flat import train
from torch import nn

from prismae import world
from prismae.control import Ramp
from prismae.errors import InputError
from prismae.methods import Adversarial, Method
from prismae.testing import check_method


@dataclass(frozen=True)
class Plain(Method):
    """A VAE."""

    def weights(self) -> dict[str, Any]:
        return {"recon": 1.0, "kl": 1.0}

    def terms(self, ae, x, ctx) -> Any:
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}


def changed(**terms):
    """What `terms` gives, with some of it replaced."""

    def given(self, ae, x, ctx):
        found = Plain.terms(self, ae, x, ctx)
        return found | {name: change(found["kl"]) for name, change in terms.items()}

    return given


def fit(cls):
    method = cls()
    return train(method, world("digits"), n_latents=3, net="mlp:width=8", batch=8, steps=2, device="cpu")


SAID = {
    "terms": [
        (
            changed(kl=lambda kl: kl[:, None].expand(-1, 3)),
            "the term 'kl' has shape (8, 3), expected () or (8,)",
        ),
        (changed(kl=lambda kl: 0.5), "the term 'kl' is float, expected a tensor"),
        (changed(kl=lambda kl: kl.long()), "the term 'kl' is torch.int64"),
        (changed(more=lambda kl: kl), "gives 'more', which `weights` and `observations` do not name"),
        (lambda *_: None, "`terms` gives NoneType, expected a dictionary"),
        (lambda *_: {}, "`terms` gives nothing"),
        (lambda *given: {"kl": Plain.terms(*given)["kl"]}, "`terms` does not give 'recon'"),
        (
            lambda *given: {name: each.detach() for name, each in Plain.terms(*given).items()},
            "no term of `terms` has a gradient",
        ),
    ],
    "weights": [
        (lambda self: {}, "`weights` gives {}"),
        (
            lambda self: {"recon": float("nan"), "kl": "1"},
            "'recon' is nan, expected a finite number; the weight of 'kl'",
        ),
        (lambda self: {"kl": 1.0}, "`reconstruction` names 'recon', which is none of kl"),
    ],
    "observations": [(lambda self: ("kl",), "`observations` names 'kl', which has a weight")],
    "kl": [(("rate",), "`kl` names 'rate', which is none of recon, kl")],
    "noise": [(lambda self: -1.0, "`noise` gives -1.0"), (lambda self: float("inf"), "`noise` gives inf")],
    "pairs": [(lambda self: "some", "`pairs` gives 'some'"), (lambda self: 0, "`pairs` gives 0")],
    "labelled": [(lambda self: None, "`labelled` gives None")],
    "controllers": [(lambda self: Ramp("kl", steps=3), "expected a tuple of controllers")],
    "optimizer": [(lambda self: torch.optim.Adam, "expected a prismae.methods.Optimizer")],
    "modules": [(lambda self, m: [nn.Linear(m, m)], "`modules` gives list, expected a torch.nn.ModuleDict")],
}


@pytest.mark.parametrize(
    ("name", "value", "said"), [(name, *each) for name, several in SAID.items() for each in several]
)
def test_what_cannot_be_is_one_sentence_before_anything_is_learned(name, value, said):
    odd = dataclass(frozen=True)(type("Odd", (Plain,), {name: value}))
    with pytest.raises(InputError, match=r"^odd: .*" + re.escape(said)) as raised:
        fit(odd)
    assert "\n" not in str(raised.value)
    with pytest.raises(AssertionError, match=re.escape(said.partition(" (8, 3)")[0])):
        check_method(odd)


def test_a_term_that_was_detached_fails_the_common_checks():
    odd = dataclass(frozen=True)(type("Odd", (Plain,), {"terms": changed(kl=torch.Tensor.detach)}))
    with pytest.raises(
        AssertionError, match="No gradient comes from 'kl', so what it weighs does not matter"
    ):
        check_method(odd)


def test_codes_of_another_size_fail_the_common_checks():
    odd = dataclass(frozen=True)(type("Odd", (Plain,), {"n_outputs": lambda self, m: m}))
    with pytest.raises(AssertionError, match=r"Of 4 outputs .* codes of shape \(32, 2\), expected \(32, 4\)"):
        check_method(odd)


@dataclass(frozen=True)
class Judged(Adversarial, Plain):
    """A VAE with a critic that names its term as the autoencoder does."""

    estimates: ClassVar[str] = "kl"
    critic_steps: int = 1
    critic_warmup: int = 0

    def critic(self, n_latents):
        return nn.Linear(n_latents, 1)

    def critic_terms(self, critic, q, ctx):
        return {"kl": critic(q.mean).square().sum(1)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "`critic_terms` gives 'kl', a name that `terms` or the history has too"),
        ({"critic_terms": lambda self, critic, q, ctx: {"loss": q.mean.sum(1)}}, "the critic cannot learn"),
        ({"critic_terms": lambda self, critic, q, ctx: None}, "`critic_terms` gives NoneType"),
        (
            {"critic_terms": lambda self, critic, q, ctx: {"loss": critic(q.mean)}},
            "the term 'loss' has shape (8, 1)",
        ),
    ],
)
def test_so_is_what_a_critic_minimises(change, said):
    odd = dataclass(frozen=True)(type("Odd", (Judged,), change))
    with pytest.raises(InputError, match=r"^odd: .*" + re.escape(said)):
        fit(odd)
