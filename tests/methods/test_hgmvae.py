"""HGMVAE: limits, its two variants, its bound, Fisher's term, and memory."""

import subprocess
import sys
from math import log

import pytest
import torch
from flat import train

import prismae
from prismae import InputError, method, world
from prismae.latent.decomposition import standard_log_prob
from prismae.latent.gaussian import Gaussian
from prismae.latent.mixture import batch_fisher_ratio, fisher_ratio, weighted_sum
from prismae.methods import Context
from prismae.methods.hgmvae import HGMVAE
from prismae.train import build

M = 3


@pytest.fixture(scope="module")
def digits():
    return world("digits")


@pytest.fixture(scope="module")
def x(digits):
    return digits.data[torch.arange(40)]


def made(method, data):
    torch.manual_seed(0)
    return build(
        method, data.kind, data.shape, data.summary, n_latents=M, net="conv5", likelihood="bernoulli"
    )


def terms(method, ae, x):
    torch.manual_seed(1)
    return method.terms(ae, x, Context(1797, method.weights()))


def drawn(method, ae, x):
    """What `terms` draws from the same generator: components, weights, u, and z with its posterior and prior."""
    torch.manual_seed(1)
    parameters, k = ae.encoded(x), method.n_components
    q = Gaussian.from_parameters(parameters[:, : 2 * k * M].unflatten(1, (k, 2 * M)))
    head = parameters[:, 2 * k * M :]
    w = (Gaussian.from_parameters(head).rsample() if method.variant == "g" else head).softmax(1)
    u = (w.unsqueeze(2) * q.rsample()).sum(1)
    q_z = Gaussian.from_parameters(ae.parts["z"](torch.cat([u, w], 1)))
    z = q_z.rsample()
    return q, w, u, q_z, z, ae.parts["components"](z, w)


@pytest.mark.parametrize("conditional", ["sum", "pairs", "decomposed"])
@pytest.mark.parametrize("variant", ["g", "u"])
def test_one_component_is_the_two_level_vae(digits, x, variant, conditional):
    chosen = HGMVAE(variant, n_components=1, conditional=conditional, fisher_weight=0.0)
    ae = made(chosen, digits)
    found, (q, w, u, q_z, z, p) = terms(chosen, ae, x), drawn(chosen, ae, x)
    assert (w == 1).all()
    torch.testing.assert_close(found["recon"], ae.nll(x, u))
    torch.testing.assert_close(found["conditional"], q.kl_to(p).sum((1, 2)))
    log_ratio = (q_z.log_prob(z) - standard_log_prob(z)).sum((1, 2))
    torch.testing.assert_close(sum(found[each] for each in ("mi", "tc", "inner_tc", "dwkl")), log_ratio)
    assert found["tc"].abs().max() == 0  # between one group and nothing
    if variant == "u":
        assert found["w_prior"].abs().max() == 0
    if conditional == "decomposed":
        assert found["component_tc"].abs().max() == 0


@pytest.mark.parametrize("variant", ["g", "u"])
def test_with_the_sum_s_own_kl_the_terms_are_the_model_s_bound(digits, x, variant):
    chosen = HGMVAE(variant, n_components=4, z_latents=2, conditional="sum", fisher_weight=0.0)
    ae = made(chosen, digits)
    found, (q, w, u, q_z, z, p) = terms(chosen, ae, x), drawn(chosen, ae, x)
    expected = (
        ae.nll(x, u)
        + weighted_sum(q, w).kl_to(weighted_sum(p, w)).sum(1)
        + (q_z.log_prob(z) - standard_log_prob(z)).sum((1, 2))
        + found["w_prior"]
    )
    total = sum(weight * found[name] for name, weight in chosen.weights().items())
    torch.testing.assert_close(total, expected)


