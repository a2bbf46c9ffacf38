"""Views: what they declare is what they keep, one of another package is one file, and drawing needs no torch."""

import json
import warnings

import numpy as np
import pytest
import torch
from blank import blank_figures
from sklearn.exceptions import ConvergenceWarning
from test_own_classes import declare, module
from typer.testing import CliRunner
from untrained import channels, images, series, untrained_run, vectors

from prismae._discovery import entry_points
from prismae.cli import app
from prismae.data import world
from prismae.errors import InputError
from prismae.methods import method
from prismae.report import write_picture, write_report
from prismae.runs import codes
from prismae.runs.run import Run
from prismae.train.build import build
from prismae.views import View, add_views, all_views, check, complete, compute
from prismae.views._subject import Subject

DATA = {"images": (images, "conv"), "series": (series, "conv1d"), "table": (vectors, "mlp")}

QUANTILES = '''
"""A view in a file of its own."""
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from prismae.views import View


@dataclass(frozen=True)
class CodeQuantiles(View):
    """The median of each code."""

    share: float = 0.5

    arrays = {"code_quantiles": "m"}
    title = "Quantiles of the codes"

    def compute(self, subject):
        return {"code_quantiles": np.quantile(subject.codes.numpy(), self.share, axis=0)}

    def draw(self, run):
        figure = Figure()
        figure.subplots().bar(range(len(run.pictures["code_quantiles"])), run.pictures["code_quantiles"])
        return figure

    def sentence(self, run):
        return f"Of {len(run.pictures['code_quantiles'])} codes, <not> a tag."
'''


@pytest.fixture
def quantiles(tmp_path, monkeypatch):
    """A view that another package declares."""
    (tmp_path / "site").mkdir()
    found = module(tmp_path / "site", monkeypatch, QUANTILES, "acme_views").CodeQuantiles
    declare(tmp_path / "site", monkeypatch, "prismae.views", code_quantiles="acme_views:CodeQuantiles")
    yield found
    monkeypatch.undo()
    entry_points.cache_clear()


@pytest.mark.parametrize("kind", DATA)
def test_a_view_keeps_the_arrays_that_it_declares(tmp_path, kind):
    make, net = DATA[kind]
    folder, ae = untrained_run(tmp_path / "run", make(), net)
    complete(folder, make())
    kept = Run(folder.path).pictures
    declared = {name: view for view in all_views().values() for name in view.arrays}
    assert kept.keys() <= declared.keys()
    there = [view for view in all_views().values() if not view.refusal(kind)]
    for view in there:
        assert set(view.always()) <= kept.keys() or view.name() == "information"
        assert set(view.needs) <= declared.keys()
    check(Run(folder.path).read())
    again = compute(method("vae"), ae, make())
    assert all(
        np.array_equal(again[name], kept[name], equal_nan=kept[name].dtype.kind == "f") for name in again
    )
    assert kept.keys() - again.keys() == {name for name in kept if declared[name].slow}


def test_no_array_is_of_two_views():
    names = [name for view in all_views().values() for name in view.arrays]
    assert len(names) == len(set(names))


def test_arrays_that_are_not_as_declared_are_named(tmp_path):
    folder, _ = untrained_run(tmp_path / "run", channels(), "conv1d")
    arrays = Run(folder.path).pictures
    wrong = {
        "errors": arrays["errors"][:, None],
        "effects": arrays["effects"][..., :-1],
        "base": arrays["base"][:-1],
        "manifold_rows": arrays["manifold_rows"][:3],
    }
    folder.write_arrays("pictures.npz", arrays | wrong)
    with pytest.raises(InputError, match=r"pictures\.npz") as said:
        write_report(folder.path)
    for name in wrong:
        assert f"{name} " in str(said.value)


def test_a_view_of_another_package_is_computed_drawn_and_on_the_page(tmp_path, quantiles, monkeypatch):
    folder, _ = untrained_run(tmp_path / "run", vectors(), "mlp")
    kept = Run(folder.path).pictures
    assert kept["code_quantiles"].shape == (4,)
    page = write_report(folder.path).read_text()
    assert "<h3>Quantiles of the codes</h3>" in page
    assert "Of 4 codes, &lt;not&gt; a tag." in page
    assert (folder.path / "figures" / "code-quantiles.svg").exists()
    assert write_picture(folder.path, "code-quantiles").name == "code-quantiles.png"

    add_views(folder, [quantiles(share=1.0)], vectors())
    greatest = Run(folder.path).pictures
    assert (greatest["code_quantiles"] > kept["code_quantiles"]).all()
    np.testing.assert_array_equal(greatest["effects"], kept["effects"])

    folder.write_arrays("pictures.npz", {k: v for k, v in kept.items() if k != "code_quantiles"})
    blank_figures(monkeypatch)
    assert "Not computed for this run: the t-SNE of the codes, the view code-quantiles." in " ".join(
        write_report(folder.path).read_text().split()
    )
    complete(folder, vectors())
    np.testing.assert_array_equal(Run(folder.path).pictures["code_quantiles"], kept["code_quantiles"])


