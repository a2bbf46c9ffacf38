"""What a job trains on and what it never sees: options of own data, held-out rows, names of run folders."""

# mypy: disable-error-code="attr-defined"
# what only one kind of data has is asked of worlds here

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from blank import blank_figures
from markupsafe import escape
from PIL import Image

import prismae
from prismae._text import number
from prismae.data import world
from prismae.errors import InputError
from prismae.report import write_report
from prismae.runs.observations import observations, unseen
from prismae.studies import Job, run, score
from prismae.views import view
from prismae.views._subject import Subject

rng = np.random.default_rng(0)
FAST = {"steps": 12, "batch": 8, "n_latents": 2}


@pytest.fixture
def fish(tmp_path: Path) -> Path:
    """A table of 60 fish."""
    sizes = rng.normal(size=60)
    pd.DataFrame(
        {
            "length": 30 + 5 * sizes,
            "weight": 100 + 20 * sizes + rng.normal(size=60),
            "sex": rng.choice(["F", "I", "M"], size=60),
            "pond": rng.integers(0, 3, size=60),
        }
    ).to_csv(tmp_path / "fish.csv", index=False)
    return tmp_path / "fish.csv"


def test_rows_are_held_out_and_measured(fish: Path, tmp_path: Path) -> None:
    job = Job("vae", str(fish), factors=("pond", "sex"), holdout=0.4, **FAST)
    about = asdict(job)
    seen, held = observations(about), unseen(about)
    assert held is not None
    assert (len(seen), len(held), seen.factor_names) == (36, 24, ("pond", "sex"))
    folder = run(job, tmp_path)
    found = score(folder, metrics=["mig"])
    kept = json.loads((folder.path / "job.json").read_text())
    assert (kept["n"], kept["holdout"], kept["factors"]) == (36, 0.4, ["pond", "sex"])
    assert found["unseen"]["n"] == 24
    assert found["unseen"]["reconstruction"]["mse"] != found["reconstruction"]["mse"]
    assert 0 <= found["unseen"]["protocols"]["locatello2019"]["mig"]["score"] <= 1


