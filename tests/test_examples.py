"""Every script in examples/ runs, with a small budget, and does what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
SMALL = {
    *("own_counts", "own_images", "own_recording", "own_study", "own_table", "own_texts"),
    *("new_method", "pipeline_and_grid", "score_any_codes"),
}


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_example_is_tested_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == SMALL


def test_any_codes_are_scored_and_the_factors_win() -> None:
    found = example("score_any_codes").main(n=2000)
    assert found["the factors"] > max(found["PCA"], found["ICA"]) + 0.3


def test_a_new_method_trains_and_observes_its_rate() -> None:
    assert 0 < example("new_method").main(steps=60) < 20


def test_a_pipeline_is_searched() -> None:
    assert example("pipeline_and_grid").main(steps=15) > 0.3


def test_a_table_gives_latents_that_follow_its_columns() -> None:
    together = example("own_table").main(steps=60)
    assert together.shape == (4, 4)
    assert together.abs().max().max() > 0.3


def test_codes_of_counts_tell_what_is_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("own_counts")
    cells = module.cells
    monkeypatch.setattr(module, "cells", lambda: cells(n=300, genes=30))
    told = module.main(steps=100)
    assert set(told) == {"poisson", "columns"}
    assert min(told.values()) > 0.1


def test_a_folder_of_images_becomes_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("own_images")
    draw = module.draw
    monkeypatch.setattr(module, "draw", lambda folder: draw(folder, n=64))
    report = module.main(steps=20, folder=tmp_path)
    assert (tmp_path / "discs" / "0063.png").is_file()
    assert not (tmp_path / "discs" / "0064.png").exists()
    assert report.is_file()
    assert "<html" in report.read_text()[:500]


def test_recordings_are_cut_into_windows(tmp_path: Path) -> None:
    found = example("own_recording").main(steps=3, folder=tmp_path)
    assert (found["sound"].shape, found["sound"].kind.rate) == ((250,), 250)
    assert (found["leads"].shape, len(found["leads"])) == ((12, 500), 239)


def test_a_study_is_a_table_of_two_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("own_study")
    monkeypatch.setattr(
        module, "PLAN", module.PLAN.replace("[0, 1, 2]", "[0]").replace("[pca, ica]", "[pca]")
    )
    rows = module.main(steps=5, folder=tmp_path)
    assert sorted(rows["arm"]) == ["PCA", "VAE", "β-TCVAE"]
    assert rows["locatello2019:mig"].notna().all()


def test_sentences_are_written_again(tmp_path: Path) -> None:
    assert 0 <= example("own_texts").main(steps=3, folder=tmp_path) < 1
