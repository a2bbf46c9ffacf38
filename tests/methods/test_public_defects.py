"""Defects of public implementations of methods: what each would do, in numbers, and that it is not so here.

Every test computes the defective variant beside ours, and fails if ours were the defective one. docs/how_we_differ.md
shows these numbers.
"""

from math import exp, log

import pytest
import torch
from flat import train
from torch.nn.functional import binary_cross_entropy_with_logits

from prismae import world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.latent.decomposition import decompose_kl, log_weights, permute_columns
from prismae.latent.density_ratio import excess_entropy_power, node_sums
from prismae.latent.divergence import mmd
from prismae.latent.gaussian import Gaussian, Point
from prismae.latent.quantization import fixed_grid, nearest, picked, straight_through
from prismae.methods import Adversarial, Context, all_methods, method
from prismae.methods.annealed_vae import AnnealedVAE
from prismae.methods.beta_tcvae import BetaTCVAE
from prismae.methods.dip_vae import DIPVAE
from prismae.methods.factor_vae import FactorVAE
from prismae.methods.gcae import GCAE
from prismae.methods.nash_ae import NashAE
from prismae.train import build

N = 50_000
DEVIATION = 0.15
EXACT = 0.5  # nats, total correlation of `correlated`


class Codes:
    """An autoencoder of which only the posterior is asked."""

    def __init__(self, q):
        self.q = q

    def encode(self, x):
        return self.q

    def nll(self, x, z):
        return torch.zeros(len(z))


def correlated(batch):
    """Posteriors, and samples of them: an aggregate posterior N(0, [[1, rho], [rho, 1]])."""
    rho = (1 - exp(-2 * EXACT)) ** 0.5
    covariance = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
    root = torch.linalg.cholesky(covariance - DEVIATION**2 * torch.eye(2))
    q = Gaussian(
        torch.randn(batch, 2, dtype=torch.float64) @ root.T, torch.full((batch, 2), 2 * log(DEVIATION))
    )
    return q, q.rsample()


def total_correlation(q, z, weights):
    """The batch's estimate with the given log-weights of the posteriors."""
    pairs = Gaussian(q.mean[None], q.log_var[None]).log_prob(z[:, None])
    joint = torch.logsumexp(weights + pairs.sum(2), 1)
    return (joint - torch.logsumexp(weights[..., None] + pairs, 1).sum(1)).mean().item()


def column_0(batch):
    """Log-weights as public copies fill them: 1/N in the first column instead of on the diagonal."""
    others = batch - 1
    weights = torch.full((batch, batch), 1 / others, dtype=torch.float64)
    weights[:, 0] = 1 / N
    weights[:, 1] = (N - others) / (N * others)
    return weights.log()


# beta-TCVAE


@pytest.mark.parametrize(
    ("batch", "repeats", "right", "copied"),
    [(32, 100, -0.11, 0.79), (128, 40, 0.30, 0.63), (256, 12, 0.41, 0.59)],
)
def test_stratified_weights_in_column_0_make_total_correlation_too_large(batch, repeats, right, copied):
    torch.manual_seed(0)
    ours, theirs = [], []
    for _ in range(repeats):
        q, z = correlated(batch)
        ours.append(decompose_kl(q, z, N)[1].mean().item())
        theirs.append(total_correlation(q, z, column_0(batch)))
    assert sum(ours) / repeats == pytest.approx(right, abs=0.05)
    assert sum(theirs) / repeats == pytest.approx(copied, abs=0.05)
    assert sum(ours) < EXACT * repeats < sum(theirs)


@pytest.mark.parametrize(("missing", "value"), [("rows that sum to 1", 11.4), ("any constant", -4.9)])
def test_a_total_correlation_without_its_constants_is_off_by_many_nats(missing, value):
    torch.manual_seed(0)
    q, z = correlated(256)
    weights = log_weights(256, N, "weighted") if "rows" in missing else torch.zeros(256, 256)
    assert total_correlation(q, z, weights.double()) == pytest.approx(value, abs=0.2)
    assert decompose_kl(q, z, N)[1].mean().item() == pytest.approx(EXACT, abs=0.2)