def test_the_sum_s_own_kl_is_the_least_of_the_three(digits, x):
    # information is lost in the sum (data processing), and the pairs bound a mixture's KL
    values = {
        conditional: terms(HGMVAE(conditional=conditional), made(HGMVAE(), digits), x)["conditional"]
        for conditional in ("sum", "pairs", "decomposed")
    }
    assert (values["sum"] <= values["decomposed"]).all()


def test_the_code_is_the_mixture_s_mean_and_its_shares_are_the_weights(digits, x):
    chosen = HGMVAE(n_components=4)
    ae = made(chosen, digits)
    components, w = chosen._read(ae.encoded(x))[0], chosen.responsibilities(ae, x)
    torch.testing.assert_close(ae.encode(x).mean, torch.einsum("bk,bkm->bm", w, components.mean))


def test_the_uniform_variant_s_prior_is_what_entropy_lacks_to_log_k(digits, x):
    chosen = HGMVAE("u", n_components=4)
    ae = made(chosen, digits)
    found = terms(chosen, ae, x)
    torch.testing.assert_close(found["w_prior"].mean(), log(4) - found["w_entropy"])


def test_fisher_s_term_is_minus_the_ratio_or_its_logarithm(digits, x):
    ae = made(HGMVAE(), digits)
    raw, logged = (terms(HGMVAE(fisher=fisher), ae, x)["fisher"] for fisher in ("raw", "log"))
    q, w, *_ = drawn(HGMVAE(), ae, x)
    torch.testing.assert_close(raw, -fisher_ratio(q, w))
    torch.testing.assert_close(logged, -torch.log1p(-raw))
    assert HGMVAE(fisher_weight=0.0).weights()["fisher"] == 0


def test_over_the_batch_fisher_s_term_is_of_codes_and_weights(digits, x):
    chosen = HGMVAE(fisher_over="batch")
    ae = made(chosen, digits)
    _, w, u, *_ = drawn(chosen, ae, x)
    found = terms(chosen, ae, x)["fisher"]
    torch.testing.assert_close(found, -torch.log1p(batch_fisher_ratio(u, w)))
    assert torch.autograd.grad(found, ae.parameters(), allow_unused=True)[0].isfinite().all()


@pytest.mark.parametrize("variant", ["g", "u"])
def test_where_z_are_the_components_the_terms_are_the_bound_of_their_sum(digits, x, variant):
    chosen = HGMVAE(variant, n_components=4, z_is="components", fisher_weight=0.0)
    ae = made(chosen, digits)
    assert not ae.parts
    found = terms(chosen, ae, x)
    torch.manual_seed(1)
    parameters = ae.encoded(x)
    q = Gaussian.from_parameters(parameters[:, : 8 * M].unflatten(1, (4, 2 * M)))
    head = parameters[:, 8 * M :]
    w = (Gaussian.from_parameters(head).rsample() if variant == "g" else head).softmax(1)
    z = q.rsample()
    expected = (
        ae.nll(x, torch.einsum("bk,bkm->bm", w, z))
        + (q.log_prob(z) - standard_log_prob(z)).sum((1, 2))
        + found["w_prior"]
    )
    total = sum(weight * found[name] for name, weight in chosen.weights().items())
    torch.testing.assert_close(total, expected)


def test_of_one_such_component_it_is_the_vae(digits, x):
    chosen = HGMVAE("u", n_components=1, z_is="components", fisher_weight=0.0)
    ae = made(chosen, digits)
    found = terms(chosen, ae, x)
    torch.manual_seed(1)
    q = ae.encode(x)
    z = q.rsample()
    torch.testing.assert_close(found["recon"], ae.nll(x, z))
    kl = (q.log_prob(z) - standard_log_prob(z)).sum(1)
    torch.testing.assert_close(sum(found[each] for each in ("mi", "tc", "inner_tc", "dwkl")), kl)
    assert found["tc"].abs().max() == found["w_prior"].abs().max() == 0
    drawn_codes = chosen.prior_sample(ae, M, 20_000)
    torch.testing.assert_close(drawn_codes.std(0), torch.ones(M), atol=0.03, rtol=0)


