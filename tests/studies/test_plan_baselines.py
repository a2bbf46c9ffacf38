"""Baselines of a plan: which there are, their rows, and their place in tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prismae as pr
from prismae.cli.study import _list
from prismae.evaluation.baselines import linear_codes
from prismae.studies import Plan, study
from prismae.studies.summary import summarise

PLAN = """
title: Baselines
worlds: digits
methods:
  VAE: {method: vae}
  β-TCVAE: {method: beta-tcvae}
seeds: [0, 1]
budget: {steps: 2, batch: 8, net: 'mlp:width=8'}
grid: {n_latents: [2, 3]}
baselines: [pca, ica, untrained]
metrics:
  locatello2019: [mig]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "plan.yaml").write_text(PLAN)
    return Plan.load(tmp_path / "plan.yaml")


def test_each_is_encoded_once_for_each_world_size_and_seed(plan: Plan) -> None:
    found = [(each.arm, each.swept["n_latents"], each.job.seed) for each in plan.baseline_jobs()]
    assert found == [
        *(("PCA", m, 0) for m in (2, 3)),
        *((arm, m, seed) for arm in ("ICA", "untrained") for seed in (0, 1) for m in (2, 3)),
    ]
    assert len({each.job.id for each in plan.baseline_jobs()}) == 10


def test_a_dry_run_lists_them(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Any] = []
    monkeypatch.setattr("prismae.cli.study.answers.print", lambda what, **_: lines.append(what))
    only = ["arm=PCA,ICA", "seed=0", "n_latents=3"]
    for state in ("one encoding", "done"):
        _list(plan, tmp_path, only, 1, 1, "cpu")
        assert [line.partition(":")[0] for line in lines[:2]] == [
            f"{kind} on digits, n_latents 3, seed 0" for kind in ("PCA", "ICA")
        ]
        assert all(line.endswith(f"0 steps, {state}") for line in lines[:2])
        study(plan, tmp_path, only=only, device="cpu")
        lines.clear()


def test_their_rows_stand_beside_the_trainings(plan: Plan, tmp_path: Path) -> None:
    frame = study(plan, tmp_path, only=["arm=pca", "n_latents=3"], device="cpu")
    (row,) = frame.to_dict("records")
    assert (row["arm"], row["method"], row["steps"]) == ("PCA", "pca", 0)
    data = pr.world("digits")
    codes = linear_codes("pca", data, 3)
    expected = pr.evaluate(codes, data, metrics="mig", baselines=False)["mig"].score
    assert row["locatello2019:mig"] == pytest.approx(expected, abs=1e-9)
    assert np.isnan(row["mse"])
    again = study(plan, tmp_path, only=["arm=pca", "n_latents=3"], device="cpu")
    pd.testing.assert_frame_equal(frame, again)
    trained = frame.assign(arm="VAE", method="vae", steps=2, mse=0.5, nats=1.0, likelihood="bernoulli")
    lines = summarise(plan, pd.concat([trained, frame])).lines
    assert [*lines] == [("VAE",), ("PCA",)]  # neither steps nor anything else tells the two apart but the arm


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ("V: {method: vae, grid: {m = n_latents: [2, 3]}}", [{"m": 2}, {"m": 3}]),
        (
            "V: {method: vae, n_latents: 2}, W: {method: ae, n_latents: 3}",
            [{"n_latents": 2}, {"n_latents": 3}],
        ),
        (
            "V: {method: beta-vae, n_latents: 2, grid: {beta: [2, 4], net: ['mlp:width=8', 'mlp:width=9']}}",
            [{}],
        ),
    ],
)
def test_no_two_stand_in_one_line(methods: str, expected: list[dict[str, int]], tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        f"{{title: t, worlds: digits, methods: {{{methods}}}, seeds: [0, 1], budget: {{steps: 2}}, "
        "baselines: [pca, untrained]}"
    )
    found = Plan.load(path).baseline_jobs()
    assert [each.swept for each in found if each.arm == "PCA"] == expected
    untrained = [(each.job.seed, *each.swept.items()) for each in found if each.arm == "untrained"]
    assert len({*untrained}) == len(untrained)
    assert {seed for seed, *_ in untrained} == {0, 1}
