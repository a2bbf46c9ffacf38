"""What every metric declares, checked for each that is found: values, bounds, invariances, bad input."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

from prismae.errors import InputError, Unavailable
from prismae.evaluation import FAMILIES
from prismae.metrics import all_metrics
from prismae.testing import metric_checks
from prismae.testing.metrics import CONSTANTS, FACTORS, NOISY, OF_FACTORS, SOME, scores

METRICS = {  # of codes; those of images and of likelihoods have files of their own
    name: each
    for name, each in all_metrics().items()
    if each.needs not in ("pairs", "features", "images", "densities")
}
N, K = FACTORS.shape
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


@pytest.mark.parametrize(
    ("metric", "check"),
    [(metric, check) for metric in METRICS.values() for check in metric_checks(metric)],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_every_metric(metric, check):
    check(metric)


@pytest.mark.parametrize("name", ["calinski-harabasz", "davies-bouldin", "silhouette"])
@pytest.mark.parametrize("unit", CONSTANTS)
def test_clusters_of_one_point_in_space_are_those_at_whole_numbers(name, unit):
    groups = np.arange(1, 4)[FACTORS[:, 0]][:, None] * [1.0, -2.0]
    assert scores(METRICS[name], unit * groups) == pytest.approx(scores(METRICS[name], groups))


@every_metric
def test_declarations_are_complete(metric):
    text = inspect.getdoc(metric.function)
    assert re.search(r"arXiv:|doi:|ICLR|jmlr|yeats2023", text), "the source is missing"
    assert "better" in text, "the direction is missing"
    assert set(metric.protocols) <= {"locatello2019", "yeats2023", *FAMILIES}


def test_what_is_found():
    assert {"mig", "factor-vae-score", "dci", "sap", "irs", "udr-lasso", "mig-yeats2023"} <= METRICS.keys()
    assert METRICS["mig"].parameters["bins"] == 20
    assert METRICS["mig"].summary.startswith("Mutual information gap")


BAD = {
    "codes of rank 1": (NOISY[:, 0], FACTORS, r"shape \(1200,\), expected \[points, codes\]"),
    "factors of rank 3": (NOISY, FACTORS[..., None], r"shape \(1200, \d, 1\), expected \[points, factors\]"),
    "another number of rows": (NOISY[:-1], FACTORS, "1199 codes but 1200 rows of factors"),
    "NaN codes": (np.where(np.arange(4) == 2, np.nan, NOISY), FACTORS, "column 2 holds NaN"),
    "numbers as texts": (
        NOISY,
        FACTORS.astype(str),
        "holds? numbers as texts, of which",
    ),
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


@pytest.mark.parametrize(
    "name", ["mig", "sap", "sap-continuous", "dci", "jemmig", "rmig", "infomec", "mig-yeats2023"]
)
def test_metrics_that_compare_codes_cannot_be_had_of_one(name):
    with pytest.raises(Unavailable, match="at least 2, got 1"):
        scores(METRICS[name], NOISY[:, :1])


COMPARING = {  # factors with each other
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
}


@pytest.mark.parametrize("name", sorted(COMPARING))
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


@pytest.mark.parametrize(
    "metric",
    [m for m in METRICS.values() if m.needs in OF_FACTORS and m.name not in COMPARING],
    ids=lambda m: m.name,
)
def test_no_score_of_one_factor_is_the_same_for_any_codes(metric):
    factors = FACTORS[SOME, :1]
    shuffled = NOISY[SOME][np.random.default_rng(3).permutation(300)]
    found = scores(metric, NOISY[SOME], factors)
    assert found != scores(metric, shuffled, factors)
