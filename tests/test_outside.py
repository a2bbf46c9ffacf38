"""A package outside of prismae that brings one of everything: checked, trained, saved, loaded, scored, swept."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import prismae as pr
from prismae import testing
from prismae._discovery import entry_points
from prismae.control import all_controllers
from prismae.data import world_names
from prismae.metrics import all_metrics
from prismae.nets import all_likelihoods, all_nets
from prismae.report import write_report
from prismae.studies import study
from prismae.trackers import all_trackers

HERE = Path(__file__).parent / "outside"
ROOT = Path(__file__).parents[1]
FAST = {"n_latents": 2, "steps": 20, "batch": 16, "net": "two-layers:width=8", "likelihood": "laplace"}
NAMES = {
    "methods": "sparse-vae",
    "metrics": "greatest-correlation",
    "worlds": "stripes",
    "controllers": "decay",
    "nets": "two-layers",
    "likelihoods": "laplace",
}


def forget():
    entry_points.cache_clear()
    all_metrics.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def acme():
    """The package, as if it were installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        forget()
        yield __import__("acme")
    forget()


def prismae(*words, cwd):
    """The command line in a process that finds the package."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    command = [sys.executable, "-m", "prismae", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", NAMES)
def test_everything_passes_the_common_checks(kind):
    checks = {
        "methods": lambda name: testing.check_method(pr.method(name)),
        "metrics": lambda name: testing.check_metric(all_metrics()[name]),
        "worlds": testing.check_world,
        "controllers": lambda name: testing.check_controller(all_controllers()[name]),
        "nets": lambda name: testing.check_net(all_nets()[name]),
        "likelihoods": lambda name: testing.check_likelihood(all_likelihoods()[name]),
    }
    checks[kind](NAMES[kind])


def test_everything_is_found_under_its_name():
    found = {
        "methods": pr.all_methods(),
        "metrics": all_metrics(),
        "worlds": world_names(),
        "controllers": all_controllers(),
        "nets": all_nets(),
        "likelihoods": all_likelihoods(),
    }
    for kind, name in NAMES.items():
        assert name in found[kind], kind


def test_a_model_of_it_all_is_trained_saved_loaded_scored_and_reported(tmp_path, acme):
    controller = all_controllers()["decay"]("size", every=5)  # type: ignore[call-arg]
    model = pr.Autoencoder("sparse-vae", controllers=[controller], device="cpu", **FAST).fit(
        pr.world("stripes")
    )
    assert model.history_["weight:size"].iloc[-1] < 0.1
    folder = model.save(tmp_path / "run", pr.world("stripes"))
    again = pr.load(tmp_path / "run")
    assert again.method_ == model.method_
    assert again.controllers == (controller,)
    codes = model.transform(pr.world("stripes"))
    np.testing.assert_array_equal(again.transform(pr.world("stripes")), codes)
    job = json.loads((folder.path / "job.json").read_text())
    assert (job["net"], job["likelihood"]) == ("two-layers:width=8", "laplace")

    scores = pr.evaluate(again, pr.world("stripes"), metrics=["greatest-correlation", "mig"])
    factors = pr.world("stripes").factors
    by_hand = np.abs(np.corrcoef(codes.T, factors.T)[:2, 2:]).max(axis=0).mean()
    assert scores["greatest-correlation"].score == pytest.approx(by_hand, abs=1e-5)
    notebook = all_trackers()["notebook"]("mine", tmp_path / "notes", {"lr": 0.1})
    notebook.results(folder)
    assert "mine from step 21: {'lr': 0.1}\n" in (tmp_path / "notes" / "notebook.txt").read_text()
    page = Path(write_report(folder.path)).read_text()
    assert all(each in page for each in ("sparse-vae", "two-layers:width=8", "laplace"))
    assert "<h3>Quantiles of the codes</h3>" in page


PLAN = """
title: What acme brings
worlds: stripes
methods:
  sparse: {method: sparse-vae, grid: {weight: [0.0, 0.5]}, controls: [{controller: decay, moves: kl}]}
seeds: [0, 1]
budget: {steps: 10, batch: 16, net: "two-layers:width=8", likelihood: laplace, n_latents: 2}
metrics: {locatello2019: [greatest-correlation]}
"""


@pytest.mark.slow
def test_the_command_line_lists_it_and_a_plan_sweeps_it(tmp_path):
    listed = {kind: prismae("list", kind, cwd=tmp_path) for kind in ("methods", "worlds")}
    assert all(NAMES[kind] in text for kind, text in listed.items())
    (tmp_path / "plan.yaml").write_text(PLAN)
    prismae("study", "plan.yaml", "--jobs", 2, "--device", "cpu", cwd=tmp_path)
    table = prismae("table", "plan.yaml", "--format", "csv", cwd=tmp_path)
    assert "greatest-correlation" in table
    rows = study(tmp_path / "plan.yaml", tmp_path / "runs", device="cpu")  # all of them are done
    assert sorted(rows["weight"]) == [0.0, 0.0, 0.5, 0.5]
    assert rows["locatello2019:greatest-correlation"].between(0, 1).all()


def test_a_class_that_does_not_hold_what_it_says_fails_with_a_sentence(acme):
    from acme.methods import SparseVAE
    from acme.nets import TwoLayers

    @dataclass(frozen=True)
    class Silent(SparseVAE):
        def terms(self, ae, x, ctx):
            return {name: term for name, term in super().terms(ae, x, ctx).items() if name != "size"}

    with pytest.raises(AssertionError, match="`terms` does not give 'size'"):
        testing.check_method(Silent())

    @dataclass(frozen=True)
    class Wide(TwoLayers):
        def build(self, shape, n_outputs, n_latents):
            return super().build(shape, n_outputs + 1, n_latents)

    with pytest.raises(AssertionError, match=re.escape("its encoder makes (2, 7), expected (2, 6)")):
        testing.check_net(Wide())


BLOCKS = re.findall(r"(?s)```python\n(.*?)```", (ROOT / "docs" / "extending.md").read_text())


def test_the_page_shows_every_file_of_the_package():
    text = "".join(BLOCKS)
    for path in sorted((HERE / "acme").glob("[a-z]*.py")):
        assert f'--8<-- "{path.relative_to(ROOT)}"' in text


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if "--8<--" not in block],
    ids=lambda block: block.splitlines()[-1][:40],
)
def test_every_example_of_the_page_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "extending.md", "exec"), {})
