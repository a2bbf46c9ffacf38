"""`prismae picture`, `prismae report --full` and `prismae fit --seeds`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from blank import blank_figures
from commands import printed as command
from PIL import Image


def test_seeds_then_pictures_then_the_full_report(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32))
    size = [
        "--steps",
        4,
        "--batch",
        8,
        "--latents",
        3,
        "--series",
        "channels-first",
        "--out",
        tmp_path / "runs",
    ]
    code, out, err = command(capfd, "fit", "ae", tmp_path / "mine.npy", *size, "--seeds", 2)
    assert code == 0, err
    assert "stability over seeds" in out
    folder = next(path for path in (tmp_path / "runs").iterdir() if (path / "stability.json").exists())
    assert json.loads((folder / "stability.json").read_text())["seeds"] == [0, 1]

    code, out, err = command(capfd, "picture", folder, "--kind", "manifold", "--corners", "0,1,2,3")
    assert code == 0, err
    with np.load(folder / "pictures.npz") as arrays:
        assert arrays["manifold_rows"].tolist() == [0, 1, 2, 3]
    with Image.open(folder / "figures" / "manifold.png") as picture:
        assert picture.width > 500

    blank_figures(monkeypatch)
    code, out, err = command(capfd, "report", folder)
    assert code == 0, err
    assert "Not computed for this run: the t-SNE of the codes" in (folder / "report.html").read_text()
    code, out, err = command(capfd, "report", folder, "--full")
    assert code == 0, err
    page = (folder / "report.html").read_text()
    assert "Not computed for this run" not in page
    assert "The same fit with seeds 0, 1" in page

    for words, message in (
        (["samples"], "ae has no prior, so no codes can be drawn from it."),
        (["manifold", "--corners", "0,1,2"], "four numbers of observations between 0 and 49"),
        (["manifold", "--corners", "0,1,2,x"], "expected four numbers, as in --corners 0,10,20,30"),
        (["clusters", "--points", "20"], "--points to --kind tsne"),
        (["tsne", "--factor", "label"], "no factors are known for this data"),
    ):
        code, _, err = command(capfd, "picture", folder, "--kind", *words)
        assert code == 2
        assert message in " ".join(err.split())
    code, _, err = command(capfd, "fit", "ae", tmp_path / "mine.npy", *size, "--seeds", 0)
    assert (code, "Invalid value for '--seeds'" in err) == (2, True)