def test_beta_tcvae_pays_for_the_total_correlation_once():
    # (beta - 1) TC on top of beta KL: every part of the KL has the weight beta, and TC nearly twice that
    torch.manual_seed(0)
    q, z = correlated(64)
    chosen = BetaTCVAE(beta=6.0)
    terms = {name: term.mean() for name, term in chosen.terms(Codes(q), z, Context(N, {})).items()}
    paid = sum(weight * terms[name] for name, weight in chosen.weights().items())
    kl = terms["mi"] + terms["tc"] + terms["dwkl"]
    assert paid == pytest.approx(float(kl + 5 * terms["tc"]))
    assert 6 * kl + 5 * terms["tc"] > 4 * paid


def test_an_estimate_of_total_correlation_below_0_still_has_a_gradient():
    # autoencodix 0.2.5 (Disentanglix): mutual information, TC and dimension-wise KL are each cut off at 0. Of codes
    # with 0.50 nats 62 of 100 batches of 32 estimate less than 0, and then nothing says which way to go
    torch.manual_seed(0)
    silent = 0
    for _ in range(100):
        q, z = correlated(32)
        z = z.requires_grad_()
        tc = decompose_kl(q, z, N)[1].mean()
        silent += int(torch.autograd.grad(tc.clamp(min=0), z, retain_graph=True)[0].abs().max() == 0)
        assert torch.autograd.grad(tc, z)[0].abs().max() > 0
    assert silent == pytest.approx(62, abs=15)
    terms = [
        BetaTCVAE().terms(Codes(correlated(8)[0]), torch.zeros(8, 2), Context(N, {}))["tc"].mean()
        for _ in range(50)
    ]
    assert min(terms) < 0  # not cut off in the method either


# DIP-VAE


def test_dip_vae_ii_s_variances_stand_on_the_diagonal_only():
    # one scalar, added to every covariance: ten independent codes would cost 14.4, times lambda_od = 10
    torch.manual_seed(0)
    mean = 0.6**0.5 * torch.randn(50_000, 10)
    q = Gaussian(mean, torch.full_like(mean, log(0.4)))
    collapsed = torch.cov(mean.T, correction=0) + 0.4
    defect = collapsed.square().sum() - collapsed.diagonal().square().sum()
    assert defect.item() == pytest.approx(90 * 0.4**2, rel=0.02)
    assert DIPVAE("ii").terms(Codes(q), mean, None)["off_diagonal"] < 0.01


def test_dip_vae_centres_each_latent_over_the_batch():
    # centred over the latents of a sample, ten independent codes of variance 1 are correlated by -1/10
    torch.manual_seed(0)
    mean = torch.randn(50_000, 10)
    wrong = mean - mean.mean(1, keepdim=True)
    c = wrong.T @ wrong / len(wrong)
    assert (c.square().sum() - c.diagonal().square().sum()).item() == pytest.approx(0.9, rel=0.02)
    q = Gaussian(mean + 7.0, torch.zeros_like(mean))
    assert DIPVAE("i").terms(Codes(q), mean, None)["off_diagonal"] < 0.01


# critics


