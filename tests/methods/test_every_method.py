"""What every method that is found must hold; a new file in prismae.methods is tested by this alone."""

from dataclasses import FrozenInstanceError, fields, replace
from inspect import getdoc

import numpy as np
import pandas as pd
import pytest
import torch
from flat import train
from torch.distributions import Normal, kl_divergence

from prismae import Autoencoder, load, world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.latent.gaussian import Gaussian
from prismae.methods import Adversarial, Clustering, Context, Method, all_methods, method
from prismae.train import build
from prismae.train.build import choose_likelihood, choose_net

METHODS = sorted(all_methods())
M = 4
QUICK = {  # where a method has such fields
    "critic_warmup": 3,
    "critic_width": 16,
    "n_nodes": 4,
    "capacity_steps": 50,
    "beta_start": 1.0,
    "pretrain_steps": 0,
}


def quick(name):
    known = {field.name for field in fields(all_methods()[name])}
    return method(name, **{k: v for k, v in QUICK.items() if k in known})


@pytest.fixture(scope="module")
def data():
    """32 binary-looking images of 8x8, in [0, 1]."""
    full = world("digits")
    return World("few digits", Dense(full.data.values[:32]))


def settings(chosen, data):
    return {
        "n_latents": M,
        "net": choose_net("auto", chosen, data.kind, data.shape),
        "likelihood": choose_likelihood("auto", chosen, data.kind, data.summary),
    }


def ready(name, data):
    """A method with its autoencoder, and a context as the loop gives it."""
    chosen = quick(name)
    torch.manual_seed(0)
    ae = build(chosen, data.kind, data.shape, data.summary, **settings(chosen, data))
    critic = chosen.critic(M) if isinstance(chosen, Adversarial) else None
    noise = None if chosen.noise() is None else torch.full((M,), chosen.noise())
    return chosen, ae, Context(len(data), chosen.weights(), noise, critic)


def total(terms, weights):
    return sum(weights[name] * terms[name].mean() for name in weights if name in terms)


@pytest.mark.parametrize("name", METHODS)
def test_docstring_names_its_source_and_terms(name):
    text = getdoc(all_methods()[name])
    assert "Terms" in text
    assert any(char.isdigit() for char in text)  # a year


@pytest.mark.parametrize("name", METHODS)
def test_is_frozen_and_made_again_from_its_fields(name):
    chosen = method(name)
    assert method(name, **chosen.fields()) == chosen
    with pytest.raises(FrozenInstanceError):
        chosen.nonsense = 1


@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_field_is_refused_with_the_valid_ones(name):
    with pytest.raises(InputError, match="nonsense"):
        method(name, nonsense=1)


@pytest.mark.parametrize("name", METHODS)
def test_terms_are_finite_and_of_a_declared_shape(name, data):
    chosen, ae, ctx = ready(name, data)
    terms = chosen.terms(ae, data.data[torch.arange(32)], ctx)
    assert set(terms) == set(chosen.weights()) | set(chosen.observations())
    for term, value in terms.items():
        assert value.isfinite().all(), term
        assert value.shape in ({(), (32,)} if term in chosen.weights() else {(), (M,)}), term


@pytest.mark.parametrize("name", METHODS)
def test_double_precision_is_kept_from_the_network_s_outputs_to_the_terms(name, data, monkeypatch):
    chosen, ae, ctx = ready(name, data)
    ae.double()
    doubled = {
        name: value.double() for name in ("noise", "critic") if (value := getattr(ctx, name)) is not None
    }
    ctx = replace(ctx, **doubled)
    read = Gaussian.from_parameters

    def watched(parameters):
        assert parameters.dtype == torch.float64
        return read(parameters)

    monkeypatch.setattr(Gaussian, "from_parameters", watched)
    x = data.data[torch.arange(32)].double()
    terms = chosen.terms(ae, x, ctx)
    if isinstance(chosen, Adversarial):
        terms |= chosen.critic_terms(ctx.critic, ae.encode(x), ctx)
    assert {value.dtype for value in terms.values()} == {torch.float64}


