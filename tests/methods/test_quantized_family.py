"""QLAE and FSQ: gradients in closed form, limits, what they find, and discrete codes on their way to the report."""

import json
from itertools import product

import numpy as np
import pytest
import torch
from blank import blank_figures
from flat import train
from planes import correlations

from prismae import Autoencoder, Job, load, run, world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.evaluation import codes_table
from prismae.export import to_torch
from prismae.latent.gaussian import Discrete
from prismae.methods import Context
from prismae.methods.fsq import FSQ
from prismae.methods.qlae import QLAE
from prismae.methods.vae import VAE
from prismae.metrics import mig
from prismae.report import write_report
from prismae.train import build
from prismae.train.descent import adam, follow
from prismae.views.latents import statistics

M = 4


def ready(method, n=8):
    digits = world("digits")
    torch.manual_seed(0)
    ae = build(
        method, digits.kind, digits.shape, digits.summary, n_latents=M, net="conv", likelihood="bernoulli"
    )
    return ae.double(), digits.data[torch.arange(n)].double()


@pytest.mark.parametrize(("term", "moved"), [("quantization", "codebook"), ("commitment", "code")])
def test_each_distance_moves_one_side_alone(term, moved):
    method = QLAE()
    ae, x = ready(method)
    z = ae.encoded(x).detach().requires_grad_()
    ae.encoded = lambda x: z
    values = ae.parts["codebook"].values
    q = method.posterior(z, ae.parts)
    found = method.terms(ae, x, Context(8, {}))[term]
    assert found.tolist() == pytest.approx((64 * (q.mean - z).square().mean(1)).tolist())
    found.sum().backward()
    distance = (q.mean - z).detach()
    if moved == "code":
        torch.testing.assert_close(z.grad, -2 * 64 * distance / M)
        assert values.grad is None
        return
    assert z.grad is None
    expected = torch.zeros_like(values)
    for row, column in product(range(8), range(M)):
        expected[column, q.index[row, column]] += 2 * 64 * distance[row, column] / M
    torch.testing.assert_close(values.grad, expected)
    assert (expected == 0).sum() > 0


def test_the_decoder_s_gradient_reaches_the_encoder_and_not_the_values():
    ae, x = ready(QLAE())
    QLAE().terms(ae, x, Context(8, {}))["recon"].sum().backward()
    assert ae.parts["codebook"].values.grad is None
    assert all(parameter.grad.abs().sum() > 0 for parameter in ae.encoder.parameters())


@pytest.mark.parametrize("method", [QLAE(levels=20_001), FSQ(levels=20_001)])
def test_with_many_values_the_code_is_the_encoder_s(method):
    ae, x = ready(method)
    z = ae.encoded(x)
    assert z.abs().max() < 0.5
    expected = z if isinstance(method, QLAE) else torch.tanh(z)
    torch.testing.assert_close(ae.encode(x).mean, expected, rtol=0, atol=1e-4)


def test_one_step_without_gradients_decays_weights_and_spares_biases_and_values():
    method = QLAE()
    ae, _ = ready(method)
    before = {name: parameter.detach().clone() for name, parameter in ae.named_parameters()}
    for parameter in ae.parameters():
        parameter.grad = torch.zeros_like(parameter)
    settings = method.optimizer()
    follow(adam(ae, settings, settings.lr), settings, settings.lr, 0)
    for name, parameter in ae.named_parameters():
        factor = 1.0 if "bias" in name or "codebook" in name else 0.9999
        torch.testing.assert_close(parameter.detach(), factor * before[name], rtol=1e-12, atol=0)


def grid(n=6, d=12):
    """All pairs of two factors of n values each, on a plane in d dimensions."""
    factors = np.array(list(product(range(n), repeat=2)))
    plane = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0][:2]
    x = torch.from_numpy(((factors / (n - 1) * 2 - 1) @ plane * 3).astype(np.float32))
    return World(
        "grid",
        Dense(x),
        factors=factors,
        factor_names=("a", "b"),
        factor_kinds=("categorical", "categorical"),
    )


def found(method, data, seed, steps=2000, lr=3e-3, net="mlp:width=64"):
    settings = {"net": net, "likelihood": "gaussian", "batch": len(data), "device": "cpu"}
    trained = train(method, data, n_latents=2, steps=steps, lr=lr, seed=seed, **settings)
    return mig(codes_table(trained.ae, data), data.factors)


def test_quantised_codes_find_the_factors_of_a_small_grid():
    data, short = grid(n=5, d=6), {"seed": 1, "steps": 400, "lr": 1e-2, "net": "mlp:width=32"}
    assert found(QLAE(levels=5), data, **short) > 0.95
    assert found(VAE(), data, **short) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("method", [QLAE(levels=6), FSQ(levels=6)])
@pytest.mark.parametrize("seed", [0, 1])
def test_quantised_codes_find_correlated_factors(method, seed):
    assert correlations(method, seed) > 0.9  # the VAE's: test_hfs.py


def test_entropies_of_discrete_codes_are_of_how_often_values_occur():
    codes = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 1.0], [0.1, 2.0]])
    assert statistics(codes, discrete=True)["code_entropy"] == pytest.approx([0.0, np.log(2)])


def test_discrete_codes_reach_codes_snapshots_traversals_report_and_exports(tmp_path, monkeypatch):
    job = Job("qlae", "digits", {"levels": 5}, n_latents=3, steps=6, batch=16, snapshots=(3,))
    folder = run(job, tmp_path, device="cpu")
    path = tmp_path / job.id
    pictures, snapshot = np.load(path / "pictures.npz"), np.load(path / "codes-3.npz")["codes"]
    levels = pictures["levels"]
    assert levels.shape == (3, 5)
    np.testing.assert_array_equal(pictures["traversal_values"], levels)
    model = load(path)
    codes = model.transform(world("digits"))
    assert isinstance(model.net_.encode(torch.zeros(1, 1, 8, 8)), Discrete)
    for latent in range(3):
        assert set(np.unique(codes[:, latent])) <= set(levels[latent])
        assert len(np.unique(snapshot[:, latent])) <= 5
    blank_figures(monkeypatch)
    page = write_report(path).read_text()
    shown = json.loads(page.split('"levels":')[1].split("]")[0] + "]")
    assert len(shown) == 5
    entropies = statistics(codes, discrete=True)["code_entropy"]
    assert folder.verdict.information == pytest.approx(entropies, abs=1e-3)
    for exported in to_torch(model, tmp_path / "export", world("digits")):
        assert exported.difference < 1e-4
    assert folder is not None


def test_a_fitted_model_of_discrete_codes_decodes_codes_of_one_s_own():
    X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    model = Autoencoder(FSQ(levels=3), 2, steps=5, device="cpu").fit(X)
    assert set(np.unique(model.transform(X))) <= {-1.0, 0.0, 1.0}
    assert model.inverse_transform(np.array([[-1.0, 1.0]])).shape == (1, 5)
