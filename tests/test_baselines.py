"""Scores beside those of PCA, ICA and the network untrained; held against scikit-learn's own components."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA, FastICA

import prismae as pr
from prismae.data import world
from prismae.errors import Unavailable
from prismae.evaluation.baselines import (
    agreement,
    explained,
    explained_error,
    gain_error,
    independent,
    linear_codes,
    principal,
)
from prismae.runs.scoring import score
from prismae.studies import Job, run

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(5, size=(400, 3))
X = ((FACTORS - 2.0) @ RNG.normal(size=(3, 7)) + 0.01 * RNG.normal(size=(400, 7))).astype(np.float32)
DATA = world(X, factors=FACTORS, factor_kinds=("continuous",) * 3)


def test_principal_components_are_scikit_learn_s():
    pca = PCA(3, random_state=0).fit(X)
    found = principal(X, 3)
    np.testing.assert_allclose(found.codes(X), pca.transform(X), atol=1e-4)
    assert explained(X, found.decoded(found.codes(X))) == pytest.approx(
        pca.explained_variance_ratio_.sum(), abs=1e-5
    )
    assert explained(X, found.first(1).decoded(found.first(1).codes(X))) == pytest.approx(
        pca.explained_variance_ratio_[0], abs=1e-5
    )


def test_independent_components_span_the_same_and_find_the_factors():
    start = principal(X, 3)
    found = independent(X, start)
    np.testing.assert_allclose(found.decoded(found.codes(X)), start.decoded(start.codes(X)), atol=1e-3)
    own = FastICA(3, random_state=0, whiten="unit-variance").fit_transform(X)
    assert agreement(found.codes(X), own) > 0.999
    assert (
        agreement(found.codes(X), FACTORS.astype(float))
        > 0.98
        > agreement(start.codes(X), FACTORS.astype(float))
    )


def test_no_more_components_than_the_data_have():
    flat = np.repeat(X[:, :1], 4, axis=1)
    assert principal(flat, 4).into.shape == (4, 1)
    assert principal(X[:3], 7).into.shape[1] == 2


def test_agreement_matches_one_to_one_whatever_order_and_sign():
    z = RNG.normal(size=(500, 3))
    assert agreement(z, -z[:, [2, 0, 1]]) == pytest.approx(1, abs=1e-6)
    assert agreement(z[:, :1], z) == pytest.approx(1, abs=1e-6)
    assert agreement(z, np.ones((500, 3))) == 0


def test_texts_have_no_components(tmp_path):
    (tmp_path / "a.txt").write_text("a b\nb a\na a\n")
    with pytest.raises(Unavailable, match="words"):
        linear_codes("pca", world(str(tmp_path / "a.txt")), 2)


def test_a_model_s_scores_stand_beside_those_of_its_baselines():
    model = pr.Autoencoder("vae", 3, steps=3, net="mlp:width=8", device="cpu").fit(X)
    found = pr.evaluate(model, DATA, metrics="mig")["mig"]
    for kind in ("pca", "ica"):
        codes = linear_codes(kind, DATA, 3)
        assert found.beside[kind] == float(pr.evaluate(codes, DATA, metrics="mig", baselines=False)["mig"])
    assert found.beside["ica"] > found.beside["pca"]
    start = model.untrained().encode(torch.from_numpy(X)).mean.detach().numpy()
    assert found.beside["untrained"] == pytest.approx(
        float(pr.evaluate(start, DATA, metrics="mig", baselines=False)["mig"]), abs=1e-6
    )
    assert "untrained" in str(pr.evaluate(model, DATA, metrics="mig"))
    assert not pr.evaluate(model, DATA, metrics="mig", baselines=False)["mig"].beside


def test_the_untrained_network_is_that_before_the_first_step():
    still = pr.Autoencoder("vae", 2, steps=1, lr=1e-12, net="mlp:width=8", device="cpu").fit(X)
    start = still.untrained().state_dict()
    for name, weight in still.net_.state_dict().items():
        torch.testing.assert_close(weight, start[name], atol=1e-8, rtol=0)


def test_a_run_keeps_its_baselines_beside_each_score(tmp_path):
    done = run(Job("vae", "digits", n_latents=2, steps=2, batch=8), tmp_path, device="cpu")
    kept = score(done, metrics="mig")["protocols"]["locatello2019"]["mig"]
    assert set(kept["beside"]) == {"pca", "ica", "untrained"}


@pytest.mark.parametrize("power", [120, -110])
def test_components_are_of_any_unit(power):
    x, unit = X, np.float32(2.0**power)
    found, start = principal(x * unit, 3), principal(x, 3)
    np.testing.assert_array_equal(found.into, start.into)
    np.testing.assert_array_equal(found.mean, start.mean * unit)
    found, start = independent(x * unit, found), independent(x, start)
    np.testing.assert_allclose(found.codes(x * unit), start.codes(x), rtol=1e-3, atol=1e-3)


def test_the_error_of_an_explained_share_is_that_of_resampled_rows():
    """As over data drawn again and again, each with 40 rows."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 40, 6)) * rng.uniform(0.5, 1.5, size=(400, 40, 1))
    again = 0.7 * x + 0.3 * rng.normal(size=x.shape)
    drawn = np.std([explained(*each) for each in zip(x, again, strict=True)])
    told = np.mean([explained_error(*each) for each in zip(x, again, strict=True)])
    assert told == pytest.approx(drawn, rel=0.1)
    assert explained_error(x[0, :1], again[0, :1]) == np.inf


def test_the_error_of_a_gain_is_that_of_resampled_rows_and_less_where_both_err_alike():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(400, 40, 6))
    again = 0.7 * x + 0.3 * rng.normal(size=x.shape)
    other = again + 0.1 * rng.normal(size=x.shape)
    both = list(zip(x, again, other, strict=True))
    drawn = np.std([explained(x, again) - explained(x, other) for x, again, other in both])
    told = np.mean([gain_error(*each) for each in both])
    assert told == pytest.approx(drawn, rel=0.1)
    apart = np.mean(
        [np.hypot(explained_error(x, again), explained_error(x, other)) for x, again, other in both]
    )
    assert told < 0.7 * apart
    assert gain_error(x[0], again[0], again[0]) == 0
