"""Missing values are part of the model: they count nothing, the encoder knows of them, and they are filled in."""

from __future__ import annotations

from math import log, pi
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from blank import blank_figures

import prismae as pr
from prismae.errors import DataWarning, InputError
from prismae.nets.likelihood import all_likelihoods
from prismae.report import write_report
from prismae.settings import Training
from prismae.train import train

pytestmark = pytest.mark.filterwarnings("ignore::prismae.errors.DataWarning")
FAST = {"n_latents": 2, "net": "mlp:width=16", "steps": 3, "device": "cpu"}
rng = np.random.default_rng(0)
X = (rng.normal(size=(60, 2)) @ rng.normal(size=(2, 5))).astype(np.float32)
GAPS = np.where(rng.random(X.shape) < 0.2, np.nan, X)
GAPS[:, 4] = X[:, 4]
FRAME = pd.DataFrame(GAPS, columns=list("abcde")).assign(
    sex=rng.choice(["f", "m", None], 60), place="north", age=rng.integers(0, 90, 60).astype(float)
)


def trained(x: np.ndarray):
    return train(pr.method("vae"), pr.world(x), Training(n_latents=2, net="mlp:width=16", steps=3)).ae


@pytest.mark.parametrize(
    "name", [name for name, each in all_likelihoods().items() if each.elements == "numbers"]
)
def test_a_likelihood_counts_observed_elements_only(name: str) -> None:
    likelihood = all_likelihoods()[name]()
    x, output = torch.rand(6, 5), torch.randn(6, 5)
    gaps = torch.rand(6, 5) < 0.3
    found = likelihood.nll_of_seen(output, x.masked_fill(gaps, torch.nan))
    for i in range(6):
        seen = ~gaps[i]
        torch.testing.assert_close(found[i], likelihood.nll(output[i, seen][None], x[i, seen][None])[0])
    torch.testing.assert_close(likelihood.nll_of_seen(output, x), likelihood.nll(output, x))


def test_the_encoder_sees_means_and_what_was_missing() -> None:
    ae = trained(GAPS)
    x = torch.from_numpy(GAPS).float()
    seen = ae.completed(x)
    assert seen.shape == (60, 5 + 4)
    filled = np.where(np.isnan(GAPS), np.nanmean(GAPS, axis=0), GAPS)
    np.testing.assert_allclose(seen[:, :5], (filled - float(ae.mean)) / float(ae.std), atol=1e-5)
    np.testing.assert_array_equal(seen[:, 5:], np.isnan(GAPS[:, :4]))


def test_gradients_and_errors_are_of_observed_elements() -> None:
    ae = trained(GAPS)
    x = torch.from_numpy(GAPS).float()
    z = torch.randn(60, 2)
    ae.nll(x, z).sum().backward()
    assert all(p.grad.isfinite().all() for p in ae.decoder.parameters())
    with torch.no_grad():
        mse, nats = ae.errors(x)
        again = ae.generate(ae.encode(x).mean).numpy()
    assert float(mse) == pytest.approx(np.nanmean(np.square(again - GAPS)) / float(ae.std) ** 2, rel=1e-4)
    terms = 0.5 * np.square((again - GAPS) / float(ae.std)) + 0.5 * log(2 * pi)
    assert float(nats) == pytest.approx(np.nansum(terms) / 60, rel=1e-4)


@pytest.mark.parametrize("x", [GAPS, FRAME], ids=["array", "table"])
def test_a_model_fills_in_what_is_missing_and_is_loaded_to_the_bit(
    x, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if x is GAPS:  # what is drawn of the table has gaps, too
        blank_figures(monkeypatch)
    with pytest.warns(DataWarning, match="values are missing"):
        model = pr.Autoencoder("beta-tcvae", **FAST).fit(x)
    codes = model.transform(x)
    back = model.inverse_transform(codes)
    assert not pd.DataFrame(back).isna().any().any()
    assert np.isfinite(model.score(x))
    again = pr.load(model.save(tmp_path / "run", x).path)
    np.testing.assert_array_equal(again.transform(x), codes)
    page = write_report(tmp_path / "run").read_text()
    assert "NaN" not in page.partition("explorer-data")[2].partition("</script>")[0]
    assert "values are missing" in page


@pytest.mark.parametrize("method", ["vae", "factor-vae", "ed-gcae", "gmvae", "ae", "wae"])
def test_methods_need_not_know_of_it(method: str) -> None:
    fields = {"critic_warmup": 1, "critic_width": 8, "n_nodes": 2}
    made = pr.method(method, **{k: v for k, v in fields.items() if k in pr.method(method).fields()})
    model = pr.Autoencoder(made, **FAST).fit(GAPS)
    assert np.isfinite(model.inverse_transform(model.transform(GAPS))).all()
    assert np.isfinite(model.history_.select_dtypes("number").iloc[-1].dropna()).all()


def test_images_with_gaps() -> None:
    x = rng.random((20, 8, 8))
    x[:, 2, 3] = np.where(rng.random(20) < 0.5, np.nan, x[:, 2, 3])
    model = pr.Autoencoder("vae", **FAST).fit(x)
    assert np.isfinite(model.inverse_transform(model.transform(x))).all()
    broken = x.copy()
    broken[3, 1, 1] = 7.0
    with pytest.raises(InputError, match="Observation 3 has values from"):
        model.transform(broken)


def test_a_model_of_complete_data_refuses_gaps_by_name() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = pr.Autoencoder("vae", **FAST).fit(frame)
    with pytest.raises(
        InputError, match=r"New observations lack values in b .*row 1.*, and those of the fit had all"
    ):
        model.transform(frame.assign(b=np.nan))


@pytest.mark.slow
def test_imputation_is_nearer_than_the_mean_and_than_a_linear_model() -> None:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    draw = np.random.default_rng(0)
    angle, size = draw.uniform(0, 2 * np.pi, 1500), draw.uniform(0.5, 1.5, 1500)
    whole = np.stack([size * np.cos(angle + k) ** (1 + k % 2) for k in range(8)], axis=1)
    whole += 0.05 * draw.normal(size=whole.shape)
    hidden = draw.random(whole.shape) < 0.2
    gaps = pd.DataFrame(np.where(hidden, np.nan, whole), columns=list("abcdefgh"))
    model = pr.Autoencoder("vae", n_latents=4, likelihood="gaussian-learned", steps=4000, lr=1e-3).fit(gaps)
    ours = model.inverse_transform(model.transform(gaps)).to_numpy()
    linear = IterativeImputer(random_state=0).fit_transform(gaps)

    def error(filled: np.ndarray) -> float:
        return float(np.sqrt(np.square(filled - whole)[hidden].mean()) / whole.std())

    print(f"rmse of hidden cells: vae {error(ours):.3f}, IterativeImputer {error(linear):.3f}")
    assert error(ours) == pytest.approx(0.21, abs=0.02)  # the numbers that docs/data.md shows
    assert error(linear) == pytest.approx(0.34, abs=0.02)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 8)], ids=["images", "volumes"])
def test_what_lies_outside_a_mask_is_missing_in_all_observations(shape: tuple[int, ...]) -> None:
    x = rng.normal(size=(20, *shape)).astype(np.float32)
    x[:, 0] = np.nan  # a mask
    model = pr.Autoencoder("vae", **FAST | {"steps": 100}).fit(x)
    assert np.isfinite(model.score(x))
    assert np.isfinite([model.verdict_.explained, *model.verdict_.information]).all()
