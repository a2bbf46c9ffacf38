"""`prismae plot` and `prismae table` from a file of rows: the page, its pictures, and what they refuse."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

from prismae.cli import app
from prismae.cli._app import Speaker
from prismae.errors import InputError
from prismae.figures.studies import seed_bars, swept_curves

PLAN = """
title: Two methods
worlds: digits
methods:
  VAE: {method: vae}
  β-VAE: {method: beta-vae, grid: {β = beta: [2.0, 4.0]}}
seeds: [0, 1]
metrics: {yeats2023: [mig, sap]}
published: {source: a paper, scores: ["yeats2023:mig"], rows: {VAE: [0.3]}}
"""
MIG, SAP = "yeats2023:mig", "yeats2023:sap"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A plan and rows of it."""
    plan, rows = tmp_path / "two.yaml", tmp_path / "two.csv"
    plan.write_text(PLAN)
    pd.DataFrame(
        {
            "arm": arm, "method": "vae", "world": "digits", "seed": seed, "β": beta, "steps": 10, "mse": 0.1,
            "nats": 3.0, MIG: 0.1 * (seed + 1), f"{MIG}:chance": 0.05, SAP: 0.4, "seconds": 1.0, "machine": "m",
            "precision": "32", "prismae": "0", "run": f"{arm}{beta}{seed}",
        }
        for arm, beta in (("VAE", None), ("β-VAE", 2.0), ("β-VAE", 4.0))
        for seed in (0, 1)
    ).to_csv(rows, index=False)  # fmt: skip
    return plan, rows


