"""Pages of thousands of latents: what is shown is bounded, and said to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from blank import blank_figures
from untrained import untrained_run, vectors

from prismae import figures as draw
from prismae.report import write_report
from prismae.report.explorer import explorer
from prismae.report.html import latent_table
from prismae.runs.latents import Latents, grouped
from prismae.runs.run import Run
from prismae.views.latents import statistics


def test_a_page_of_many_latents_has_a_hundred_rows_and_sliders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank_figures(monkeypatch)
    run, _ = untrained_run(tmp_path / "run", vectors(), "mlp:width=8", n_latents=130)
    page = write_report(run.path).read_text(encoding="utf-8")
    assert "the other 30 have no slider" in page
    assert "The other 30 latents tell no more" in page
    assert page.count('<th scope="row">z') == 2 * 100  # what is known of each, and what each changes
    found = explorer(Run.open(run.path))
    assert len(found["latents"]) == 100
    assert {len(found["base"]), *map(len, found["codes"])} == {130}  # an observation's code is the whole code


def test_correlations_are_kept_of_so_many_latents_as_a_file_has_room_for() -> None:
    codes = np.random.default_rng(0).normal(size=(6, 1001))
    assert "correlation" not in statistics(codes)
    assert statistics(codes[:, :1000])["correlation"].shape == (1000, 1000)


def test_latents_that_say_the_same_are_named_up_to_eight_in_a_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = untrained_run(tmp_path / "run", vectors(), "mlp:width=8", n_latents=12)
    run = Run.open(run.path)
    monkeypatch.setattr(Run, "latents", Latents(np.ones(12)))
    run.pictures["correlation"] = np.ones((12, 12))
    assert latent_table(run)[0]["twins"] == "z1, z2, z3, z4, z5, z6, z7, z8 and 3 more"


def test_twins_are_live_and_joined_by_way_of_others() -> None:
    latents = Latents(np.array([1.0, 1, 1, 1, 0]))
    correlation = np.eye(5)
    for i, j in ((0, 2), (2, 3), (1, 4)):  # the last one is dead
        correlation[i, j] = correlation[j, i] = -0.99
    assert grouped(latents.twins(correlation)) == [[0, 2, 3]]
    assert grouped(latents.twins(np.eye(5))) == []


def test_curves_of_a_hundred_latents_are_drawn() -> None:
    figure = draw.latent_curves(np.arange(3), np.ones((3, 120)))
    assert len(figure.axes[0].lines) == 100
    assert figure.axes[0].get_xlabel() == "step; 100 of 120 latents"