@pytest.mark.parametrize("chosen", [FactorVAE(gamma=0.0, critic_width=8), NashAE(weight=0.0, critic_width=8)])
def test_a_critic_s_loss_does_not_reach_the_encoder_in_the_loop(chosen, monkeypatch):
    # where the critic's weight is 0, its own loss may not change the autoencoder by a bit
    data = World("few digits", Dense(world("digits").data.values[:32]))  # type: ignore[attr-defined]
    likelihood = chosen.likelihood if chosen.likelihood != "auto" else "bernoulli"
    settings = {
        "n_latents": 3,
        "net": "mlp",
        "likelihood": likelihood,
        "batch": 8,
        "steps": 2,
        "device": "cpu",
    }
    learning = train(chosen, data, **settings)
    loss = type(chosen).critic_terms

    def silent(self, critic, q, ctx):
        return {name: 0 * value for name, value in loss(self, critic, q, ctx).items()}

    monkeypatch.setattr(type(chosen), "critic_terms", silent)
    silenced = train(chosen, data, **settings)
    same = [
        torch.equal(*each) for each in zip(learning.ae.parameters(), silenced.ae.parameters(), strict=True)
    ]
    assert all(same)
    assert not torch.equal(next(learning.critic.parameters()), next(silenced.critic.parameters()))


def test_one_order_for_all_columns_leaves_the_dependence():
    # the critic would compare codes with the same codes, and find a total correlation of 0
    torch.manual_seed(0)
    z = torch.randn(4000, 1) + 0.1 * torch.randn(4000, 3)
    one_order = z[torch.randperm(4000)]
    assert torch.corrcoef(one_order.T).min() > 0.98
    assert (torch.corrcoef(permute_columns(z).T) - torch.eye(3)).abs().max() < 0.08


def test_exchanged_labels_would_turn_the_total_correlation_s_sign():
    rho = 0.8
    torch.manual_seed(0)
    z = (
        torch.randn(20_000, 2, dtype=torch.float64)
        @ torch.linalg.cholesky(torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)).T
    )
    precise = 1 / (1 - rho**2)

    def best(z):  # log q(z) - log q(z_1) q(z_2)
        cross = precise * (z.square().sum(1) - 2 * rho * z.prod(1)) - z.square().sum(1)
        return 0.5 * (log(precise) - cross)

    assert best(z).mean().item() == pytest.approx(0.51, abs=0.02)  # exchanged: -0.51
    chosen, ctx = FactorVAE(), Context(20_000, {})
    ours = chosen.critic_terms(best, Point(z), ctx)["critic"]
    exchanged = chosen.critic_terms(lambda z: -best(z), Point(z), ctx)["critic"]
    assert ours < log(2) < exchanged


def test_densities_come_from_the_logit_not_from_a_sigmoid():
    logit = torch.tensor([[20.0, 20.0]])
    d = torch.sigmoid(logit)
    assert (d / (1 - d)).isinf().all()
    assert node_sums(logit.unsqueeze(0), copies=8, bound=4.0).slope.isfinite().all()


# distances and capacity


def test_mmd_is_normalised_once():
    # divided by n (n - 1) again, a weight of 10 is one of 0.0025 in a batch of 64
    torch.manual_seed(0)
    shifted, prior = torch.randn(64, 3) + 2, torch.randn(64, 3)
    assert mmd(shifted, prior, "rbf") > 0.5
    assert mmd(shifted, prior, "rbf") / (64 * 63) < 1e-3


def test_capacity_is_of_the_mean_kl():
    # |KL_i - C| per sample would cost 1 nat here, times gamma = 1000
    mean = torch.tensor([[0.0], [2.0]])  # KLs 0 and 2 nats, mean 1
    q = Gaussian(mean, torch.zeros(2, 1))
    kl = q.kl_to_standard().sum(1)
    assert (kl - 1.0).abs().mean() == 1.0
    found = AnnealedVAE(capacity=1.0, capacity_steps=1).terms(Codes(q), mean, Context(2, {}, step=1))
    assert found["excess"] == 0


def test_capacity_is_counted_in_steps():
    # counted in epochs of dSprites it would stand at 0.002 nats instead of 25 after 100,000 steps of 64
    epochs = 100_000 * 64 // 737_280
    assert 25 * epochs / 100_000 == pytest.approx(0.002)
    q = Gaussian(torch.zeros(64, 1), torch.zeros(64, 1))
    found = AnnealedVAE().terms(Codes(q), q.mean, Context(737_280, {}, step=100_000))
    assert found["target"] == 25


