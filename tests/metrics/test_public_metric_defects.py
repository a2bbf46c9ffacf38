"""Defects of public implementations of metrics: what each would score, and that it is not so here.

Every test computes the defective variant beside ours, and fails if ours were the defective one. docs/how_we_differ.md
shows these numbers.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_codes import grid, small_world, standardised
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from prismae import metrics
from prismae.metrics._inputs import cut
from prismae.metrics.disentanglement.dci import disentanglement

FACTORS = small_world()
IDEAL = standardised(FACTORS)


def test_mig_divides_by_the_factor_s_entropy():
    # a code that tells a factor of 3 values and, within each, 4 others: its entropy is log 12, the factor's log 3
    codes = np.column_stack([FACTORS[:, 0] * 4 + FACTORS[:, 1], FACTORS[:, 2], FACTORS[:, 1]]).astype(float)
    information = metrics.mutual_information_matrix(codes, FACTORS, bins=60)
    first, second = np.sort(information[:, 0])[::-1][:2]
    assert (first - second) / np.log(12) == pytest.approx(0.44, abs=0.01)
    assert (first - second) / np.log(3) == pytest.approx(1.0)
    assert metrics.mig(codes[:, :2], FACTORS[:, :1], bins=60) == pytest.approx(1.0)


def test_mig_takes_factors_as_they_are_and_not_in_20_bins():
    # 40 values that 20 bins of a perfect code cannot tell apart: log 20 / log 40, where binned factors would give 1
    factors = np.repeat(grid((40, 3)), 10, axis=0)
    codes = standardised(factors)
    binned = np.column_stack([cut(factors[:, 0].astype(float), 20), factors[:, 1]])
    assert metrics.mig(codes, binned) == pytest.approx(1.0)
    expected = (np.log(20) / np.log(40) + 1) / 2
    assert expected == pytest.approx(0.906, abs=0.001)
    assert metrics.mig(codes, factors) == pytest.approx(expected)


def test_dci_does_not_stop_at_a_dead_code():
    # a loop that ends at the first code of no importance has seen nothing yet: 0 for perfect codes
    importance = np.vstack([np.zeros(3), np.eye(3)])
    living = importance[: int(np.argmin(importance.sum(1) > 0))]
    assert len(living) == 0
    assert disentanglement(importance) == pytest.approx(1.0)


def test_active_codes_are_counted_and_not_summed():
    codes = 2 * IDEAL  # three codes of variance 4
    assert codes.var(axis=0).sum() == pytest.approx(12.0, rel=1e-5)
    assert metrics.active_units(codes) == 3.0
    assert metrics.factor_vae_score(codes, FACTORS, votes=500, test_votes=500).active.sum() == 3


def test_sap_takes_the_gap_per_factor_over_codes():
    # every factor twice: no code is better than the next. Taken per code over factors, the gap is whole
    matrix = metrics.sap_continuous(np.hstack([IDEAL, IDEAL]), FACTORS).matrix
    per_code = np.sort(matrix, axis=1)
    assert np.mean(per_code[:, -1] - per_code[:, -2]) == pytest.approx(1.0)
    assert metrics.sap_continuous(np.hstack([IDEAL, IDEAL]), FACTORS).score == pytest.approx(0.0, abs=1e-9)


def test_sap_compares_predictions_with_labels():
    # compared with anything else every accuracy is 0, and so is every gap
    result = metrics.sap(IDEAL, FACTORS)
    assert result.matrix.max() == 1.0
    assert result.score > 0.5


def test_ssim_does_not_count_windows_over_the_edge():
    # noise whose outermost pixels turn black: few windows inside the image see it, and all that reach over the edge
    x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    y = x.clone()
    y[:, :, [0, -1]] = y[..., [0, -1]] = 0
    padded = float(structural_similarity_index_measure(x, y, data_range=1.0))
    inside = structural_similarity(
        *(each[0, 0].double().numpy() for each in (x, y)),
        gaussian_weights=True,
        data_range=1.0,
        use_sample_covariance=False,
    )
    found = metrics.ssim(x, y)
    assert found.pairs[0] == pytest.approx(inside, abs=1e-6)
    assert float(found) == pytest.approx(0.9995, abs=0.0001)
    assert padded == pytest.approx(0.863, abs=0.001)
