"""The figure of evolved weights, and how it is found in a history."""

from pathlib import Path

import numpy as np
import pandas as pd
from made_up import made_up_run

from prismae.figures.canvas import png, svg
from prismae.figures.evolution import evolution
from prismae.report.drawing import draw_all
from prismae.runs.files import HISTORY
from prismae.runs.run import Run

GENERATIONS, SIZE = 3, 4


def history() -> pd.DataFrame:
    """300 steps with a generation after each 100; two weights evolve, and one trial diverged."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"step": range(300), "recon": rng.random(300), "weight:kl": 1.0, "weight:tc": 6.0})
    for name in ("weight:kl", "weight:tc", "fitness", "kl", "recon"):
        for i in range(SIZE):
            frame.loc[[99, 199, 299], f"evolve:{name}[{i}]"] = rng.random(GENERATIONS) + 0.5
    frame.loc[[99, 199, 299], "evolve:rate"] = 1.0
    frame.loc[199, "evolve:fitness[2]"] = -np.inf
    frame.loc[199, "evolve:kl[2]"] = np.nan
    return frame


def evolved(folder: Path) -> Run:
    """A run with this history."""
    path = made_up_run(folder / "run", length=20)
    history().to_parquet(path / HISTORY)
    return Run(path).read()


def test_a_population_is_no_vector_of_latents_and_no_term(tmp_path: Path) -> None:
    run = evolved(tmp_path)
    assert run.logged.vectors == {}
    assert set(run.logged.scalars) == {"recon"}
    assert set(run.logged.population) == {"weight:kl", "weight:tc", "fitness", "kl", "recon"}
    assert run.logged.population["kl"].shape == (300, SIZE)


def test_the_weights_figure_shows_every_trial_that_has_a_value(tmp_path: Path) -> None:
    figure = draw_all(evolved(tmp_path))["weights"]
    upper, second, below = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "weight of kl",
        "weight of tc",
        "KL of each trial, nats; line: the rate 1",
    ]
    dots = [sum(len(each.get_offsets()) for each in axes.collections) for axes in figure.axes]  # type: ignore[misc]
    assert dots == [GENERATIONS * SIZE, GENERATIONS * SIZE, GENERATIONS * SIZE - 1]
    assert (upper.get_yscale(), second.get_yscale(), below.get_yscale()) == ("log", "log", "linear")
    assert png(figure).startswith(b"\x89PNG")


def test_the_fittest_of_each_generation_is_filled() -> None:
    tried = np.array([[1.0, 2.0, 4.0], [2.0, 1.0, 3.0]])
    fitness = np.array([[0.0, 5.0, 1.0], [-np.inf, -2.0, -1.0]])
    steps = np.arange(20)
    weight = np.ones(20)
    figure = evolution(steps, {"kl": weight}, np.array([9, 19]), {"kl": tried}, fitness, tried, 2.0)
    _, filled = figure.axes[0].collections
    np.testing.assert_array_equal(filled.get_offsets(), [[9, 2.0], [19, 3.0]])
    assert "line: the rate 2" in svg(figure)
