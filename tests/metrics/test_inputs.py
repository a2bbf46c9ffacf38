"""Reading codes and factors of other libraries than NumPy."""

import numpy as np
import pandas as pd
import pytest

import prismae as pr
from prismae.errors import InputError
from prismae.metrics import as_codes, as_factors


def test_tables_of_several_types_and_missing_values_are_numbers():
    values = pd.DataFrame(
        {"a": pd.array([1, None, 3], "Int64"), "b": [True, False, True], "c": [0.5, 1.5, 2.5]}
    )
    expected = np.array([[1, 1, 0.5], [np.nan, 0, 1.5], [3, 1, 2.5]])
    np.testing.assert_array_equal(as_factors(values, n=3), expected)
    np.testing.assert_array_equal(as_codes(values[["b", "c"]].convert_dtypes()), expected[:, 1:])
    with pytest.raises(InputError, match=r"column 'b' of type (str|object), expected numbers"):
        as_codes(values[["b", "c"]].assign(b=["x", "y", "z"]))


def test_one_factor_may_be_a_vector():
    codes = np.random.default_rng(0).normal(size=(200, 3))
    y = pd.Series((codes[:, 1] > 0).astype(int))
    expected = pr.metrics.mig(codes, y.to_numpy()[:, None])
    assert pr.metrics.mig(codes, y) == expected > 0.5
    assert pr.evaluate_codes(codes, y, metrics=["mig"])["mig"].score == pytest.approx(expected)
    with pytest.raises(InputError, match=r"The factors have shape \(2, 2, 2\), expected \[points, factors\]"):
        as_factors(np.zeros((2, 2, 2)), n=2)
