"""REPRODUCTION.md: every table of the papers is there, and rows that are not are named."""

from __future__ import annotations

import runpy
from pathlib import Path

import pandas as pd

PLANS = Path(__file__).parents[2] / "plans"
page = runpy.run_path(str(PLANS / "reproduction.py"))["page"]

TEXT = """
title: "ED-GCAE, Table 9"
worlds: {digits: null, pulses: null}
methods: {VAE: {method: vae}, β-VAE: {method: beta-vae, grid: {β = beta: [2, 4.0]}}}
seeds: [0, 1, 2]
budget: {steps: 40}
metrics: {locatello2019: [mig]}
profiles: {paper: {}, small: {seeds: [0]}}
"""
ROW = {"method": "-", "steps": 40, "mse": 0.1, "nats": 3.0, "locatello2019:mig": 0.25}
ABOUT = {"seconds": 36.0, "machine": "a CPU", "run": "of another length"}


def row(arm, world, seed, beta=None):
    return {"arm": arm, "world": world, "seed": seed, "β": beta} | ROW | ABOUT


def test_every_table_and_figure_with_numbers_has_its_section(tmp_path):
    written = page(PLANS, tmp_path)
    shown = [f"ED-GCAE, Table {i}:" for i in (1, 2, 3)] + [f"ED-GCAE, Figure {i}:" for i in (2, 3)]
    shown += [f"HGMVAE, Table {i}:" for i in range(1, 6)] + [
        f"eVAE on {what}" for what in ("dSprites", "faces")
    ]
    for title in shown:
        assert f"\n### {title}" in written
    for plan in PLANS.glob("*_*.yaml"):
        assert f"\n| {plan.stem} | small | 0 of " in written
    assert " h on " not in written  # hours on a machine


def test_a_page_of_incomplete_rows_says_which_are_there(tmp_path):
    (tmp_path / "ed_gcae_table9.yaml").write_text(TEXT)
    found = [row("VAE", "digits", seed) for seed in (0, 2)]
    found += [row("β-VAE", "digits", seed, beta) for seed in (0, 1, 2) for beta in (2.0, 4.0)]
    found += [row("VAE", "mnist", 0), row("β-VAE", "digits", 0, 8.0)]  # of an older form of the plan
    pd.DataFrame(found).to_csv(tmp_path / "ed_gcae_table9.paper.csv", index=False)
    written = page(tmp_path, tmp_path)
    assert "| ed_gcae_table9 | paper | 8 of 18 | 40 steps; 0.1 h on a CPU |" in written
    assert (
        "**Profile paper: 8 of 18 jobs.** Rows: digits: VAE (seeds 0, 2); digits, β 2: β-VAE (seeds 0 to 2); "
        "digits, β 4: β-VAE (seeds 0 to 2). Not run: pulses: VAE (seeds 0 to 2); pulses, β 2: β-VAE (seeds 0 to 2); "
        "pulses, β 4: β-VAE (seeds 0 to 2); digits: VAE (seed 1). "
        "Left out: 2 rows of jobs that the plan does not have."
    ) in written
    assert "| VAE |  | 2 | **0.250 ± 0.000** |" in written
    assert "**Profile small: not run** (6 jobs)." in written
