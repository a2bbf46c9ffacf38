"""A run as a folder to share: read again by everything, to the bit, and without what is not to be shared."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from commands import command

import prismae as pr
from prismae._version import __version__
from prismae.errors import InputError
from prismae.export import to_hub
from prismae.methods.vae import VAE

ROOT = Path(__file__).parents[1]
FAST = {"n_latents": 3, "steps": 2, "batch": 16, "device": "cpu"}
DRAWS = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"size": [1.5, np.nan, 2.5, 0.5] * 10, "weight": DRAWS.normal(size=40), "kind": ["a", "b"] * 20}
)
GIVEN = {
    "images": ("beta-vae", DRAWS.integers(0, 256, (30, 8, 8), dtype=np.uint8), {}),
    "table": ("vae", TABLE, {}),
    "series": ("vae", DRAWS.normal(5.0, 2.0, (30, 2, 20)), {"series": "channels-first"}),
    "critic": (
        pr.method("ed-gcae", critic_warmup=0, critic_width=8, n_nodes=4),
        DRAWS.normal(size=(40, 6)),
        {},
    ),
    "controller": ("vae", DRAWS.normal(size=(40, 6)), {"controllers": [pr.control.Ramp("kl", steps=5)]}),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_shared_model_gives_the_same_codes_to_the_bit(kind, tmp_path):
    method, x, settings = GIVEN[kind]
    model = pr.Autoencoder(method, **FAST, **settings).fit(x)
    model.save(tmp_path / "run", x)
    folder = to_hub(tmp_path / "run", tmp_path / "shared")
    assert {each.name for each in folder.iterdir()} == {
        *("README.md", "config.json", "model.safetensors", "history.parquet", "verdict.json", "manifest.json")
    }
    again = pr.load(folder)
    assert np.array_equal(again.transform(x), model.transform(x))
    assert again.history_.equals(model.history_)
    back, expected = again.reconstruct(x), model.reconstruct(x)
    assert back.equals(expected) if kind == "table" else np.array_equal(back, expected)
    assert again.verdict_ == model.verdict_
    assert [each.described() for each in again.controllers] == [
        each.described() for each in model.controllers
    ]


def test_the_commands_write_and_read_it(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").mkdir()
    TABLE.to_csv("secret/own.csv", index=False)
    job = pr.Job("vae", str(tmp_path / "secret" / "own.csv"), n_latents=2, steps=2, batch=16)
    run = pr.run(job, "runs", device="cpu")
    code, said = command(capfd, "export", run.path, "--hub", "shared")
    assert code == 0, said
    assert "pr.load('shared')" in said
    texts = "".join(Path("shared", name).read_text() for name in ("config.json", "README.md"))
    assert "own.csv" in texts
    assert "secret" not in texts
    assert yaml.safe_load(texts.split("---\n")[1])["library_name"] == "prismae"

    words = ["export", "shared", "--codes", "--world", "secret/own.csv", "--out", "there"]
    assert command(capfd, *words)[0] == 0
    assert command(capfd, "export", run.path, "--codes", "--out", "own")[0] == 0
    assert pd.read_parquet("there/codes.parquet").equals(pd.read_parquet("own/codes.parquet"))
    # where the data lay is not shared, so a command that needs them asks for them; where they are, it goes on
    code, said = command(capfd, "evaluate", "shared")
    assert (code, "own.csv, are not in this folder" in said) == (2, True), said
    (tmp_path / "secret" / "own.csv").rename(tmp_path / "own.csv")
    assert command(capfd, "evaluate", "shared")[0] == 0
    assert "Reconstruction error" in Path("shared/README.md").read_text()
    assert command(capfd, "report", "shared")[0] == 0


def test_a_shared_model_of_texts_writes_the_same_sentences(capfd, tmp_path):
    texts = tmp_path / "own.txt"
    texts.write_text("a red bird sings\nthe blue bird flies\na dog runs\n" * 10)
    run = pr.run(pr.Job("vae", str(texts), n_latents=2, steps=2, batch=8, net="lstm:width=8"), tmp_path)
    to_hub(run, tmp_path / "shared")
    said = [command(capfd, "sample", each, "--n", "3") for each in (run.path, tmp_path / "shared")]
    assert said[0] == said[1]
    assert said[0][0] == 0
    code = (tmp_path / "shared" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert "X is pr.world(" in code
    there = {"X": pr.world(texts)}
    exec(code.replace("the folder of this file", str(tmp_path / "shared")), there)
    assert there["codes"].shape == (30, 2)


class Strange(VAE):
    """A method of this file: no installed package declares it."""


def test_what_would_be_lost_is_refused(tmp_path):
    x = DRAWS.normal(size=(40, 6))
    pr.Autoencoder(Strange(), **FAST).fit(x).save(tmp_path / "strange")
    with pytest.raises(InputError, match=r"read by others, and this one cannot be: .*'strange' is the class"):
        to_hub(tmp_path / "strange", tmp_path / "shared")
    assert not (tmp_path / "shared").exists()
    pr.Autoencoder("vae", **FAST).fit(x).save(tmp_path / "run")
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    to_hub(tmp_path / "run", tmp_path / "clone")
    assert (tmp_path / "clone" / ".git").is_dir()
    with pytest.raises(InputError, match=r"clone' holds README.md, config.json, .*: expected a new or empty"):
        to_hub(tmp_path / "run", tmp_path / "clone")
    with pytest.raises(InputError, match="is a file, expected a new folder"):
        to_hub(tmp_path / "run", tmp_path / "clone" / "README.md")
    with pytest.raises(InputError, match="no run folder"):
        to_hub(tmp_path / "nothing", tmp_path / "shared")


def test_damage_is_told_by_the_names_that_the_files_have(tmp_path):
    pr.Autoencoder("vae", **FAST).fit(DRAWS.normal(size=(40, 6))).save(tmp_path / "run")
    folder = to_hub(tmp_path / "run", tmp_path / "shared")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"n_latents": 7}))
    (folder / "manifest.json").unlink()  # else it is found before
    with pytest.raises(InputError, match=r"model.safetensors' is damaged: .* that config.json tells of"):
        pr.load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="not a finished run"):
        pr.load(folder)


def test_the_citation_names_this_version_and_somebody():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == __version__
    assert cited["title"].startswith("prismae")
    assert [each["name"] for each in cited["authors"]] == ["The prismae authors"]
