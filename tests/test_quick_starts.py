"""What README and the pages for a start tell people to type gives codes that hold something."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_iris
from typer.testing import CliRunner

from prismae.cli import app
from prismae.runs.run import Run

ROOT = Path(__file__).parents[1]
LOST = {"collapsed", "diverged", "unlearned", "weak"}
COMMANDS = [
    "fit vae digits --lr 1e-3 --steps 600",
    "fit beta-tcvae measurements.csv -p beta=3",
    "fit beta-tcvae iris.csv -p beta=3",
    "fit vae sensors.npy --series channels-last --lr 1e-3",
    "fit vae photos/ --lr 1e-3",
    "fit ed-gcae pulses --steps 2000 -p sigma_max=0.4 --seed 0",
]
ELSEWHERE = {"fit beta-tcvae iris.csv -p beta=3"}  # another table for a command that is shown


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a table of penguins' kind, flowers, series of four sensors and small photos."""
    rng = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    load_iris(as_frame=True).data.to_csv("iris.csv", index=False)
    kind, size = rng.integers(3, size=344), rng.normal(size=344)
    table = {
        "species": np.array(["Adelie", "Chinstrap", "Gentoo"])[kind],
        "island": np.array(["Biscoe", "Dream", "Torgersen"])[(kind + (rng.random(344) < 0.2)) % 3],
        "bill": np.array([39, 49, 47])[kind] + 2.5 * size + rng.normal(size=344),
        "depth": np.array([18.3, 18.4, 15])[kind] + 0.8 * size + 0.5 * rng.normal(size=344),
        "flipper": np.array([190, 196, 217])[kind] + 5 * size + 3 * rng.normal(size=344),
        "mass": np.array([3700, 3733, 5076])[kind] + 350 * size + 150 * rng.normal(size=344),
        "sex": np.where(size + 0.5 * rng.normal(size=344) > 0, "male", "female"),
    }
    pd.DataFrame(table).to_csv("measurements.csv", index=False)
    t, (speed, wide) = np.linspace(0, 1, 128), rng.random((2, 400, 1)) + 0.5
    drift = 0.5 * rng.normal(size=(400, 1))
    turn = 4 * np.pi * speed * t
    sensors = [wide * np.sin(turn), wide * np.cos(turn) + drift, drift + 0.3 * t * wide, speed + 0 * t]
    np.save("sensors.npy", np.stack(sensors, -1) + 0.05 * rng.normal(size=(400, 128, 4)))
    Path("photos").mkdir()
    rows, columns = np.mgrid[:32, :32]
    for i in range(300):
        away = np.hypot(columns - rng.uniform(8, 24), rows - rng.uniform(8, 24))
        disc = np.clip(rng.uniform(3, 8) - away + 0.5, 0, 1)[..., None]
        ground, colour = 0.3 * rng.random(), 0.3 + 0.7 * rng.random(3)
        Image.fromarray((255 * (ground + (colour - ground) * disc).clip(0, 1)).astype("u1")).save(
            f"photos/{i:03}.png"
        )
    return tmp_path


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in ELSEWHERE])
def test_the_command_is_shown(command):
    pages = [ROOT / "README.md", ROOT / "docs" / "index.md", ROOT / "docs" / "start" / "own_data.md"]
    shown = [" ".join(line.split()) for page in pages for line in page.read_text().splitlines()]
    assert any(line.startswith(f"prismae {command}") for line in shown)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_quick_start_does_not_collapse(command, files):
    done = CliRunner().invoke(app, [*shlex.split(command), "--no-evaluate", "--out", str(files / "runs")])
    assert done.exit_code == 0, done.output
    (folder,) = (files / "runs").iterdir()
    verdict = Run.open(folder).verdict
    assert verdict is not None
    assert not verdict.collapsed
    assert LOST.isdisjoint(each.name for each in verdict.findings)