@pytest.mark.parametrize("z_is", ["behind", "components"])
def test_the_first_steps_are_those_of_a_vae(digits, x, z_is):
    chosen = HGMVAE(n_components=4, z_is=z_is, vae_steps=5)
    ae = made(chosen, digits)
    torch.manual_seed(1)
    found = chosen.terms(ae, x, Context(1797, chosen.weights(), step=4))
    torch.manual_seed(1)
    q = ae.encode(x)
    expected = ae.nll(x, q.rsample()) + q.kl_to_standard().sum(1)
    torch.testing.assert_close(sum(found[name] for name in chosen.weights()), expected)
    assert found.keys() == terms(HGMVAE(n_components=4, z_is=z_is), ae, x).keys()
    after = chosen.terms(ae, x, Context(1797, chosen.weights(), step=5))
    assert after["w_prior"].abs().max() > 0
    assert chosen.settled() == 5


def test_prior_samples_follow_the_generative_model(digits):
    chosen = HGMVAE(n_components=2, z_latents=1)
    ae = made(chosen, digits)
    components = ae.parts["components"]
    with torch.no_grad():  # u_1 ~ N(5, e^-4), u_2 ~ N(-5, e^-4): u shows the weights
        components.last.weight.zero_()
        components.last.bias.copy_(torch.tensor([[5.0] * M + [-4.0] * M, [-5.0] * M + [-4.0] * M]))
        gaussian = chosen.prior_sample(ae, M, 20_000)[:, 0] / 10 + 0.5
        uniform = HGMVAE("u", n_components=2, z_latents=1).prior_sample(ae, M, 20_000)[:, 0] / 10 + 0.5
    torch.testing.assert_close(uniform.std(), torch.tensor(1 / 12**0.5), atol=0.01, rtol=0)
    logistic = torch.randn(20_000, 2).softmax(1)[:, 0]
    torch.testing.assert_close(gaussian.std(), logistic.std(), atol=0.01, rtol=0)


def test_variants_are_names_that_fix_a_field():
    assert method("hgmvae-u") == HGMVAE("u")
    assert method("hgmvae-g") == prismae.HGMVAE()
    assert [HGMVAE(each).called() for each in "gu"] == ["hgmvae-g", "hgmvae-u"]
    assert method("hgmvae-u", variant="u", n_components=3) == HGMVAE("u", n_components=3)
    with pytest.raises(InputError, match="hgmvae-u is hgmvae with variant 'u', got variant 'g'"):
        method("hgmvae-u", variant="g")
    with pytest.raises(InputError, match="'hgmvae-u' or 'hgmvae-g'"):
        method("hgmvae")


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["g", "u"])
def test_fisher_as_printed_stays_finite(digits, variant):
    done = train(
        HGMVAE(variant, fisher="raw", fisher_weight=1.0),
        digits,
        n_latents=4,
        net="conv5",
        likelihood="bernoulli",
        steps=500,
        batch=32,
        device="cpu",
    )
    assert done.history["fisher"].iloc[-1] < done.history["fisher"].iloc[0]


@pytest.mark.slow
def test_a_step_of_128_images_128_latents_and_10_components_takes_less_than_a_gigabyte():
    code = """
import resource, torch
from prismae.methods import Context, method
from prismae.data import Images, Summary
from prismae.train import build
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
chosen = method("hgmvae-g", conditional="{conditional}", z_latents=128)
ae = build(
    chosen, Images(), (1, 28, 28), Summary(0.1, 0.3, 0.0, 1.0), n_latents=128, net="conv5", likelihood="bernoulli"
)
before = peak()
terms = chosen.terms(ae, torch.rand(128, 1, 28, 28), Context(60_000, chosen.weights()))
torch.stack([terms[name].mean() for name in chosen.weights()]).sum().backward()
print(peak() - before)
"""
    for conditional in ("pairs", "decomposed"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(conditional=conditional)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(done.stdout) < 1e9
