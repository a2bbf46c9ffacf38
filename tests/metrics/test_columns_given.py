"""Codes and factors that other software made: tables with names, texts as classes, and what cannot be used."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from prismae.errors import DataWarning, InputError, Unavailable
from prismae.evaluation import evaluate_codes
from prismae.metrics import as_codes, as_labels, mig
from prismae.metrics._inputs import as_factors

RNG = np.random.default_rng(0)
N = 200
FACTORS = np.column_stack([RNG.integers(3, size=N), RNG.integers(4, size=N)])
CODES = np.hstack([FACTORS + 0.2 * RNG.normal(size=(N, 2)), RNG.normal(size=(N, 1))])
IDS = [f"cell {i}" for i in range(N)]
Z = pd.DataFrame(CODES, index=IDS, columns=["a", "b", "c"])
V = pd.DataFrame(FACTORS, index=IDS, columns=["shape", "size"])
SHAPES = np.array(["cube", "disc", "ring"])[FACTORS[:, 0]]
MIXED = V.assign(shape=SHAPES)


def quiet(codes=CODES, factors=FACTORS, **options):
    return evaluate_codes(codes, factors, **{"baselines": False, "metrics": ["mig"]} | options)


MIG = quiet()["mig"].score


@pytest.mark.parametrize(
    "factors",
    [
        MIXED,
        MIXED.astype({"shape": "category"}),
        MIXED.astype({"shape": "string"}),
        MIXED.to_numpy(),
        V.astype(object),
        V.astype("Int64"),
        V.astype("category"),
        V.reset_index(drop=True),
    ],
    ids=[
        "texts",
        "category",
        "string",
        "array of objects",
        "objects",
        "Int64",
        "categories of numbers",
        "counted",
    ],
)
def test_classes_by_name_score_as_their_numbers_do(factors):
    assert quiet(Z, factors)["mig"].score == MIG
    assert mig(Z, factors) == MIG
    np.testing.assert_array_equal(as_labels(factors, n=N), FACTORS)


def test_a_missing_class_is_missing_and_an_order_of_categories_is_kept():
    column = pd.Series(["low", None, "high", "mid"])
    np.testing.assert_array_equal(as_factors(column, n=4)[:, 0], [1, np.nan, 0, 2])
    ordered = column.astype(pd.CategoricalDtype(["low", "mid", "high"], ordered=True))
    np.testing.assert_array_equal(as_factors(ordered, n=4)[:, 0], [0, np.nan, 2, 1])
    np.testing.assert_array_equal(as_factors(pd.Series([True, None], dtype=object), n=2)[:, 0], [1, np.nan])


def test_classes_of_test_points_are_those_of_the_others():
    few = SHAPES != "cube"  # by themselves they would be numbered from 0
    how = {"metrics": "classification", "test": (CODES[few], SHAPES[few])}
    by_name = quiet(CODES, SHAPES, **how)
    by_number = quiet(CODES, FACTORS[:, 0], **how | {"test": (CODES[few], FACTORS[few, 0])})
    assert dict(by_name) == dict(by_number)
    with pytest.raises(InputError, match="holds 'cone', which the factors to learn on do not have"):
        quiet(CODES, SHAPES, **how | {"test": (CODES[few], np.where(few, "cone", SHAPES)[few])})


@pytest.mark.parametrize(
    ("codes", "factors", "said"),
    [
        (Z, V.iloc[::-1], "'cell 0' in the codes and 'cell 199' in the factors: factors.loc[codes.index]"),
        (Z, V.set_axis([f"x{i}" for i in range(N)]), "reset_index(drop=True) of both says so"),
        (Z, V.iloc[::-1], "in their order; if they belong together as they stand, reset_index(drop=True) of both"),
        (Z.iloc[5:], V.iloc[:190], "and 190 of the factors, with names: expected one of each, of the same names."),
        (Z.iloc[5:], V, "There are 195 rows of the codes and 200 of the factors, with names: factors.loc[codes.index]"),
        (Z.reset_index(drop=True), V.reset_index(drop=True).iloc[::-1], "as row 0, which is 0 in the codes and 199"),
        (CODES, V.assign(when=pd.Timestamp("2020")), "but column 'when' holds times (datetime64"),
        (CODES, V.astype(str), "columns 'shape', 'size' hold numbers as texts, of which .astype(float) makes numbers."),
        (CODES, V.assign(size=["a", 1] * 100), "column 'size' holds values of several types"),
        (CODES, np.where(FACTORS == 1, np.inf, FACTORS), "hold infinity in columns 0, 1"),
        (CODES, FACTORS.T, "factors of shape (2, 200) are transposed"),
        (CODES, FACTORS[:, :0], "The factors have shape (200, 0)"),
        (CODES, {"shape": SHAPES}, "got dict: pandas.DataFrame makes a table of it"),
        (CODES[:, :0], FACTORS, "The codes have shape (200, 0)"),
        ("codes.npy", FACTORS, "got 'codes.npy': numpy.load or pandas.read_csv reads the file"),
        (Z.assign(id=IDS), V, "column 'id' of type"),
        (Z.where(Z > 0), V, "columns 'a', 'b', 'c' hold NaN or infinity, in"),
        (np.ma.masked_greater(CODES, 3), FACTORS, "NaN or infinity, in"),
        (np.rec.fromarrays(CODES.T), FACTORS, "got one of records"),
        (object(), FACTORS, "Expected an array, got object"),
        (CODES + 1j, FACTORS * [0, 1], "complex128, expected numbers. Factor 0 has only one value"),
        (np.full_like(CODES, np.nan), V * 0, "in 200 of 200 rows. Factors 'shape', 'size' have only"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_its_columns(codes, factors, said):
    with pytest.raises(InputError, match=re.escape(said)) as raised:
        quiet(codes, factors)
    assert "\n" not in str(raised.value)


def test_bare_metrics_look_at_the_names_of_rows_too():
    with pytest.raises(InputError, match=r"factors\.loc\[codes\.index\]"):
        mig(Z, V.iloc[::-1])


def test_what_is_masked_of_factors_is_missing():
    masked = np.ma.masked_equal(FACTORS, 2)
    assert quiet(CODES, masked) == quiet(CODES, np.where(FACTORS == 2, np.nan, FACTORS))
    np.testing.assert_array_equal(as_codes(np.ma.array(CODES)), CODES)  # nothing of it is masked
    assert as_codes(torch.tensor(CODES)).shape == CODES.shape


def test_names_of_a_table_s_columns_are_those_of_its_factors():
    with pytest.raises(Unavailable, match="Factor 'size' has only one value"):
        quiet(CODES, V.assign(size=1))
    assert quiet(Z, MIXED, metrics="clustering", label="shape")


def test_all_unknown_metrics_are_named():
    with pytest.raises(InputError, match=r"'migg' \(did you mean 'mig'.*\), 'sapp' \(did you mean 'sap'"):
        quiet(metrics=["migg", "sap", "sapp"])


@pytest.mark.parametrize(
    ("codes", "factors", "said"),
    [
        (CODES * 1e-3, FACTORS, "FactorVAE scores take codes below 0.05 for dead"),
        (
            CODES * [1e-5, 1.0, 1e3],
            FACTORS,
            "SAP, the beta-VAE score and distances weigh codes by their scale",
        ),
        (np.ones_like(CODES), FACTORS, "All codes are constant"),
        (
            CODES,
            V.assign(age=range(N)),
            "Factor 'age' has 200 whole numbers in 200 rows, and each counts as a class",
        ),
    ],
)
def test_what_makes_scores_say_little_is_warned_of(codes, factors, said):
    with pytest.warns(DataWarning, match=said):
        quiet(codes, factors)


def test_usual_codes_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet(np.hstack([CODES, 1e-3 * RNG.normal(size=(N, 1)), np.ones((N, 1))]), FACTORS)  # a dead latent
        quiet(CODES, np.column_stack([FACTORS, RNG.normal(size=N)]))