def test_codes_that_are_all_the_same_are_one_cluster(tmp_path, monkeypatch):
    monkeypatch.setattr(Subject, "codes_of", lambda self, rows: torch.zeros(len(rows), 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        folder, _ = untrained_run(tmp_path / "run", vectors(), "mlp")
    kept = Run(folder.path).pictures
    assert len(kept["cluster_sizes"]) == 1
    assert str(kept["cluster_source"]) == "k-means of the codes, k = 1"


def test_the_command_line_draws_a_view_of_another_package(tmp_path, monkeypatch, quantiles):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", rng.normal(size=(40, 5)).astype(np.float32))
    size = ["--steps", "2", "--batch", "8", "--latents", "2", "--out", str(tmp_path / "runs")]
    go = CliRunner()
    done = go.invoke(app, ["fit", "vae", str(tmp_path / "mine.npy"), *size])
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "runs").iterdir()
    arrays = Run(folder).pictures
    Run(folder).write_arrays("pictures.npz", {k: v for k, v in arrays.items() if k != "code_quantiles"})
    done = go.invoke(app, ["picture", str(folder), "--kind", "code-quantiles"])
    assert done.exit_code == 0, done.output
    assert (folder / "figures" / "code-quantiles.png").exists()
    np.testing.assert_allclose(Run(folder).pictures["code_quantiles"], arrays["code_quantiles"], rtol=1e-6)
    listed = go.invoke(app, ["list", "views", "--json"])
    assert {"code-quantiles", "tsne", "worst"} <= json.loads(listed.output).keys()


def test_views_without_options_or_of_other_kinds_are_refused(tmp_path):
    folder, _ = untrained_run(tmp_path / "run", vectors(), "mlp")
    for views, options, words in (
        (["tsn"], {}, "Unknown view 'tsn': did you mean 'tsne'"),
        (["clusters"], {"points": 20}, "No view of clusters has an option 'points'"),
        (["manifold"], {}, "Tables have no picture of kind 'manifold'"),
        (["sentences"], {}, "Tables have no picture of kind 'sentences'"),
        (["tsne"], {"points": "many"}, "points should be a valid integer"),
    ):
        with pytest.raises(InputError, match=words):
            add_views(folder, views, vectors(), **options)


def test_a_section_that_the_page_does_not_have_is_refused():
    with pytest.raises(AssertionError, match="section 'elsewhere'"):

        class Elsewhere(View):
            section = "elsewhere"


@pytest.mark.parametrize("elements", [1, 30, 2**24])
def test_moments_of_observations_are_those_of_all_together(monkeypatch, elements):
    x = np.random.default_rng(0).normal(3.0, size=(40, 5)).astype(np.float32)
    x[::7, 2] = np.nan
    made, some = world(x), torch.arange(1, 40, 3)
    monkeypatch.setattr(codes, "_ELEMENTS", elements)
    assert len(codes.in_parts(made, some)) == {1: 13, 30: 3, 2**24: 1}[elements]
    found = codes.moments(made, some, torch.square)
    np.testing.assert_allclose(found.mean, np.nanmean(np.square(x[1::3]), 0), rtol=1e-6)
    np.testing.assert_allclose(found.squares / found.count, np.nanvar(np.square(x[1::3]), 0), rtol=1e-6)


def test_fewer_of_wide_observations_are_looked_at_and_their_codes_are_taken_once(monkeypatch):
    data = world(np.random.default_rng(0).normal(size=(60, 20)).astype(np.float32))
    chosen = method("vae")
    ae = build(chosen, data.kind, data.shape, data.summary, n_latents=3, net="mlp", likelihood="gaussian")
    whole = compute(chosen, ae.eval(), data)
    seen = []
    ae.encoder.register_forward_hook(lambda net, x, y: seen.append(len(y)))
    for wide, n in ((20, 60), (19, 30)):
        monkeypatch.setattr(codes, "WIDE", wide)
        monkeypatch.setattr(codes, "LOOKED", 30 * 20)
        monkeypatch.setattr(codes, "FEWEST", 5)
        seen.clear()
        found = compute(chosen, ae, data)
        assert (len(found["errors"]), found["cluster_sizes"].sum()) == (n, n)
        assert seen.count(n) == 2  # for codes, those of clusters among them, and for reconstructions
        assert (found["spread"] == whole["spread"]).all() == (n == 60)
    monkeypatch.setattr(codes, "FEWEST", 40)
    assert [codes.looked_at(data, most) for most in (50, 35)] == [40, 35]