def test_what_is_held_out_stands_beside_what_is_seen(
    fish: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of observations are rows of the file, and the page says what was held out and how it did there."""
    table = pd.read_csv(fish)
    job = Job("vae", str(fish), factors=("pond",), holdout=0.4, **FAST)
    folder = run(job, tmp_path)
    with np.load(folder.path / "pictures.npz") as arrays:
        drawn = dict(arrays)
    seen = observations(asdict(job))
    for rows, shown in (("worst_rows", "worst"), ("shown_rows", "originals")):
        numbers = drawn[rows]
        back = seen.kind.scheme.to_frame(drawn[shown])
        np.testing.assert_allclose(back["length"], table["length"][numbers], rtol=1e-5)
        assert back["sex"].tolist() == table["sex"][numbers].tolist()
    assert drawn["worst_rows"].max() >= len(seen)  # so numbers of the training part would have been others
    found = score(folder)
    blank_figures(monkeypatch)
    page = write_report(folder.path).read_text().replace("\u00a0", " ")
    assert "Held out of the training: 24 observations, 40 % of the data, drawn at random." in page
    assert f"worst first: {', '.join(map(str, drawn['worst_rows']))} (counted from 0 in the data" in page
    assert f'"observation {drawn["shown_rows"][0]}"' in page
    for value in (found["unseen"]["reconstruction"]["mse"], found["reconstruction"]["nats"]):
        assert f'<td class="n">{number(value)}</td>' in page
    mig = found["unseen"]["protocols"]["locatello2019"]["mig"]["score"]
    assert re.search(rf'>mig</th>\s*<td class="n">[^<]*</td>\s*<td class="n">{number(mig)}</td>', page)
    assert "dci" in found["skipped"]["locatello2019"]
    for reason in found["skipped"]["locatello2019"].values():
        assert f"<td>{escape(reason)}</td>" in page


def test_corners_are_rows_of_the_data(fish: Path, tmp_path: Path) -> None:
    folder = run(Job("vae", str(fish), factors=("pond",), holdout=0.4, **FAST), tmp_path)
    seen = observations(folder.job)
    held_out = sorted(set(range(60)) - set(seen.called.tolist()))
    corners = seen.called[[30, 3, 11, 20]].tolist()
    method, trained = folder.load()
    subject = Subject(method, trained.ae, seen)
    arrays = view("manifold", corners=corners).compute(subject)
    assert arrays["manifold_rows"].tolist() == corners
    np.testing.assert_array_equal(arrays["manifold_corners"], seen.data[torch.tensor([30, 3, 11, 20])])
    for first, words in ((held_out[0], f": {held_out[0]} held out"), (99, "and 59, got 99")):
        with pytest.raises(InputError, match=words):
            view("manifold", corners=[first, *corners[:3]]).compute(subject)


def test_images_of_a_folder_are_called_by_their_paths(tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for i in range(12):
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(
                tmp_path / "pets" / kind / f"{i:02d}.png"
            )
    job = Job("vae", str(tmp_path / "pets"), holdout=0.25, **FAST)
    folder = run(job, tmp_path / "runs")
    with np.load(folder.path / "pictures.npz") as arrays:
        for name, image in zip(arrays["worst_rows"], arrays["worst"], strict=True):
            kept = np.asarray(Image.open(tmp_path / "pets" / str(name))) / 255
            np.testing.assert_allclose(image[0], kept, atol=1e-6)
        first = str(arrays["worst_rows"][0])
    page = write_report(folder.path).read_text()
    assert f"worst first: {first}, " in page
    assert "counted from 0" not in page


def test_the_held_out_part_is_the_same_for_every_seed(fish: Path) -> None:
    parts = [unseen(asdict(Job("vae", str(fish), holdout=0.25, seed=seed, **FAST))) for seed in (0, 1)]
    assert parts[0] is not None
    assert parts[1] is not None
    assert parts[0].data.values.equal(parts[1].data.values)


def test_a_run_on_a_table_gives_tables_back(fish: Path, tmp_path: Path) -> None:
    folder = run(Job("vae", str(fish), factors=("pond",), **FAST), tmp_path)
    kept = json.loads((folder.path / "job.json").read_text())["table"]
    assert kept == observations({"world": str(fish), "factors": ["pond"]}).kind.scheme.to_json()
    model = prismae.load(folder.path)
    table = pd.read_csv(fish).drop(columns="pond")
    back = model.inverse_transform(model.transform(table))
    assert list(back.columns) == ["length", "weight", "sex"]
    assert set(back["sex"]) <= {"F", "I", "M"}
    assert back["length"].between(5, 55).all()


def test_only_the_test_split_of_a_training_set_is_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prismae.runs.observations.world", lambda name, **_: name)
    assert unseen({"world": "mnist"}) == "mnist:test"
    for name in ("mnist:test", "mnist:all", "digits", "celeba", "pulses"):
        assert unseen({"world": name}) is None


def test_names_of_run_folders(tmp_path: Path, fish: Path) -> None:
    assert Job("vae", "mnist:test").id.startswith("vae-mnist-test-")
    with_part = Job("vae", "some/where/things.h5:raw/x").id
    assert with_part.startswith("vae-things-raw-x-")
    assert Job("vae", str(fish)).id.startswith("vae-fish-")


def test_ids_tell_options_and_contents(tmp_path: Path, fish: Path) -> None:
    jobs = [
        Job("vae", str(fish)),
        Job("vae", str(fish), factors=("sex",)),
        Job("vae", str(fish), holdout=0.2),
        Job("vae", str(fish), size=32),
    ]
    assert len({job.id for job in jobs}) == 4
    before = Job("vae", str(fish)).id
    fish.write_text(fish.read_text().replace("F", "M"))
    assert Job("vae", str(fish)).id != before
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("L", (8, 8), 3).save(photos / "a.png")
    before = Job("vae", str(photos)).id
    Image.new("L", (8, 8), 4).save(photos / "a.png")
    assert Job("vae", str(photos)).id != before


def test_ids_of_jobs_without_options_stay_what_they_were() -> None:
    assert Job("vae", "pulses", steps=10_000).id == "vae-pulses-9225de42"


def test_jobs_whose_table_s_defaults_changed_have_other_ids(
    fish: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ids(**settings: Any) -> tuple[str, str]:
        with monkeypatch.context() as patched:
            now = Job("vae", str(fish), steps=10, **settings).id
            patched.setattr("prismae.runs.job._is_array_or_table", lambda world: False)
            return now, Job("vae", str(fish), steps=10, **settings).id

    assert ids(likelihood="gaussian", lr=1e-4)[0] == ids(likelihood="gaussian", lr=1e-4)[1]
    for left_out in ({"lr": 1e-4}, {"likelihood": "gaussian"}, {}):
        now, before = ids(**left_out)
        assert now != before


def test_bad_options() -> None:
    with pytest.raises(InputError, match="holdout"):
        Job("vae", "pulses", holdout=1.0)
    with pytest.raises(InputError, match="World 'digits' has its own factors and name: size can be given"):
        observations({"world": "digits", "size": 8})
    assert len(observations({"world": "digits"})) == len(world("digits"))
