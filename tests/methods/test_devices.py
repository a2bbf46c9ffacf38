"""No method mixes devices: its terms on "meta", a device that computes nothing but refuses tensors of another."""

from contextlib import nullcontext

import pytest
import torch

from prismae import world
from prismae.data import Images
from prismae.methods import Adversarial, Clustering, Context, Labelled, Pairs, all_methods, method
from prismae.train.build import build

N_LATENTS = 3


def test_the_device_refuses_tensors_of_another():
    with pytest.raises(RuntimeError, match="meta"):
        torch.zeros(3, device="meta") + torch.zeros(3)


@pytest.mark.parametrize("name", sorted(all_methods()))
def test_terms_stay_on_the_device_of_the_batch(name, monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # there is none for "meta"
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda *_: False)
    monkeypatch.setattr(torch, "cov", lambda x, **_: x @ x.T)  # it looks at values
    chosen = method(name)
    ae = build(
        chosen,
        Images(),
        (1, 28, 28),
        world("digits").summary,
        n_latents=N_LATENTS,
        net="conv5",
        likelihood="bernoulli",
    )
    ae.to("meta")
    x = torch.rand(8, 1, 28, 28, device="meta")
    noise = torch.empty(0 if chosen.noise() is None else N_LATENTS, device="meta")
    critic = chosen.critic(N_LATENTS).to("meta") if isinstance(chosen, Adversarial) else None
    pairs = Pairs(torch.rand_like(x), torch.zeros(8, 2, dtype=torch.bool, device="meta"))
    factors, scaled = torch.rand(2, 8, 2, device="meta")
    labels = Labelled(torch.rand_like(x), factors, scaled, (torch.rand(3, device="meta"),) * 2)
    context = Context(100, chosen.weights(), noise, critic, 0, pairs, labels)
    terms = chosen.terms(ae, x, context)
    sum(value.mean() for key, value in terms.items() if key in chosen.weights()).backward()
    made = {**terms, "sample": chosen.prior_sample(ae, N_LATENTS, 5)}
    if isinstance(chosen, Adversarial):
        made |= chosen.critic_terms(critic, ae.encode(x), context)
    if isinstance(chosen, Clustering):
        made["shares"] = chosen.responsibilities(ae, x)
    assert {key: value.device.type for key, value in made.items()} == dict.fromkeys(made, "meta")
