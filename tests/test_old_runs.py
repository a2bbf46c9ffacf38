"""Run folders that version 0.1 wrote are still read: the same codes, the same sections of the report.

`tests/runs/0.1` holds a run on a table with held-out rows, one with a critic and a snapshot, and a model saved from
Python; with the data they were trained on, 20 codes and what they decode to, and the report's headings, all as
version 0.1 gave them.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prismae as pr
from prismae.runs.run import Run
from prismae.studies import score

RUNS = Path(__file__).parent / "runs" / "0.1"
DATA: dict[str, Callable[[], Any]] = {
    "beta-tcvae-table-7993c120": lambda: pd.read_csv(RUNS / "table.csv").drop(columns="kind"),
    "gcae-digits-077e13ba": lambda: pr.world("digits"),
    "saved_series": lambda: np.load(RUNS / "series.npz")["X"],
}


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run, beside the data that it was trained on, in the folder it was trained from."""
    shutil.copy(RUNS / "table.csv", tmp_path)
    shutil.copytree(RUNS / request.param, tmp_path / request.param)
    monkeypatch.chdir(tmp_path)
    return Path(request.param)


every_run = pytest.mark.parametrize("folder", DATA, indirect=True)


@every_run
def test_codes_and_what_they_decode_to_are_those_of_version_0_1(folder):
    model = pr.load(folder)
    with np.load(RUNS / "expected.npz") as expected:
        codes, back = expected[f"{folder.name}:codes"], expected[f"{folder.name}:back"]
    np.testing.assert_allclose(model.transform(DATA[folder.name]())[:20], codes, rtol=1e-5, atol=1e-6)
    decoded = model.inverse_transform(codes)
    if isinstance(decoded, pd.DataFrame):
        decoded = decoded.select_dtypes("number").to_numpy()
    np.testing.assert_allclose(decoded, back, rtol=1e-5, atol=1e-5)


@every_run
def test_the_report_has_every_section_that_it_had(folder):
    page = pr.report.write_report(folder).read_text(encoding="utf-8")
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert set(json.loads((RUNS / "sections.json").read_text())[folder.name]) <= set(headings)


@pytest.mark.parametrize("folder", ["beta-tcvae-table-7993c120", "gcae-digits-077e13ba"], indirect=True)
def test_an_old_run_can_be_scored_again(folder):
    before = json.loads((folder / "scores.json").read_text())["protocols"]["locatello2019"]["mig"]["score"]
    (folder / "scores.json").unlink()
    found = score(Run.open(folder), metrics=["mig"])
    assert found["protocols"]["locatello2019"]["mig"]["score"] == pytest.approx(before, abs=1e-6)
