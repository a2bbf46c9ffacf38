"""The page of known answers shows the committed rows, and the data sets of `discover` are made as they were."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discover_answers import OWN, made
from known_answers import written

ROOT = Path(__file__).parents[1]
ROWS = pd.read_csv(ROOT / "results" / "discover_answers.csv")
PAGE = (ROOT / "docs" / "results" / "known_answers.md").read_text()


@pytest.mark.parametrize("name", ROWS["data"].unique())
def test_the_page_shows_the_rows(name):
    called = (OWN[name].__doc__ or "").rstrip(".") if name in OWN else name.removeprefix("known:")
    [line] = [
        each for each in PAGE.partition("### The command itself")[2].splitlines() if f"| {called} |" in each
    ]
    shown = re.findall(r"\d\.\d\d / \d\.\d\d|–", line)
    rows = ROWS[ROWS["data"] == name].set_index("arm")
    for arm, cell in zip(("PCA", "FastICA", "discover"), (shown[0], shown[1], shown[-1]), strict=True):
        assert cell == f"{rows.loc[arm, 'mean_r']:.2f} / {rows.loc[arm, 'mig']:.2f}"
        assert np.mean(json.loads(str(rows.loc[arm, "r"]))) == pytest.approx(
            rows.loc[arm, "mean_r"], abs=1e-3
        )
    assert f"| {int(rows.loc['discover', 'n'])} factor" in line  # type: ignore[call-overload]


def test_the_tables_of_trainings_show_the_rows():
    rows = pd.read_csv(ROOT / "results" / "known_answers.codes.csv")
    assert written(PAGE, rows) == PAGE, (
        "run python tools/known_answers.py --rows results/known_answers.codes.csv"
    )
    own = rows[(rows["world"] == "known:linear-noisy") & (rows["method"] == "vae")]
    assert sorted(own["seed"]) == [0, 1, 2]
    mean, spread = own["mean_r"].mean(), own["mean_r"].std()
    assert f"| linear-noisy | 0.67 | 0.98 | 0.87 ± 0.05 | 0.82 | {mean:.2f} ± {spread:.2f} |" in PAGE


@pytest.mark.parametrize("name", [each for each in ROWS["data"].unique() if each in OWN])
def test_the_data_sets_are_those_of_the_rows(name):
    x, factors = made(name)
    if isinstance(x, pd.DataFrame):
        pytest.skip("a table's categories are scaled in a way of their own")
    x = np.asarray(x)
    x = (x - x.mean(0)) / (x.std(0) if x.ndim == 2 else 1.0)  # of images and series one scale for all
    axes = np.linalg.svd(x.reshape(len(x), -1), full_matrices=False)[0][:, : factors.shape[1]]
    k = axes.shape[1]
    r = np.abs(np.corrcoef(axes.T, factors.T)[:k, k:]).max(0)
    rows = ROWS[(ROWS["data"] == name) & (ROWS["arm"] == "PCA")]
    np.testing.assert_allclose(r, json.loads(rows["r"].item()), atol=1e-3)
