"""What a model that was fitted in Python leaves for the report, and tables in the units of their columns."""

import numpy as np
import pandas as pd
import pytest
from blank import blank_figures

import prismae as pr
from prismae import cli
from prismae.errors import InputError
from prismae.report import write_report
from prismae.runs.run import Run
from prismae.views._units import changes, worst

FAST = {"n_latents": 3, "steps": 10, "batch": 16, "device": "cpu"}


@pytest.mark.parametrize("data", ["table", "series", "images"])
def test_what_is_saved_with_its_observations_has_a_report(tmp_path, data, monkeypatch):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(5e4, 1e3, 60), "kind": rng.choice(["oak", "elm"], 60)})
    X, series = {
        "table": (table, None),
        "series": (1e4 + rng.normal(size=(30, 20, 2)), "channels-last"),
        "images": (rng.integers(0, 256, (30, 9, 9), dtype=np.uint8), None),
    }[data]
    model = pr.Autoencoder("vae", series=series, **FAST).fit(X)
    blank_figures(monkeypatch)  # test_old_runs.py draws those of a model that was saved from Python
    before = write_report(model.save(tmp_path / "bare").path).read_text()
    text = write_report(model.save(tmp_path / "run", X).path).read_text()
    same = write_report(model.save(tmp_path / "world", pr.world(X, series=series)).path).read_text()
    assert "save it with them, model.save(folder, X)" in before
    assert "--full" not in before
    assert "--full" not in text
    assert same.count("<svg") == text.count("<svg")
    assert "explorer-data" in text
    with np.load(tmp_path / "run" / "pictures.npz") as arrays:
        shown = arrays["reconstructions"]
    assert shown.shape[1:] == tuple(model.about_["shape"])
    with pytest.raises(InputError, match="was saved from Python, so its data are not known here"):
        cli.app(["report", str(tmp_path / "run"), "--full"], standalone_mode=False)


def test_the_report_of_a_table_speaks_in_its_units(tmp_path):
    rng = np.random.default_rng(0)
    size = rng.normal(50_000, 1_000, 80)
    table = pd.DataFrame(
        {"kind": np.where(size > 5e4, "oak", "elm"), "size": size, "noise": rng.normal(size=80)}
    )
    given = {
        "n_latents": 2,
        "net": "mlp:width=32",
        "likelihood": "gaussian",
        "steps": 150,
        "batch": 16,
        "lr": 6e-3,
    }
    model = pr.Autoencoder("ae", **given, device="cpu").fit(table)
    run = Run(model.save(tmp_path / "run", table).path).read()
    np.testing.assert_allclose(run.shown.in_units(run.pictures["originals"])[:, 0].mean(), 50_000, atol=1_000)
    found = changes(run)
    assert {row["name"] for row in found} == {"z0", "z1"}
    moved = {column: (low, high) for column, low, high in found[0]["moved"]}
    low, high = sorted(float(value.replace(",", "")) for value in moved["size"])
    assert 45_000 < low < 50_000 < high < 55_000
    assert {value.split(" (")[0] for value in moved["kind"]} == {"oak", "elm"}
    rows = worst(run)
    assert [row["number"] for row in rows] == run.pictures["worst_rows"].tolist()
    kinds = [{c: v for c, v, _ in row["moved"]}["kind"] for row in rows]
    assert kinds == [f"{table.kind[row['number']]} (100\u00a0%)" for row in rows]
