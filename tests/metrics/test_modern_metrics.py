"""MCC, minimality and sufficiency, factorised support, R² beyond what was seen, and InfoMEC of levels."""

from __future__ import annotations

import numpy as np
import pytest
from known_codes import grid
from scipy.stats import spearmanr
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mutual_info_score

import prismae as pr
from prismae import metrics
from prismae.errors import InputError
from prismae.evaluation import evaluate_codes

RNG = np.random.default_rng(0)
GRID = np.repeat(grid((4, 4)), 40, axis=0)
TURNED = GRID @ np.array([[1, 1], [1, -1]])


def test_mcc_of_a_rotated_pair_is_the_cosine():
    assert metrics.mcc(TURNED, GRID) == pytest.approx(np.sqrt(0.5))
    assert metrics.mcc(-3 * GRID[:, ::-1] + 7, GRID) == pytest.approx(1)


def test_mcc_gives_each_factor_a_code_of_its_own():
    first = GRID[:, :1] + GRID[:, 1:] * 0.9  # knows both, and may stand for one alone
    pair = np.corrcoef(first[:, 0], GRID[:, 0])[0, 1]
    assert metrics.mcc(first, GRID) == pytest.approx(pair / 2)


def test_mcc_of_ranks_is_that_of_scipy():
    z = RNG.normal(size=(200, 2))
    v = np.exp(2 * z) + RNG.normal(size=z.shape)
    expected = np.mean([spearmanr(z[:, i], v[:, i]).statistic for i in range(2)])
    assert metrics.mcc(z, v, correlation="spearman") == pytest.approx(expected)


def test_a_code_for_two_factors_is_sufficient_and_half_minimal():
    both = (4 * GRID[:, 0] + GRID[:, 1])[:, None]
    assert metrics.minimality(both, GRID, bins=16) == pytest.approx(0.5)
    assert metrics.sufficiency(both, GRID, bins=16) == pytest.approx(1.0)


def test_a_dead_code_is_left_out_of_minimality():
    assert metrics.minimality(np.hstack([GRID, np.full((len(GRID), 3), 0.3)]), GRID) == pytest.approx(1)


def test_support_is_that_of_brute_force():
    z = RNG.normal(size=(40, 2))
    z = (z - z.mean(0)) / z.std(0)
    product = np.stack(np.meshgrid(z[:, 0], z[:, 1]), -1).reshape(-1, 1, 2)
    expected = ((product - z) ** 2).sum(-1).min(1).max()
    assert metrics.factorised_support(z) == pytest.approx(expected)
    assert metrics.factorised_support(np.repeat(z, 2, axis=0), batch=80) == pytest.approx(expected)


def test_support_of_two_points_on_a_diagonal_is_4_variances():
    points = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    assert metrics.factorised_support(points) == pytest.approx(1 / 0.25)


def test_r2_beyond_what_was_seen_is_the_regression_over_the_variance_of_the_whole_grid():
    v = grid((10, 3))
    z = v + 0.3 * RNG.normal(size=v.shape)
    seen = v[:, 0] < 5
    found = metrics.factor_r2(z[seen], v[seen], test=(z[~seen], v[~seen]))
    for k, n in enumerate((10, 3)):
        predicted = LinearRegression().fit(z[seen], v[seen, k]).predict(z[~seen])
        error = np.mean((predicted - v[~seen, k]) ** 2) / (n - 1) ** 2  # of values from 0 to 1
        variance = (n + 1) / (12 * (n - 1))
        assert found.per_factor[k] == pytest.approx(1 - error / variance)


def test_r2_of_the_mean_is_0_where_test_points_are_alike_and_below_where_they_are_not():
    v = grid((10, 4)).astype(float)
    nothing = np.zeros((40, 1))
    assert metrics.factor_r2(nothing, v, test=(nothing, v)).score == pytest.approx(0)
    low = v[:, 0] < 5
    found = metrics.factor_r2(nothing[low], v[low], test=(nothing[~low], v[~low]))
    assert found.per_factor[0] == pytest.approx(
        1 - (25 + 2) / 8.25
    )  # 5 away, and a variance of 2 around that


def test_r2_is_taken_of_the_test_points_that_are_given():
    v = np.repeat(grid((6, 4)), 5, axis=0)
    low = v[:, 0] < 4
    found = evaluate_codes(v[low], v[low], test=(v[~low], v[~low]), metrics="factor-r2")
    assert found["factor-r2"].score == pytest.approx(1)
    assert found["factor-r2"].parameters["n_test"] == (~low).sum()


@pytest.mark.parametrize("protocol", ["definition", "qlae", "tripod"])
def test_infomec_of_levels_that_are_factors_is_1(protocol):
    scores = metrics.infomec(GRID / 3, GRID, discrete=True, protocol=protocol).scores
    assert scores == pytest.approx({"m": 1, "e": 1, "c": 1}, abs=1e-3)


