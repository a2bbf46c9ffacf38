"""What every metric declares, checked for each that is found: values, bounds, invariances, bad input."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch

from known_codes import small_world, standardised
from prismae.errors import InputError, Unavailable
from prismae.metrics import Metric, Result, all_metrics
from prismae.metrics._inputs import as_array
from prismae.metrics.evaluate import FAMILIES

METRICS = {  # of codes; those of images and of likelihoods have files of their own
    name: each
    for name, each in all_metrics().items()
    if each.needs not in ("pairs", "features", "images", "densities")
}
FACTORS = small_world()
N, K = FACTORS.shape
IDENTITY = standardised(FACTORS)
KNOWN = {
    "identity": IDENTITY,
    "constant": np.zeros_like(IDENTITY),
    "duplicated": np.hstack([IDENTITY, IDENTITY]),
}
RNG = np.random.default_rng(1)
NOISY = np.hstack([IDENTITY @ np.linalg.qr(RNG.normal(size=(K, K)))[0], 0.3 * IDENTITY[:, :1]])
NOISY = (NOISY + 0.3 * RNG.normal(size=NOISY.shape)).astype(np.float32)
TOLERANCE = 0.02  # how ties and draws may move a score
FEW = {"votes": 500, "test_votes": 500, "train_size": 500, "test_size": 500}

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
with_factors = pytest.mark.parametrize(
    "metric",
    [each for each in METRICS.values() if each.needs in ("points", "split", "table")],
    ids=lambda m: m.name,
)


def scores(metric: Metric, codes, factors=FACTORS, **options) -> dict[str, float]:
    """Scores of a metric by short name, with fewer draws than by default."""
    options |= {name: value for name, value in FEW.items() if name in metric.parameters}
    if metric.name == "sap-yeats2023":
        options["factor_kinds"] = ("continuous",) * np.shape(factors)[-1]
    if metric.needs == "codes":
        result = metric(codes, **options)
    elif metric.needs == "runs":
        result = metric([codes, NOISY[: len(codes)]], **options)
    elif metric.needs == "clusters":
        result = metric(codes, np.asarray(factors)[:, 0], **options)
    elif metric.needs == "assignments":  # each point belongs to the code that is largest
        result = metric(np.asarray(as_array(codes)).argmax(axis=1), np.asarray(factors)[:, 0], **options)
    else:
        result = metric(codes, factors, **options)
    return result.scores if isinstance(result, Result) else {"": result}


def assert_close(found: dict[str, float], expected: dict[str, float], tolerance: float = TOLERANCE) -> None:
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("metric", "world"),
    [(m, world) for m in METRICS.values() for world in m.known],
    ids=lambda each: str(each),
)
def test_value_on_known_codes(metric, world):
    declared = metric.known[world]
    assert_close(
        scores(metric, KNOWN[world]),
        declared if isinstance(declared, dict) else {"": declared},
    )


OF_THE_ORIGIN = {"rmig", "mig-yeats2023", "sap", "sap-mixed"}  # fixed bins, shared bins, a penalty
CONSTANTS = [0.1, 0.3, -7.7, 1 / 3, 1e8 + 0.1, -1e-9]
SOME = slice(0, 300)


@every_metric
def test_codes_of_any_constant_are_those_of_zero(metric):
    # the deviation of a column full of 0.1 is above 0, by rounding
    zeros = np.zeros_like(IDENTITY[SOME])
    expected = pytest.approx(scores(metric, zeros, FACTORS[SOME]))
    for constant in CONSTANTS:
        for dtype in (np.float64, np.float32):
            found = scores(metric, np.full_like(zeros, constant, dtype=dtype), FACTORS[SOME])
            assert found == expected, (constant, dtype)


@pytest.mark.parametrize(
    "metric",
    [m for m in METRICS.values() if m.needs != "assignments" and m.name not in OF_THE_ORIGIN],
    ids=lambda m: m.name,
)
def test_a_constant_beside_living_codes_is_like_zero(metric):
    for dtype in (np.float64, np.float32):
        codes = NOISY[SOME].astype(dtype)
        codes[:, 2] = 0
        expected = scores(metric, codes, FACTORS[SOME])
        for constant in (0.3, -7.7, 1e8 + 0.1):
            codes[:, 2] = constant
            assert_close(scores(metric, codes, FACTORS[SOME]), expected, tolerance=1e-4)


@pytest.mark.parametrize("name", ["calinski-harabasz", "davies-bouldin", "silhouette"])
@pytest.mark.parametrize("unit", CONSTANTS)
def test_clusters_of_one_point_in_space_are_those_at_whole_numbers(name, unit):
    groups = np.arange(1, 4)[FACTORS[:, 0]][:, None] * [1.0, -2.0]
    assert scores(METRICS[name], unit * groups) == pytest.approx(scores(METRICS[name], groups))


INTEGERS = {  # factors of three, four and five values as far apart as the type allows
    "int8": np.int8([-128, -50, 0, 99, 127]),
    "int16": np.int16([-32_768, -7, 0, 1, 32_767]),
    "uint8": np.uint8([0, 3, 100, 254, 255]),
    "int32": np.int32([-(2**31), -5, 3, 2**30, 2**31 - 1]),
    "uint32": np.uint32([0, 1, 2**20, 2**31, 2**32 - 1]),
    "int64": np.int64([-(2**62), -(2**40), 0, 2**41, 2**62]),
    "uint64": np.uint64([0, 2**20, 2**60, 2**62, 2**63]),
}


@with_factors
@pytest.mark.parametrize("dtype", INTEGERS)
def test_factors_of_any_integer_type_are_those_numbers(metric, dtype):
    values = INTEGERS[dtype]
    factors = values[FACTORS[SOME]]
    assert factors.dtype == dtype
    found = scores(metric, NOISY[SOME], factors)
    assert found == pytest.approx(scores(metric, NOISY[SOME], factors.astype(np.float64)))


@with_factors
def test_factors_of_truth_values_are_classes(metric):
    factors = FACTORS[SOME] > 1
    assert scores(metric, NOISY[SOME], factors) == scores(metric, NOISY[SOME], factors.astype(np.int64))


@every_metric
@pytest.mark.parametrize(
    "codes", [*KNOWN.values(), NOISY, np.eye(N, 4)], ids=[*KNOWN, "noisy", "nearly constant"]
)
def test_every_score_is_a_plain_number_within_the_bounds(metric, codes):
    for value in scores(metric, codes).values():
        assert type(value) is float
        assert metric.bounds[0] <= value <= metric.bounds[1]


def permute_codes():
    return NOISY[:, [2, 0, 3, 1]], FACTORS


def scale_codes():
    return NOISY * np.float32([0.5, 2.0, 1.0, 4.0]), FACTORS


def shift_codes():
    return NOISY + np.float32([1.0, -2.0, 0.0, 4.0]), FACTORS


def flip_codes():
    return NOISY * np.float32([-1, 1, -1, 1]), FACTORS


def relabel_clusters():
    return permute_codes()  # the largest code has another number


def permute_factors():
    return NOISY, FACTORS[:, [2, 0, 1]]


def relabel_factors():
    return NOISY, np.column_stack([np.array(new)[FACTORS[:, k]] for k, new in enumerate(RELABELLED)])


RELABELLED = ([2, 0, 1], [3, 0, 2, 1], [1, 4, 0, 2, 3])
CHANGES = (
    permute_codes,
    scale_codes,
    shift_codes,
    flip_codes,
    relabel_clusters,
    permute_factors,
    relabel_factors,
)


@pytest.mark.parametrize(
    ("metric", "change"),
    [(m, change) for m in METRICS.values() for change in CHANGES if change.__name__ in m.invariant],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_declared_invariance(metric, change):
    codes, factors = change()
    assert_close(
        scores(metric, codes, factors),
        scores(metric, NOISY),
        tolerance=0.05 if FEW.keys() & metric.parameters.keys() else TOLERANCE,
    )


EXTREMES = {  # what single and double precision must not notice
    "scale_codes": [
        np.array([1e-7, 1e7, 1.0, 1e-3]),
        np.array([1e7, 1e7, 1e7, 1e7]),
        np.array([1e-7, 1e-7, 1e-7, 1e-7]),
        np.array([1e40, 1e-40, 1.0, 1e-200]),
    ],
    "shift_codes": [np.array([1e8, 0.0, -1e8, 1e8])],
}


@pytest.mark.parametrize(
    ("metric", "change", "by"),
    [
        (m, change, by)
        for m in METRICS.values()
        for change in EXTREMES
        if change in m.invariant
        for by in EXTREMES[change]
    ],
    ids=str,
)
def test_declared_invariance_at_the_ends(metric, change, by):
    codes = NOISY.astype(np.float64)
    assert_close(
        scores(metric, codes * by if change == "scale_codes" else codes + by),
        scores(metric, codes),
        tolerance=0.05 if FEW.keys() & metric.parameters.keys() else TOLERANCE,
    )


@every_metric
def test_huge_codes_give_numbers_or_one_sentence(metric):
    codes = NOISY.astype(np.float64)
    if metric.needs != "assignments":
        with pytest.raises(InputError, match="expected at most 1e"):
            scores(metric, codes * 1e200)
    assert not np.isnan(list(scores(metric, codes * 1e40).values())).any()


@every_metric
def test_the_same_seed_gives_the_same_scores_and_no_global_state_is_touched(metric):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert scores(metric, NOISY) == scores(metric, NOISY)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@every_metric
def test_declarations_are_complete(metric):
    assert set(metric.invariant) <= {change.__name__ for change in CHANGES}
    assert set(metric.known) <= set(KNOWN)
    text = inspect.getdoc(metric.function)
    assert re.search(r"arXiv:|doi:|ICLR|jmlr|yeats2023", text), "the source is missing"
    assert "better" in text, "the direction is missing"
    assert metric.protocol in ("locatello2019", "yeats2023", *FAMILIES)


@every_metric
def test_torch_tensors_and_lists_are_accepted(metric):
    few = slice(0, 300)
    expected = scores(metric, NOISY[few], FACTORS[few])
    tensor = torch.tensor(NOISY[few], requires_grad=True)
    assert scores(metric, tensor, torch.tensor(FACTORS[few])) == expected
    assert_close(scores(metric, NOISY[few].tolist(), FACTORS[few].tolist()), expected)


@with_factors
def test_missing_values_drop_rows_of_that_factor_only(metric):
    factors = FACTORS.astype(np.float64)
    factors[RNG.random(N) < 0.3, 1] = np.nan
    for value in scores(metric, NOISY, factors).values():
        assert np.isfinite(value)


@with_factors
def test_continuous_factors_are_cut_into_bins(metric):
    factors = IDENTITY.astype(np.float64)
    for value in scores(metric, NOISY, factors).values():
        assert np.isfinite(value)


def test_what_is_found():
    assert {"mig", "factor-vae-score", "dci", "sap", "irs", "udr-lasso", "mig-yeats2023"} <= METRICS.keys()
    assert METRICS["mig"].parameters["bins"] == 20
    assert METRICS["mig"].summary.startswith("Mutual information gap")


BAD = {
    "codes of rank 1": (NOISY[:, 0], FACTORS, r"shape \(1200,\), expected \[points, codes\]"),
    "factors of rank 1": (NOISY, FACTORS[:, 0], r"shape \(1200,\), expected \[points, factors\]"),
    "another number of rows": (NOISY[:-1], FACTORS, "1199 codes but 1200 rows of factors"),
    "NaN codes": (np.where(np.arange(4) == 2, np.nan, NOISY), FACTORS, "column 2 holds NaN"),
    "text": (NOISY, FACTORS.astype(str), "expected class indices or numbers"),
    "a factor of one value": (NOISY, np.where(np.arange(K) == 1, 0, FACTORS), "1 has only one value"),
    "one point": (NOISY[:1], FACTORS[:1], "needs at least"),
}
FORGIVING = {  # what a definition can deal with
    "a factor of one value": {
        "mig-yeats2023",
        "fac-yeats2023",
        "dci-yeats2023",
        "sap-yeats2023",
        "sap-continuous",
    },
}


@pytest.mark.parametrize(
    ("metric", "case"),
    [
        (m, case)
        for m in METRICS.values()
        for case in BAD
        if m.needs in ("points", "split", "table") and m.name not in FORGIVING.get(case, ())
    ],
    ids=lambda each: str(each),
)
def test_bad_input_gets_one_sentence(metric, case):
    codes, factors, message = BAD[case]
    with pytest.raises(InputError, match=message) as error:
        scores(metric, codes, factors)
    assert "\n" not in str(error.value)


@every_metric
@pytest.mark.parametrize("n", [2, 5, 12, 25, 40])
def test_few_points_give_numbers_or_one_sentence(metric, n):
    try:
        found = scores(metric, NOISY[:n], FACTORS[:n])
    except InputError:
        return
    assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize(
    "name", ["mig", "sap", "sap-continuous", "dci", "jemmig", "rmig", "infomec", "mig-yeats2023"]
)
def test_metrics_that_compare_codes_cannot_be_had_of_one(name):
    with pytest.raises(Unavailable, match="at least 2, got 1"):
        scores(METRICS[name], NOISY[:, :1])


@pytest.mark.parametrize(
    "name",
    [
        "dci",
        "modularity",
        "mig-sup",
        "dci-mig",
        "infomec",
        "unfairness",
        "z-max-variance",
        "z-min-variance",
        "factor-vae-score",
        "beta-vae-score",
        "fac-yeats2023",
    ],
)
def test_metrics_that_compare_factors_cannot_be_had_of_one(name):
    with pytest.raises(Unavailable, match="needs 2 or more, got 1"):
        scores(METRICS[name], NOISY, FACTORS[:, :1])


@pytest.mark.parametrize("name", ["factor-vae-score", "beta-vae-score"])
def test_metrics_that_hold_a_factor_fixed_need_rows_that_share_it(name):
    with pytest.raises(Unavailable, match="No two points share a value of factor 0"):
        METRICS[name](NOISY[:20], np.column_stack([np.arange(20)] * 2))


@pytest.mark.parametrize("name", ["udr-spearman", "udr-lasso"])
def test_metrics_of_runs_refuse_one_run_or_other_points(name):
    with pytest.raises(InputError, match="at least 2, got 1"):
        METRICS[name]([NOISY])
    with pytest.raises(InputError, match="the same points"):
        METRICS[name]([NOISY, NOISY[:-1]])


@with_factors
def test_no_score_of_one_factor_is_the_same_for_any_codes(metric):
    factors = FACTORS[SOME, :1]
    shuffled = NOISY[SOME][np.random.default_rng(3).permutation(300)]
    try:
        found = scores(metric, NOISY[SOME], factors)
    except Unavailable:
        return
    assert found != scores(metric, shuffled, factors)


@every_metric
def test_codes_of_any_magnitude_give_numbers_or_one_sentence(metric):
    for unit in (1e-100, 1e-30, 1e30):
        for value in scores(metric, NOISY[SOME].astype(np.float64) * unit, FACTORS[SOME]).values():
            assert not np.isnan(value)
    if metric.needs != "assignments":
        with pytest.raises(InputError, match=r"codes reach .*e\+300, expected at most 1e\+50: scale them"):
            scores(metric, NOISY[SOME].astype(np.float64) * 1e300, FACTORS[SOME])
