"""Active units."""

from __future__ import annotations

from numpy.typing import ArrayLike

from prismae.fields import NonNegative
from prismae.metrics._base import UNBOUNDED, metric
from prismae.metrics._inputs import as_codes, centred


@metric(
    needs="codes",
    bounds=UNBOUNDED,
    better="neither",
    known={"constant": 0.0},
    invariant=("permute_codes", "shift_codes", "flip_codes"),
    protocol={"locatello2019": "active-units", "likelihood": "active-units-posterior"},
)
def active_units(codes: ArrayLike, *, threshold: NonNegative = 0.01) -> float:
    """Active units: how many codes vary over the data; needs no factors.

    The number of codes (means of q(z|x)) whose variance over the points exceeds `threshold`.
    Burda et al. 2016, arXiv:1509.00519.

    Parameters
    ----------
    codes
        [n, m] means of q(z|x), on the scale of a standard normal prior.
    threshold
        The least variance.

    Returns
    -------
    float
        In [0, m]. Neither end is better: as many as the world has factors is what one hopes for.

    Examples
    --------
    >>> codes = np.array([[-1.0, 0.0], [1.0, 0.0]])  # the second code does not vary
    >>> active_units(codes)
    1.0
    """
    return float((centred(as_codes(codes)).var(axis=0) > threshold).sum())