def test_a_terminal_has_columns_that_line_up_and_a_pipe_markdown(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["table", str(files[0]), "--rows", str(files[1])]
    markdown = CliRunner().invoke(app, words).output
    assert "| VAE |  | 2 | **0.150 ± 0.071** | 0.300 | 0.400 ± 0.000 |" in markdown
    screen = Speaker(file=io.StringIO(), force_terminal=True, color_system=None, width=60)
    monkeypatch.setattr("prismae.cli.table.answers", screen)
    assert not CliRunner().invoke(app, words, catch_exceptions=False).output
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    heads = [line.split() for line in shown.splitlines() if line.startswith("arm")]
    assert heads[:2] == [["arm", "β", "seeds", "mig", "published"], ["arm", "β", "seeds", "sap"]]
    assert re.search(r"^VAE +2   0\.150 ± 0\.071 +0\.300$", shown, re.MULTILINE)
    assert "|" not in shown
    assert max(map(len, shown.splitlines())) <= 60
    assert CliRunner().invoke(app, [*words, "--format", "markdown"]).output == markdown


def plot(*words: object, catch: bool = True):
    return CliRunner().invoke(app, ["plot", *map(str, words)], catch_exceptions=catch)


def test_what_is_drawn_lies_beside_the_runs_unless_told(files: tuple[Path, Path], tmp_path: Path) -> None:
    plan, rows = files
    found = plot(plan, "--rows", rows, "--out", tmp_path / "kept")
    assert found.exit_code == 0, found.output
    folder = tmp_path / "kept" / "figures"
    assert f"page: {folder / 'two.default.html'}" in found.output
    for picture in folder.glob("*.png"):
        assert f"picture: {picture}\n" in found.output
    assert len([*folder.iterdir()]) == 3


@pytest.mark.parametrize("over", [(), ("--over", "β")])
def test_a_page_and_a_picture_for_each_protocol(files: tuple[Path, Path], tmp_path: Path, over) -> None:
    plan, rows = files
    found = plot(plan, "--rows", rows, "--to", tmp_path / "out", *over)
    assert found.exit_code == 0, found.output
    pages = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert pages == ["two.default.html", "two.default.reconstruction.png", "two.default.yeats2023.png"]
    with Image.open(tmp_path / "out" / "two.default.yeats2023.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 5  # something is drawn
    page = (tmp_path / "out" / "two.default.html").read_text().replace("\u00a0", " ")
    assert all(
        text in page for text in ("Two methods", "0.150 ± 0.071", "shuffled codes (chance)", "chance<")
    )
    assert "neither is better" in page  # of yeats2023's SAP
    assert "lower is better" in page  # of the errors


def test_trainings_that_went_wrong_stand_before_the_scores(files: tuple[Path, Path], tmp_path: Path) -> None:
    plan, rows = files
    frame = pd.read_csv(rows)
    broken = (frame["arm"] == "VAE") & (frame["seed"] == frame["seed"].max())
    frame["warnings"] = np.where(broken, "The codes have collapsed: none tells anything.", "")
    failed = {"run": "0", "seed": 9, "warnings": "The training failed: kl became nan at step 7."}
    frame = pd.concat([frame, frame[["arm", "method", "world", "steps"]][:1].assign(**failed)])
    frame.to_csv(rows, index=False)
    assert plot(plan, "--rows", rows, "--to", tmp_path, "--format", "svg").exit_code == 0
    page = (tmp_path / "two.default.html").read_text().replace("\u00a0", " ")
    said = f"The codes have collapsed in {broken.sum()} of {frame['run'].nunique()} runs: VAE (seed"
    assert said in page
    assert f"The training failed in 1 of {frame['run'].nunique()} runs: VAE (seed 9)" in page
    assert page.index(said) < page.index("<h2>")


def test_arms_without_a_score_have_no_empty_bar(files: tuple[Path, Path], tmp_path: Path) -> None:
    plan, rows = files
    frame = pd.read_csv(rows)
    frame.loc[frame["β"] == 4, ["mse", "nats"]] = np.nan  # as principal components have none
    frame.to_csv(rows, index=False)
    assert plot(plan, "--rows", rows, "--to", tmp_path, "--format", "svg").exit_code == 0
    assert "β-VAE, β 4" not in (tmp_path / "two.default.reconstruction.svg").read_text()
    assert "β-VAE, β 4" in (tmp_path / "two.default.yeats2023.svg").read_text()
    assert "6 s in all" in (tmp_path / "two.default.html").read_text().replace("\u00a0", " ")


def test_pictures_of_other_formats_and_widths(files: tuple[Path, Path], tmp_path: Path) -> None:
    plan, rows = files
    words = (plan, "--rows", rows, "--to", tmp_path / "out")
    found = plot(*words, "--format", "svg,pdf,png", "--width", "4", "--dpi", "50")
    assert found.exit_code == 0, found.output
    start = tmp_path / "out" / "two.default.yeats2023"
    with Image.open(start.with_suffix(".yeats2023.png")) as picture:
        assert picture.width == 200
    assert f'width="{4 * 72}pt"' in start.with_suffix(".yeats2023.svg").read_text()
    page = rf"/MediaBox \[ 0 0 {4 * 72} [\d.]+ \]".encode()
    assert re.search(page, start.with_suffix(".yeats2023.pdf").read_bytes())
    with pytest.raises(InputError, match="Unknown format 'jpg': did you mean 'png'"):
        plot(*words, "--format", "jpg", catch=False)


def test_what_cannot_be_drawn(files: tuple[Path, Path], tmp_path: Path) -> None:
    plan, rows = files
    for words, sentence in (
        (("--rows", rows, "--over", "beta"), "Unknown setting that varies 'beta': expected one of β."),
        (("--rows", tmp_path / "none.csv"), "There is no file of rows"),
        (
            ("--out", tmp_path / "none"),
            f"None of the runs of two, profile default, is done in '{tmp_path / 'none'}'",
        ),
    ):
        found = plot(plan, "--to", tmp_path, *words)
        assert isinstance(found.exception, InputError)
        assert sentence in str(found.exception)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (MIG, "x", f"column {MIG} has values that are no numbers"),
        ("mse", "0.1inf", "column mse has values that are no numbers"),
        ("seed", "first", "column seed has values that are no numbers"),
        ("run", "a,b", "its lines have more values than columns have names"),
    ],
)
def test_rows_that_are_damaged_are_one_sentence(name, value, sentence, files: tuple[Path, Path]) -> None:
    plan, rows = files
    frame = pd.read_csv(rows, dtype=str)
    frame[name] = value
    rows.write_text(
        "\n".join(",".join(line) for line in [frame.columns, *frame.fillna("").to_numpy()]) + "\n"
    )
    for command in ("table", "plot", "select"):
        words = [command, plan, "--rows", rows, *(["--by", "mig"] if command == "select" else [])]
        found = CliRunner().invoke(app, list(map(str, words)))
        assert isinstance(found.exception, InputError)
        assert f"{rows} is damaged: {sentence}." in str(found.exception)


