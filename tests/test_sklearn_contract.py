"""scikit-learn's own checks, and what they leave out: searches, pipelines, names, random states, pickles.

The default method meets every check, and so do the other families of methods between them; that each of these meets
each check is `slow`.
"""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import prismae as pr
from prismae.errors import InputError

FAST = {"n_latents": 3, "net": "mlp:width=32", "steps": 6, "batch": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(60, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(60, 8))).astype(
        np.float32
    )


FAMILIES = ("vae", "beta-tcvae", "factor-vae", "gcae", "wae", "gmvae", "ae")
SMALL = {"n_latents": 2, "steps": 2, "net": "mlp:width=16", "device": "cpu"}


def small(name):
    """A method with a small critic, where it has one."""
    fields = {"critic_warmup": 1, "critic_width": 8, "n_nodes": 2}
    return pr.method(name, **{k: v for k, v in fields.items() if k in pr.method(name).fields()})


@parametrize_with_checks([pr.Autoencoder(net="mlp:width=32", steps=5, device="cpu")])
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(
            *pair,
            id=f"{name}-{place}-{pair[1].func.__name__}",
            marks=() if place % len(FAMILIES) == turn else pytest.mark.slow,
        )
        for turn, name in enumerate(FAMILIES)
        for place, pair in enumerate(estimator_checks_generator(pr.Autoencoder(small(name), **SMALL)))
    ],
)
def test_scikit_learn_s_checks_of_families(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["beta-tcvae", "ed-gcae", "gmvae"])
def test_scikit_learn_s_checks_with_array_api_and_other_methods(method):
    # SciPy reads the variable when it is imported, hence a process of its own; without it one check is skipped
    quick = {"ed-gcae": "critic_warmup=2, critic_width=16, n_nodes=4"}.get(method, "")
    code = f"""
import prismae as pr
from sklearn.utils.estimator_checks import check_estimator
model = pr.Autoencoder(pr.method({method!r}, {quick}), n_latents=2, steps=3, device="cpu")
left_out = [each["check_name"] for each in check_estimator(model) if each["status"] != "passed"]
assert left_out == [], left_out
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"SCIPY_ARRAY_API": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_search_over_methods_and_their_fields(table):
    grid = [
        {"method": ["beta-vae"], "method__beta": [0.5, np.float32(4)]},
        {"method": [pr.BetaTCVAE(alpha=0.5)], "method__beta": np.array([2, 3])},
    ]
    search = GridSearchCV(pr.Autoencoder(**FAST), grid, cv=2).fit(table)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.cv_results_["params"]) == 4
    assert search.transform(table).shape == (60, 3)
    made = clone(search.estimator).set_params(**search.cv_results_["params"][3])
    assert made.method == pr.BetaTCVAE(alpha=0.5, beta=3.0)


def test_fields_of_a_method_are_parameters():
    model = pr.Autoencoder("beta-vae")
    assert model.get_params()["method__beta"] == pr.BetaVAE().beta
    assert "method__beta" not in model.get_params(deep=False)
    assert model.set_params(method__beta=2).method == pr.BetaVAE(beta=2.0)
    assert clone(model).get_params()["method__beta"] == 2.0
    model.set_params(method="gcae", method__sigma=0.1, n_latents=4)
    assert (model.method, model.n_latents) == (pr.GCAE(sigma=0.1), 4)
    with pytest.raises(InputError, match="gcae 'beta'"):
        model.set_params(method__beta=2.0)
    with pytest.raises(InputError, match="sigma should be greater than"):
        model.set_params(method__sigma=-1.0)
    assert "method__sigma" not in pr.Autoencoder("nonsense").get_params()


def test_a_method_of_the_user_s_own_is_a_parameter_too(table):
    from dataclasses import dataclass

    from prismae.fields import NonNegative
    from prismae.methods import Method

    @dataclass(frozen=True)
    class Mine(Method):
        strength: NonNegative = 1.0

        def weights(self):
            return {"recon": 1.0, "kl": self.strength}

        def terms(self, ae, x, ctx):
            q = ae.encode(x)
            return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}

    model = pr.Autoencoder(Mine(), **FAST).set_params(method__strength=0.5).fit(table)
    assert model.method_ == Mine(0.5)


def test_codes_are_named_and_become_tables(table):
    named = pd.DataFrame(table, columns=[f"column {i}" for i in range(8)], index=np.arange(60) * 2)
    model = pr.Autoencoder("vae", **FAST).set_output(transform="pandas").fit(named)
    codes = model.transform(named)
    assert list(codes.columns) == list(model.get_feature_names_out()) == ["z0", "z1", "z2"]
    assert codes.index.equals(named.index)
    assert list(model.feature_names_in_) == list(named.columns)
    with pytest.raises(InputError, match=r"same order|should match"):
        model.transform(named[named.columns[::-1]])
    with pytest.warns(UserWarning, match="feature names"):
        bare = model.transform(table)
    pd.testing.assert_frame_equal(bare, codes.reset_index(drop=True))


def test_a_pipeline_with_what_comes_after(table):
    pipeline = make_pipeline(
        StandardScaler(), pr.Autoencoder("vae", **FAST), KMeans(2, n_init=1, random_state=0)
    )
    labels = pipeline.fit_predict(table)
    assert set(labels) == {0, 1}
    assert list(pipeline[:-1].get_feature_names_out()) == ["z0", "z1", "z2"]


def test_random_states(table):
    def codes(state):
        return pr.Autoencoder("vae", random_state=state, **FAST).fit_transform(table)

    assert np.array_equal(codes(np.random.RandomState(3)), codes(np.random.RandomState(3)))
    assert np.array_equal(codes(np.int64(1)), codes(1))
    assert not np.array_equal(codes(None), codes(None))
    shared = np.random.RandomState(3)
    assert not np.array_equal(codes(shared), codes(shared))
    model = pr.Autoencoder("vae", random_state=None, **FAST).fit(table)
    assert np.array_equal(codes(model.seed_), model.transform(table))
    with pytest.raises(InputError, match="random_state should be a number"):
        codes("seven")


def test_pickles_and_joblib_give_the_same_model(table, tmp_path):
    model = pr.Autoencoder(pr.EDGCAE(critic_warmup=2, critic_width=16, n_nodes=4), **FAST).fit(table)
    joblib.dump(model, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        assert np.array_equal(again.transform(table), model.transform(table))
        assert again.get_params() == model.get_params()


PARAMETERS = {
    "n_latents": (0, "n_latents should be greater than or equal to 1, got 0"),
    "steps": ("many", "steps should be"),
    "batch": (2.5, "batch should be a valid integer"),
    "lr": (-1.0, "lr should be greater than 0"),
    "precision": ("16", "precision should be '32' or 'bf16', got '16'"),
    "device": ("gpu", "device should be 'auto', 'cpu', 'cuda' or 'mps', got 'gpu'"),
    "devices": (0, "devices should be greater than or equal to 1, got 0"),
    "method": (pr.BetaVAE, "method should be a method or the name of one"),
    "controllers": (("ramp",), "controllers should be controllers, got 'ramp'"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_checked_in_fit(name, table):
    value, expected = PARAMETERS[name]
    with pytest.raises(InputError, match=expected):
        pr.Autoencoder(**FAST | {name: value}).fit(table)