def test_infomec_of_levels_counted_twice():
    k, m = 2, 4
    found = metrics.infomec(np.hstack([GRID, GRID]), GRID, discrete=True)
    assert found.modularity == pytest.approx(1)
    assert found.compactness == pytest.approx((1 / 2 - 1 / m) / (1 - 1 / m))
    assert found.compactness == pytest.approx((1 / 2 - 1 / (2 * k)) / (1 - 1 / (2 * k)))


def test_one_active_code_is_compact():
    found = metrics.infomec(np.hstack([GRID[:, :1], np.ones((len(GRID), 1))]), GRID, discrete=True)
    assert found.compactness == 1.0
    assert found.active.tolist() == [True, False]


def noisy_levels(n=600):
    v = RNG.integers(4, size=(n, 2))
    wrong = RNG.random((n, 2)) < 0.3
    return np.where(wrong, RNG.integers(4, size=(n, 2)), v), v


def test_names_of_levels_do_not_matter_to_infomec_but_to_numbers():
    z, v = noisy_levels()
    named = np.array([2.0, -1.0, 7.0, 0.5])[z]
    found, other = (metrics.infomec(each, v, discrete=True) for each in (z, named))
    assert other.scores == pytest.approx(found.scores, abs=1e-6)
    assert metrics.infomec(named, v).explicitness != pytest.approx(
        metrics.infomec(z, v).explicitness, abs=1e-2
    )


def test_information_of_levels_is_that_of_counts():
    z, v = noisy_levels()
    found = metrics.infomec(z, v, discrete=True)
    for i in range(2):
        for k in range(2):
            expected = mutual_info_score(z[:, i], v[:, k]) / mutual_info_score(v[:, k], v[:, k])
            assert found.matrix[i, k] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("protocol", "neighbours"), [("definition", 3), ("qlae", 10), ("tripod", 10), ("factorqvae", 3)]
)
def test_information_of_numbers_has_the_protocols_neighbours(protocol, neighbours):
    z, v = noisy_levels()
    z = z + 0.4 * RNG.normal(size=z.shape)
    found = metrics.infomec(z, v, protocol=protocol)
    scaled = (z - z.mean(0)) / z.std(0)
    for k in range(2):
        expected = mutual_info_classif(scaled, v[:, k], n_neighbors=neighbours, random_state=0)
        entropy = mutual_info_score(v[:, k], v[:, k])
        assert found.matrix[:, k] == pytest.approx(expected / entropy, abs=2e-3)


@pytest.mark.parametrize(
    ("protocol", "kept"),
    [
        ("definition", [True, False, False, False]),
        ("qlae-training", [True, False, False, False]),
        ("qlae", [True, True, False, True]),
        ("tripod", [True, False, False, True]),
        ("factorqvae", [True, True, False, True]),
    ],
)
def test_each_protocol_has_codes_of_its_own_that_count(protocol, kept):
    n = 400
    even = np.linspace(-1, 1, n)
    # Of a range of 2 and quartiles 1 apart: ranges of 0.11, 0.09 and 0.13, 0.12; the second is in its tails alone.
    tails = np.where(np.abs(even) > 0.9, 0.11 / 2 * np.sign(even), 0)
    z = np.column_stack([even, tails, 0.045 * even, 0.12 / 2 * even])
    z[:, 3] = 0.12 / 2 * np.sign(even)  # quartiles as far apart as its ends
    v = np.column_stack([np.arange(n) % 2, np.arange(n) % 4 // 2])
    assert metrics.infomec(z, v, protocol=protocol).active.tolist() == kept


def test_protocols_that_know_no_levels_say_so():
    with pytest.raises(
        InputError, match=r"'factorqvae' takes discrete codes for numbers.*definition, qlae, tripod"
    ):
        metrics.infomec(GRID, GRID, discrete=True, protocol="factorqvae")
    with pytest.raises(InputError, match="takes 1500 values, expected at most 1024"):
        metrics.infomec(RNG.normal(size=(1500, 2)), RNG.integers(3, size=(1500, 2)), discrete=True)


def test_codes_of_a_model_with_levels_are_taken_as_levels():
    some = GRID[::10]
    world = pr.world(some.astype(np.float32), factors=some)
    for method, discrete in (("qlae", True), ("ae", False)):
        model = pr.Autoencoder(method, n_latents=2, steps=2).fit(world)
        scores = pr.evaluate(model, world, metrics=["infomec", "mig"])
        assert scores["infomec-m"].parameters["discrete"] is discrete


def test_tables_of_scores_name_the_protocol():
    said = evaluate_codes(GRID, GRID, metrics="infomec", baselines=False)["infomec-m"].parameters
    assert said["protocol"] == "definition"
    assert said["discrete"] is False
