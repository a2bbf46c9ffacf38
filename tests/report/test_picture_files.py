"""`write_picture`: each kind, for each kind of data, as a file; and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from blank import blank_figures
from made_up import made_up_run
from PIL import Image
from untrained import channels, images, series, untrained_run, vectors

from prismae._text import brief
from prismae.errors import InputError
from prismae.report import explorer, write_picture, write_report
from prismae.report.findings import findings
from prismae.runs.run import Run
from prismae.runs.verdict import Finding, Verdict
from prismae.views import add_views

KINDS = ("reconstructions", "worst", "traversals", "effects", "manifold", "samples", "clusters", "tsne")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    made = {
        "images": (images(), "conv"), "series": (series(), "conv1d"), "table": (vectors(), "mlp"),
        "channels": (channels(), "conv1d"),
    }  # fmt: skip
    folders = {}
    for kind, (data, net) in made.items():
        folder, _ = untrained_run(root / kind, data, net)
        add_views(folder, ["tsne"], data, points=20)
        folders[kind] = folder.path
    return folders


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", ["images", "series", "channels", "table"])
def test_every_kind_of_picture(folders: dict[str, Path], data: str, kind: str) -> None:
    if (data, kind) == ("table", "manifold"):
        with pytest.raises(InputError, match="Tables have no picture of kind 'manifold'"):
            write_picture(folders[data], kind)
        return
    path = write_picture(folders[data], kind)
    assert path == folders[data] / "figures" / f"{kind}.png"
    with Image.open(path) as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 5


def test_tsne_is_coloured_by_the_factor(folders: dict[str, Path], tmp_path: Path) -> None:
    default = write_picture(folders["images"], "tsne", tmp_path / "a.svg").read_text()
    named = write_picture(folders["images"], "tsne", tmp_path / "b.svg", factor="label").read_text()
    other = write_picture(folders["images"], "tsne", tmp_path / "c.svg", factor="size").read_text()
    assert default == named != other
    with pytest.raises(InputError, match="did you mean 'label'"):
        write_picture(folders["images"], "tsne", factor="labl")
    with pytest.raises(InputError, match="no factors are known"):
        write_picture(folders["series"], "tsne", factor="label")
    with pytest.raises(InputError, match="colours a t-SNE only"):
        write_picture(folders["images"], "clusters", factor="label")


def test_clusters_say_where_they_come_from(folders: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("images", "series", "table"):
        assert (
            "k-means of the codes, k = 10"
            in write_picture(folders[kind], "clusters", tmp_path / "a.svg").read_text()
        )


@pytest.mark.parametrize("data", ["images", "channels"])
def test_animation_goes_there_and_back(folders: dict[str, Path], tmp_path: Path, data: str) -> None:
    with Image.open(write_picture(folders[data], "gif", tmp_path / "a.gif")) as picture:
        assert picture.n_frames == 20  # type: ignore[attr-defined]  # 11 there, 9 back
        assert picture.info["loop"] == 0
        frames = []
        for step in (0, 1, 10, 19):
            picture.seek(step)
            frames.append(np.asarray(picture.convert("RGB")).astype(int))
    assert np.abs(frames[0] - frames[2]).max() > 30
    np.testing.assert_array_equal(frames[1], frames[3])


def test_channels_have_lanes_with_their_ranges_in_the_data_s_units(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    text = write_picture(folders["channels"], "reconstructions", tmp_path / "a.svg").read_text()
    shown = channels().kind.scheme.in_units(np.load(folders["channels"] / "pictures.npz")["originals"])
    high = brief(float(shown[:, 1].max()))
    assert 10_500 < shown[:, 1].max() < 13_000
    assert all(part in text for part in ("channel 1", "channel 3", f"to {high}"))


def test_channels_that_have_names_are_called_by_them(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = rewritten(folders["channels"], tmp_path / "named")
    job = json.loads((named / "job.json").read_text())
    job["channels"]["names"] = ["pressure", "flow", "a name that is far too long"]
    (named / "job.json").write_text(json.dumps(job))
    for kind in ("reconstructions", "traversals", "effects"):
        text = write_picture(named, kind, tmp_path / f"{kind}.svg").read_text()
        assert all(part in text for part in ("pressure", "flow", "a name t…oo long")), kind
        assert "channel 1" not in text
    blank_figures(monkeypatch)  # so that it is the page that says it
    assert "pressure" in write_report(named).read_text()


def test_what_pictures_refuse(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Unknown kind of picture 'tsn'"):
        write_picture(folders["images"], "tsn")
    with pytest.raises(InputError, match=r"is a \.png, \.svg, \.pdf file, got 'a\.jpg'"):
        write_picture(folders["images"], "clusters", tmp_path / "a.jpg")
    with pytest.raises(InputError, match="take --kind traversals for a table"):
        write_picture(folders["table"], "gif")
    old = made_up_run(tmp_path / "old", length=20, logged=20)
    with pytest.raises(
        InputError, match=r"holds no effects: `prismae picture .* --kind effects` computes them"
    ):
        write_picture(old, "effects")


def test_old_runs_say_what_they_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blank_figures(monkeypatch)
    folder = made_up_run(tmp_path / "old", length=40, logged=20)
    notes = [finding for finding in findings(Run(folder).read()) if "earlier version" in finding.text]
    assert [note.command for note in notes] == [f"prismae report {folder} --full"]
    text = write_report(folder).read_text()
    assert "Sliders that combine are not on this page: the run was made before" in text
    assert (
        "Not computed for this run: what lies between four observations, clusters, the t-SNE of the codes"
        in text
    )


def rewritten(folder: Path, copy: Path, **arrays: np.ndarray) -> Path:
    """A copy of a run folder with other arrays in its pictures.npz, to be altered by hand: without its manifest."""
    copy.mkdir()
    for path in folder.iterdir():
        if path.is_file() and path.name != "manifest.json":
            (copy / path.name).write_bytes(path.read_bytes())
    with np.load(copy / "pictures.npz") as found:
        np.savez(copy / "pictures.npz", **(dict(found) | arrays))
    return copy


def test_the_verdict_and_saturated_codes_are_warned_of(folders: dict[str, Path], tmp_path: Path) -> None:
    at_ends = np.array([0.6, 0.1, 0.9, 0.2])
    folder = rewritten(folders["series"], tmp_path / "run", at_ends=at_ends)
    said = Finding("duplicated", "Latents say the same as others: z0, z1 and z3.", settings={"n_latents": 1})
    verdict = Verdict([1.0, 2.0, 0.01, 1.0], [1.0] * 4, findings=[said])  # z2 is dead
    (folder / "verdict.json").write_text(json.dumps(verdict.to_json()))
    texts = " ".join(each.text for each in findings(Run(folder).read()) if each.kind == "warning")
    assert "z0, z1 and z3. Fit again with --latents 1." in texts
    assert "At an end of their range for most observations: z0 (60\u00a0%)." in texts


def test_numbers_far_from_zero_are_shown_as_they_were_given(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank_figures(monkeypatch)
    folder = rewritten(folders["table"], tmp_path / "far")
    job = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(job | {"offset": 1e6}))
    run = Run(folder).read()
    np.testing.assert_allclose(run.shown.in_units(run.pictures["originals"]), run.pictures["originals"] + 1e6)
    page = write_report(folder).read_text()
    data = json.loads(re.search(r'id="explorer-data">(.*?)</script>', page, re.DOTALL)[1])
    assert [feature[3:] for feature in data["features"]] == [[1.0, 1e6]] * 6


def test_large_decoders_fall_back_to_single_sliders(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    blank_figures(monkeypatch)
    monkeypatch.setattr(explorer, "LIMIT", 1000)
    text = write_report(folders["images"]).read_text()
    assert "MB as float16, more than 0 MB" in text
    assert "explorer-data" not in text
    assert "player-data" in text


def test_unknown_layers_fall_back_and_damage_is_named(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank_figures(monkeypatch)
    folder = rewritten(folders["images"], tmp_path / "run")
    (folder / "decoder.json").write_text('{"layers": [{"kind": "LSTM"}]}')
    assert "the page cannot compute the decoder&#39;s layer LSTM" in write_report(folder).read_text()
    (folder / "decoder.json").write_text("{")
    with pytest.raises(InputError, match=r"decoder\.json is damaged"):
        write_report(folder)
    (folder / "decoder.json").write_text(
        '{"layers": [{"kind": "linear", "weight": "ae.nothing", "bias": null}]}'
    )
    with pytest.raises(InputError, match=r"does not fit decoder\.json"):
        write_report(folder)


def test_shapes_that_do_not_fit_are_named(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = rewritten(folders["series"], tmp_path / "run", clusters=np.ones((2, 37)))
    with pytest.raises(InputError, match=r"clusters .* does not fit cluster_sizes"):
        write_report(folder)


def test_wide_tables_show_their_columns_of_the_largest_values(tmp_path):
    folder, _ = untrained_run(tmp_path / "wide", vectors(d=200), "mlp:width=16")
    shown = ["reconstructions", "effects", "samples", "clusters"]
    add_views(folder, shown, vectors(d=200))
    for kind in shown:
        text = write_picture(folder.path, kind, tmp_path / f"{kind}.svg").read_text()
        assert "40 of 200 columns" in text
        assert len(set(re.findall(r">x(\d+)<", text))) == 40