def test_bars_stand_at_the_means_and_marks_where_they_belong() -> None:
    scores = {"mig": {"a": [0.1, 0.3], "b": [0.4]}, "sap": {"a": [0.2]}}
    mig, sap = panels(
        seed_bars(
            scores, {"mig": {"a": (0.25, 0.1), "b": (0.35, None)}}, {"mig": 0.05}, {"sap": "lower is better"}
        )
    )
    assert [bar.get_width() for bar in mig.patches] == pytest.approx([0.2, 0.4])  # type: ignore[attr-defined]
    marks = {line.get_xdata()[0] for line in mig.lines if len(set(line.get_xdata())) == 1}
    assert {0.25, 0.35, 0.05} <= marks  # published, chance
    spread = np.std([0.1, 0.3], ddof=1)
    ends = [line[:, 0] for each in mig.collections for line in each.get_segments()]  # type: ignore[attr-defined]
    np.testing.assert_allclose(
        ends, [[0.2 - spread, 0.2 + spread], [0.15, 0.35]]
    )  # of the seeds, and published
    assert (mig.get_xlabel(), mig.get_title("left")) == ("score", "mig")
    assert len(sap.patches) == 1
    assert 0.05 not in {line.get_xdata()[0] for line in sap.lines}
    assert sap.get_xlabel() == "score · lower is better"


def test_curves_go_through_the_means_over_seeds() -> None:
    (axes,) = panels(
        swept_curves("σ", {"mig": {"a": (np.array([1, 2]), [[0.1, 0.3], [0.4]])}}, {"mig": 0.05})
    )
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.2, 0.4])
    assert list(axes.lines[-1].get_ydata()) == [0.05, 0.05]
    assert axes.get_xlabel() == "σ"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]


def test_curves_have_published_marks_with_their_deviation() -> None:
    curves = {"p:mig": {"a": (np.array([1, 32]), [[0.1, 0.3], [0.4]])}}
    published = {"p:mig": {"a": {32: (0.5, 0.1), 1: (0.2, None)}}}
    (axes,) = panels(swept_curves("σ", curves, None, {"p:mig": "lower is better"}, published))
    marks = [
        (float(np.ravel(line.get_xdata())[0]), float(np.ravel(line.get_ydata())[0]))
        for line in axes.lines
        if line.get_marker() == "_" and np.size(line.get_xdata()) == 1
    ]
    assert {(32, 0.5), (1, 0.2)} <= set(marks)
    spans = [each.get_segments()[0][:, 1] for each in axes.collections if hasattr(each, "get_segments")]
    np.testing.assert_allclose(spans, [[0.4, 0.6]])
    assert (axes.get_title("left"), axes.get_ylabel()) == ("mig", "score · p · lower is better")
    assert axes.get_xscale() == "log"


def test_panels_as_a_paper_has_them(files: tuple[Path, Path], tmp_path: Path) -> None:
    plan, rows = files
    words = (plan, "--rows", rows, "--to", tmp_path, "--over", "arm", "--scores")
    assert plot(*words, f"{SAP},{MIG}", "--dpi", "50").exit_code == 0
    with Image.open(tmp_path / "two.default.scores.png") as picture:
        assert picture.width == 450
    assert not (tmp_path / "two.default.html").exists()
    with pytest.raises(InputError, match="Unknown score of this plan 'yeats2023:mib': did you mean"):
        plot(*words, "yeats2023:mib", catch=False)


def test_settings_that_are_words_stand_side_by_side() -> None:
    rules = np.array(["ema", "literal"], dtype=object)
    (axes,) = panels(swept_curves("noise rule", {"mig": {"a": (rules, [[0.1], [0.4]])}}))
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ema", "literal"]


def panels(figure: Figure) -> list[Axes]:
    return figure.get_axes()


@pytest.mark.parametrize(("level", "drawn"), [(0.0, True), (1.5, True), (98.2, False)])
def test_a_level_of_chance_far_from_all_scores_is_a_number(level: float, drawn: bool) -> None:
    scores = {"clustering:davies-bouldin": {"a": [1.0, 1.2], "b": [2.0, 2.2]}}
    curves = {"clustering:davies-bouldin": {"a": (np.array([1, 2]), [[1.0, 1.2], [2.0, 2.2]])}}
    chance = dict.fromkeys(scores, level)
    bars, swept = seed_bars(scores, {}, chance).axes[0], swept_curves("n", curves, chance).axes[0]
    for axes, axis in ((bars, "x"), (swept, "y")):
        assert ("chance 98.2" in getattr(axes, f"get_{axis}label")()) is not drawn
        assert getattr(axes, f"get_{axis}lim")()[1] < 10
        key = [text.get_text() for text in axes.figure.legends[0].get_texts()]
        assert ("chance" in key) is drawn
