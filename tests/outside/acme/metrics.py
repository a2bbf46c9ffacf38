"""A metric: a function of arrays, with what it promises."""

import numpy as np
from numpy.typing import ArrayLike

from prismae.metrics import as_codes, as_labels, metric


@metric(
    bounds=(0.0, 1.0),
    known={"constant": 0.0},
    invariant=("permute_codes", "scale_codes", "shift_codes", "flip_codes", "permute_factors"),
)
def greatest_correlation(codes: ArrayLike, factors: ArrayLike) -> float:
    """Greatest correlation: how well the best code follows each factor along a line.

    The mean over factors of the largest |Pearson correlation| with any code; higher is better.
    """
    z = as_codes(codes).astype(np.float64)
    labels = as_labels(factors, n=len(z))  # classes or bins in order of value; -1 where the value is missing
    return float(np.mean([max(_correlation(code, v) for code in z.T) for v in labels.T]))


def _correlation(code: np.ndarray, labels: np.ndarray) -> float:
    known = labels >= 0
    a, b = code[known], labels[known] - labels[known].mean()
    if a.min() == a.max():
        return 0.0
    a = a / np.abs(a).max()  # squares of tiny and huge codes stay numbers
    a = a - a.mean()
    a = a / np.abs(a).max()
    return min(float(abs(a @ b) / np.sqrt((a @ a) * (b @ b))), 1.0)