# units


@pytest.mark.parametrize(
    "name",
    [name for name in sorted(all_methods()) if method(name).pairs() is None and not method(name).labelled()],
)
def test_reconstruction_is_the_run_s_likelihood_in_every_method(name):
    # a mean in one method and a sum in another make beta mean nothing: 4 would be 4 * 4096 on images of 64x64
    chosen = method(name)
    data = world("digits")
    likelihood = chosen.likelihood if chosen.likelihood != "auto" else "bernoulli"
    torch.manual_seed(0)
    ae = build(chosen, data.kind, data.shape, data.summary, n_latents=3, net="conv", likelihood=likelihood)
    critic = chosen.critic(3) if isinstance(chosen, Adversarial) else None
    noise = None if chosen.noise() is None else torch.full((3,), chosen.noise())
    x = data.data[torch.arange(16)]
    outputs = []
    ae.decoder.register_forward_hook(lambda module, given, output: outputs.append(output))
    recon = chosen.terms(ae, x, Context(len(data), chosen.weights(), noise, critic))["recon"]
    output, *_ = outputs  # a method may ask the decoder about other codes too, after that
    if likelihood == "mse":
        expected = (output - ae.standardise(x)).square().flatten(1).mean(1)
    else:
        expected = binary_cross_entropy_with_logits(output, x, reduction="none").flatten(1).sum(1)
    torch.testing.assert_close(recon, expected)


@pytest.mark.parametrize("name", sorted(all_methods()))
def test_a_method_whose_unit_is_not_nats_says_so(name):
    cls = all_methods()[name]
    assert (cls.likelihood == "mse") == ("not nats" in (cls.__doc__ or ""))


def test_entropy_power_is_divided_by_2_pi_e():
    # the authors' GCAE code divides by pi e: a unit Gaussian's entropy power is 2 there, and weight 0.2 acts as 0.4
    h = torch.tensor([0.5 * log(2 * torch.pi * torch.e)])
    assert excess_entropy_power(torch.ones(1), h).item() == pytest.approx(1.0)
    assert GCAE().weight == pytest.approx(2 * 0.2)


def test_latent_quantisation_s_losses_do_not_cancel():
    # vector-quantize-pytorch 1.32, LatentQuantize: both losses are of the output that the gradient passes straight
    z = torch.randn(50, 3, dtype=torch.float64, requires_grad=True)
    values = torch.linspace(-0.5, 0.5, 4, dtype=torch.float64).repeat(3, 1).requires_grad_()
    chosen = picked(values, nearest(z, values).index)
    defective = z + (chosen - z).detach()
    losses = (z.detach() - defective).square().sum(), (z - defective.detach()).square().sum()
    theirs = [torch.autograd.grad(loss, (z, values), retain_graph=True, allow_unused=True) for loss in losses]
    assert theirs[0][1] is None  # the values are never learned
    torch.testing.assert_close(
        theirs[0][0], -theirs[1][0]
    )  # with equal weights nothing is left for the encoder
    ours = (z.detach() - chosen).square().sum(), (z - chosen.detach()).square().sum()
    assert torch.autograd.grad(ours[0], (z, values), retain_graph=True, allow_unused=True)[0] is None
    moved = torch.autograd.grad(ours[0] + ours[1], (z, values))
    torch.testing.assert_close(moved[0], 2 * (z - chosen).detach())
    assert moved[1].abs().sum() > 0


def test_finite_scalar_quantisation_is_finite():
    # autoencoders 0.6.8, fsq: rounds without a bound, and a commitment loss in its place
    z = torch.tensor([[-1000.0, 0.2, 7.6]])
    assert straight_through(z, z.round()).tolist() == [[-1000.0, 0.0, 8.0]]  # any number of levels
    assert fixed_grid(z, 5).mean.tolist() == [[-1.0, 0.0, 1.0]]
