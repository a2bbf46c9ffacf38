"""What a job trains on and what it never sees: options of own data, held-out rows, names of run folders."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import prismae
from prismae.data import world
from prismae.errors import InputError
from prismae.studies import Job, run, score
from prismae.studies.observations import observations, unseen

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


def test_the_held_out_part_is_the_same_for_every_seed(fish: Path) -> None:
    parts = [unseen(asdict(Job("vae", str(fish), holdout=0.25, seed=seed, **FAST))) for seed in (0, 1)]
    assert parts[0] is not None
    assert parts[1] is not None
    assert parts[0].data.values.equal(parts[1].data.values)


def test_a_run_on_a_table_gives_tables_back(fish: Path, tmp_path: Path) -> None:
    folder = run(Job("vae", str(fish), factors=("pond",), **FAST), tmp_path)
    kept = json.loads((folder.path / "job.json").read_text())["table"]
    assert kept == observations({"world": str(fish), "factors": ["pond"]}).table.to_json()
    model = prismae.load(folder.path)
    table = pd.read_csv(fish).drop(columns="pond")
    back = model.inverse_transform(model.transform(table))
    assert list(back.columns) == ["length", "weight", "sex"]
    assert set(back["sex"]) <= {"F", "I", "M"}
    assert back["length"].between(5, 55).all()


def test_only_the_test_split_of_a_training_set_is_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prismae.studies.observations.world", lambda name, **_: name)
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
        Job("vae", str(fish), holdout=0.1),
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
    assert Job("vae", "pulses").id == "vae-pulses-9225de42"


def test_bad_options() -> None:
    with pytest.raises(InputError, match="holdout"):
        Job("vae", "pulses", holdout=1.0)
    with pytest.raises(InputError, match="World 'digits' has its own factors and name: size can be given"):
        observations({"world": "digits", "size": 8})
    assert len(observations({"world": "digits"})) == len(world("digits"))