@pytest.mark.parametrize("name", METHODS)
def test_the_terms_that_a_method_declares_are_its_kl_and_its_reconstruction(name, data):
    chosen, ae, ctx = ready(name, data)
    x = 10 * data.data[torch.arange(32)]  # codes far from the prior
    with torch.no_grad():
        assert chosen.reconstruction in chosen.terms(ae, x, ctx)
        q = ae.encode(x)
        standard = type(chosen).prior_sample is Method.prior_sample and chosen.has_prior
        assert bool(chosen.kl) == (standard and isinstance(q, Gaussian))
        if not chosen.kl:
            return
        draws = []
        for _ in range(300):  # parts of a KL are estimates from one sample of each posterior
            terms = chosen.terms(ae, x, ctx)
            draws.append(sum(terms[part].mean() for part in chosen.kl))
    closed = kl_divergence(Normal(q.mean, (q.log_var / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert closed > 0.1
    error = torch.stack(draws).std() / 300**0.5
    assert torch.stack(draws).mean().item() == pytest.approx(
        closed.item(), abs=4 * error.item() + 1e-4 * closed.item()
    )


@pytest.mark.parametrize("name", METHODS)
def test_gradients_reach_every_weight_of_the_autoencoder_and_none_of_the_critic(name, data):
    chosen, ae, ctx = ready(name, data)
    if ctx.critic is not None:
        ctx.critic.requires_grad_(False)
    total(chosen.terms(ae, data.data[torch.arange(32)], ctx), chosen.weights()).backward()
    for weight, parameter in ae.named_parameters():
        assert parameter.grad is not None, weight
        assert parameter.grad.isfinite().all(), weight
        assert parameter.grad.abs().sum() > 0, weight
    if ctx.critic is not None:
        assert all(parameter.grad is None for parameter in ctx.critic.parameters())


@pytest.mark.parametrize("name", METHODS)
def test_a_critic_s_loss_reaches_all_of_the_critic_and_nothing_else(name, data):
    chosen, ae, ctx = ready(name, data)
    if ctx.critic is None:
        assert not isinstance(chosen, Adversarial)
        return
    x = data.data[torch.arange(32)]
    with torch.no_grad():
        q = ae.encode(x)
    terms = chosen.critic_terms(ctx.critic, q, ctx)
    sum(value.mean() for value in terms.values()).backward()
    for weight, parameter in ctx.critic.named_parameters():
        assert parameter.grad is not None, weight
        assert parameter.grad.abs().sum() > 0, weight
    assert all(parameter.grad is None for parameter in ae.parameters())


@pytest.mark.parametrize("name", METHODS)
def test_a_batch_of_1_trains_or_is_refused_before_training(name, data):
    chosen = quick(name)

    def run():
        return train(chosen, data, steps=2, batch=1, device="cpu", **settings(chosen, data))

    if chosen.smallest_batch == 1:
        assert run().history["recon"].notna().all()
        return
    with pytest.raises(InputError, match=rf"^{name} compares .*: batch should be at least 2, got 1\.$"):
        run()


@pytest.mark.parametrize("name", [name for name in METHODS if issubclass(all_methods()[name], Clustering)])
def test_more_components_than_observations_are_refused_before_training(name, data):
    chosen = method(name, n_components=33)
    with pytest.raises(
        InputError, match=r"33 components for 32 observations: n_components should be at most 32\.$"
    ):
        train(chosen, data, steps=2, device="cpu", **settings(chosen, data))


@pytest.mark.parametrize("name", METHODS)
def test_the_prior_gives_codes_that_can_be_decoded(name, data):
    chosen, ae, _ = ready(name, data)
    with torch.no_grad():
        z = chosen.prior_sample(ae, M, 7)
        assert z.shape == (7, M)
        assert len(z.unique(dim=0)) == 7
        x = ae.generate(z)
    assert x.shape == (7, *data.shape)
    assert x.isfinite().all()


@pytest.mark.parametrize("name", METHODS)
def test_responsibilities_are_shares_without_randomness(name, data):
    chosen, ae, _ = ready(name, data)
    if not isinstance(chosen, Clustering):
        return
    x = data.data[torch.arange(32)]
    with torch.no_grad():
        shares = chosen.responsibilities(ae, x)
        assert torch.equal(shares, chosen.responsibilities(ae, x))
    assert shares.shape == (32, chosen.n_components)
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(1), torch.ones(32))


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_weights_to_the_bit_and_another_seed_others(name, data):
    chosen = quick(name)

    def weights(seed):
        done = train(chosen, data, steps=6, batch=16, seed=seed, device="cpu", **settings(chosen, data))
        return torch.cat([value.flatten() for value in done.ae.state_dict().values()])

    first = weights(1)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))


@pytest.mark.parametrize("name", METHODS)
def test_training_leaves_torch_s_generator_alone(name, data):
    chosen = quick(name)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(chosen, data, steps=2, batch=16, device="cpu", **settings(chosen, data))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("name", METHODS)
def test_a_stopped_training_goes_on_to_the_bit(name, data, tmp_path):
    chosen = quick(name)

    class Stop(Exception):
        pass

    def stop(ae):
        raise Stop

    def run(**kwargs):
        return train(chosen, data, steps=6, batch=16, device="cpu", **settings(chosen, data), **kwargs)

    kept = {"checkpoint": tmp_path / "state.safetensors", "checkpoint_every": 3}
    with pytest.raises(Stop):
        run(at_step={5: stop}, **kept)
    whole, resumed = run(), run(**kept)
    for weight, value in whole.ae.state_dict().items():
        assert torch.equal(value, resumed.ae.state_dict()[weight]), weight
    pd.testing.assert_frame_equal(whole.history, resumed.history, check_exact=True)


@pytest.mark.parametrize("name", METHODS)
def test_a_saved_model_is_loaded_as_it_was(name, data, tmp_path):
    model = Autoencoder(quick(name), M, steps=2, batch=16, device="cpu").fit(data)
    model.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.method_ == model.method_
    np.testing.assert_array_equal(again.transform(data), model.transform(data))
    codes = model.transform(data)
    np.testing.assert_array_equal(again.inverse_transform(codes), model.inverse_transform(codes))


@pytest.mark.parametrize("place", ["digits", pytest.param("pulses", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", METHODS)
def test_reconstruction_error_at_least_halves(name, place):
    # in few steps, hence the raised learning rate; an untrained network's error is above 1, the data's variance
    data = world(place)
    chosen = quick(name)
    sizes = settings(chosen, data) | {"n_latents": 10}
    steps = {"digits": 100, "pulses": 200}[place]
    rate = 5e-4 if (name, place) == ("nash-ae", "pulses") else 2e-3  # at which its sigmoids saturate
    done = train(chosen, data, steps=steps, batch=64, lr=rate, device="cpu", **sizes)
    error = done.history["monitor:mse"].dropna()
    assert error.iloc[-1] < 0.5 * error.iloc[0]
