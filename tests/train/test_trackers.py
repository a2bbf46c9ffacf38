"""Trackers: what they are sent and when, what they do on kills and faults, and that the training is the same."""

import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import prismae as pr
from prismae.cli import app
from prismae.errors import InputError
from prismae.methods.vae import VAE
from prismae.runs.run import Run
from prismae.settings import Training, as_plain
from prismae.trackers import Tracker, all_trackers, tracker
from prismae.trackers._base import grouped
from prismae.train import train
from prismae.views.reconstructions import Reconstructions

X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
FAST = {"n_latents": 2, "net": "mlp:width=16", "batch": 16, "device": "cpu"}


@dataclass
class Kept(Tracker):
    """What is sent, in lists."""

    def __post_init__(self):
        super().__post_init__()
        self.said = []

    def begin(self, step):
        self.said.append(("begin", step))

    def numbers(self, values, step):
        self.said.append((step, values))

    def picture(self, name, path, step):
        self.said.append((name, path.read_bytes()[:4]))

    def close(self):
        self.said.append("close")


def test_what_is_sent_is_what_the_history_has():
    kept = Kept("mine", Path())
    ramp = pr.control.Ramp("kl", steps=100)
    model = pr.Autoencoder("vae", steps=120, controllers=[ramp], **FAST).fit(X, hooks=[kept.hook()])
    assert (kept.said[0], kept.said[-1]) == (("begin", 50), "close")
    sent = dict(kept.said[1:-1])
    assert list(sent) == [50, 100, 120]
    for step, values in sent.items():
        row = model.history_.set_index("step").loc[step - 1].dropna()
        assert values == {grouped(name): value for name, value in row.items()}
    assert {"recon", "weight/kl", "monitor/mse", "monitor/spread/1"} <= set(sent[100])


def test_a_tracked_training_is_the_same_to_the_bit_also_when_the_tracker_fails():
    class Broken(Kept):
        def numbers(self, values, step):
            raise ConnectionError("the server is down")

    plain = pr.Autoencoder("vae", steps=110, **FAST).fit(X)
    for cls in (Kept, Broken):
        kept = cls("mine", Path())
        if cls is Broken:
            with pytest.warns(
                UserWarning, match=r"nothing more is sent.*\(ConnectionError: the server is down\)"
            ):
                model = pr.Autoencoder("vae", steps=110, **FAST).fit(X, hooks=[kept.hook()])
            assert kept.said == [("begin", 50)]
        else:
            model = pr.Autoencoder("vae", steps=110, **FAST).fit(X, hooks=[kept.hook()])
        assert np.array_equal(model.transform(X), plain.transform(X))


class Stop(Exception):
    """Ends a training as a kill would."""


def stop(now):
    raise Stop


def test_a_run_that_goes_on_begins_where_it_goes_on_and_its_results_follow(tmp_path):
    job = pr.Job("vae", "digits", n_latents=2, net="mlp:width=16", steps=150, batch=16)
    first, second = (Kept(job.id, tmp_path / job.id) for _ in range(2))
    halt = pr.Hook(on_step=stop, at=[110])
    with pytest.raises(Stop):
        pr.run(job, tmp_path, device="cpu", checkpoint_every=60, hooks=[first.hook(), halt])
    assert [each for each, _ in first.said] == ["begin", 50, 100]
    run = pr.run(job, tmp_path, device="cpu", checkpoint_every=60, hooks=[second.hook()])
    assert [each[0] for each in second.said] == ["begin", 100, 150, "c"]
    assert second.said[0] == ("begin", 100)
    assert first.said[2][1]["recon"] == second.said[1][1]["recon"]  # to the bit
    pr_scores = {
        "reconstruction": {"mse": 0.25},
        "protocols": {"p": {"mig": {"score": "0.5"}, "x": {"score": None}}},
    }
    run.__dict__["scores"] = pr_scores | {"unseen": {"reconstruction": {"mse": 0.5}, "n": 3}}
    later = Kept(job.id, run.path)
    later.results(run)
    scores = {"score/reconstruction/mse": 0.25, "score/p/mig": 0.5, "unseen-score/reconstruction/mse": 0.5}
    assert later.said[:2] == [("begin", 151), (150, scores)]
    assert {"reconstructions", "traversals", "information"} <= {each[0] for each in later.said[2:-1]}
    assert {each[1] for each in later.said[2:-1]} == {b"\x89PNG"}


@pytest.mark.parametrize("kind", ["images", "table", pytest.param("series", marks=pytest.mark.slow)])
def test_reconstructions_are_drawn_along_the_way(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("prismae.trackers._base.APART", 50)
    gaps = np.random.default_rng(1).random(X.shape) < 0.1
    world = {
        "images": lambda: pr.world(np.random.default_rng(0).random((60, 6, 6)).astype(np.float32)),
        "table": lambda: pr.world(pd.DataFrame(np.where(gaps, np.nan, 50 * X), columns=list("abcde"))),
        "series": lambda: pr.world(np.repeat(X[:, None], 3, 1), series="channels-first"),
    }[kind]()
    seen, whole = [], Reconstructions.draw

    def draw(view, run):
        seen.append({name: run.pictures[name] for name in ("originals", "reconstructions")})
        return whole(view, run)

    monkeypatch.setattr(Reconstructions, "draw", draw)
    kept = Kept("mine", tmp_path)

    def trained(steps, *hooks):
        small = Training(n_latents=2, steps=steps, batch=16, net="mlp:width=16")
        return train(VAE(), world, small, device="cpu", hooks=hooks).ae

    tracked, plain, early = trained(120, kept.hook()), trained(120), trained(50)
    assert all(torch.equal(a, b) for a, b in zip(tracked.parameters(), plain.parameters(), strict=True))
    assert [each for each in kept.said if each[0] == "reconstructions"] == [
        ("reconstructions", b"\x89PNG")
    ] * 2
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert drawn == ["reconstructions-100.png", "reconstructions-50.png"]
    first, second = seen
    with torch.no_grad():
        again = early.generate(early.encode(torch.from_numpy(first["originals"])).mean)
    np.testing.assert_array_equal(first["reconstructions"], again.numpy())
    assert np.array_equal(first["originals"], second["originals"], equal_nan=True)
    assert not np.array_equal(first["reconstructions"], second["reconstructions"])


def installed(monkeypatch, name, module):
    module.__spec__ = ModuleSpec(name, None)
    monkeypatch.setitem(sys.modules, name, module)


class Store:
    """What MLflow's client does, with its names and arguments, into lists."""

    def __init__(self):
        self.runs, self.status, self.metrics, self.params, self.files, self.waited = [], {}, {}, {}, {}, 0

    def search_experiments(self, max_results=1000):
        return []

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id="7") if self.runs else None

    def create_experiment(self, name):
        assert name == "prismae"
        return "7"

    def search_runs(self, experiment_ids, filter_string="", max_results=1000):
        assert experiment_ids == ["7"]
        found = [
            run for run in reversed(self.runs) if filter_string == f"tags.`prismae.title` = '{run.title}'"
        ]
        for run in found:
            run.info.status = self.status[run.info.run_id]
        return found[:max_results]

    def create_run(self, experiment_id, start_time=None, tags=None, run_name=None):
        run_id = f"run {len(self.runs)}"
        self.runs.append(SimpleNamespace(title=tags["prismae.title"], info=SimpleNamespace(run_id=run_id)))
        self.status[run_id], self.metrics[run_id], self.files[run_id] = "RUNNING", [], []
        return self.runs[-1]

    def update_run(self, run_id, status=None, name=None):
        self.status[run_id] = status

    def log_batch(self, run_id, metrics=(), params=(), tags=(), synchronous=None):
        self.params.setdefault(run_id, {}).update(params)
        self.metrics[run_id] += [(metric[0], metric[1], metric[3]) for metric in metrics]
        return SimpleNamespace(wait=self.wait)

    def wait(self):
        self.waited += 1

    def log_artifact(self, run_id, local_path, artifact_path=None):
        self.files[run_id].append((artifact_path, Path(local_path).name))

    def set_terminated(self, run_id, status=None, end_time=None):
        self.status[run_id] = "FINISHED"


@pytest.fixture
def store(monkeypatch):
    """MLflow's package, made up; and pictures that are quickly drawn."""

    def drawn(folder, name):
        path = Path(folder, f"{name}.png")
        path.write_bytes(b"\x89PNG")
        return path

    monkeypatch.setattr("prismae.trackers._base.write_picture", drawn)
    store, mlflow, entities = Store(), ModuleType("mlflow"), ModuleType("mlflow.entities")
    vars(mlflow).update(MlflowClient=lambda: store, get_tracking_uri=lambda: "http://there")
    vars(entities).update(Metric=lambda *given: given, Param=lambda *given: given)
    installed(monkeypatch, "mlflow", mlflow)
    installed(monkeypatch, "mlflow.entities", entities)
    return store


def test_mlflow_gets_one_run_for_a_training_that_went_on(store, tmp_path):
    job = pr.Job(
        "beta-vae", "digits", n_latents=2, net="mlp:width=16", steps=150, batch=16, fields={"beta": 2.0}
    )
    halt = pr.Hook(on_step=stop, at=[110])
    made = tracker("mlflow", Run(tmp_path / job.id), as_plain(job))
    with pytest.raises(Stop):
        pr.run(job, tmp_path, device="cpu", checkpoint_every=60, hooks=[made.hook(), halt])
    again = tracker("mlflow", Run(tmp_path / job.id), as_plain(job))
    run = pr.run(job, tmp_path, device="cpu", checkpoint_every=60, hooks=[again.hook()])
    again.results(run)
    assert [each.title for each in store.runs] == [job.id]
    recon = {(step, value) for name, value, step in store.metrics["run 0"] if name == "recon"}
    assert sorted(step for step, _ in recon) == [50, 100, 150]  # 100 twice, with one value
    params = store.params["run 0"]
    assert (params["method"], params["beta"], params["steps"], params["seed"]) == (
        "beta-vae",
        "2.0",
        "150",
        "0",
    )
    assert ("pictures", "traversals.png") in store.files["run 0"]
    assert store.status["run 0"] == "FINISHED"
    assert store.waited == 5 - 2  # each number of the second piece, and the scores; the first was killed
    pr.Autoencoder("vae", steps=60, **FAST).fit(X, hooks=[all_trackers()["mlflow"](job.id, tmp_path).hook()])
    assert len(store.runs) == 2  # from the start: another training, though of the same title


def test_a_store_that_is_not_there_is_said_before_anything_is_trained(store, monkeypatch, tmp_path):
    def down(max_results):
        raise OSError("connection refused\nand much more")

    monkeypatch.setattr(store, "search_experiments", down)
    with pytest.raises(InputError, match=r"cannot be reached at 'http://there'.*\(connection refused\)"):
        all_trackers()["mlflow"]("mine", tmp_path).hook()


def test_unknown_and_absent_trackers_are_refused(monkeypatch, tmp_path):
    assert list(all_trackers()) == ["mlflow", "tensorboard"]
    with pytest.raises(InputError, match="Unknown tracker 'tensorbord': did you mean 'tensorboard'"):
        tracker("tensorbord", Run(tmp_path), {})
    monkeypatch.setattr("prismae.trackers._base.find_spec", lambda name: None)
    for name in all_trackers():
        with pytest.raises(
            InputError, match=rf"Tracker '{name}' needs {name}: pip install 'prismae\[track\]'"
        ):
            tracker(name, Run(tmp_path), {})
        words = ["fit", "vae", "digits", "--steps", "2", "--out", str(tmp_path), "--track", name]
        assert isinstance(CliRunner().invoke(app, words).exception, InputError)
    assert not list(tmp_path.iterdir())


def test_tensorboard_s_files_have_each_step_once_after_a_kill(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    job = pr.Job("vae", "digits", n_latents=2, net="mlp:width=16", steps=150, batch=16)
    for hooks in ([pr.Hook(on_step=stop, at=[110])], []):
        made = tracker("tensorboard", Run(tmp_path / job.id), as_plain(job))
        try:
            run = pr.run(job, tmp_path, device="cpu", checkpoint_every=60, hooks=[made.hook(), *hooks])
        except Stop:
            made.end()
    made.results(run)
    found = EventAccumulator(str(run.path / "tensorboard"), size_guidance={"images": 0})
    found.Reload()
    sent = {each.step: each.value for each in found.Scalars("recon")}
    assert [each.step for each in found.Scalars("recon")] == [50, 100, 150]
    expected = run.history.set_index("step")["recon"]
    assert sent == {step: np.float32(expected[step - 1]) for step in sent}
    assert {"reconstructions", "traversals"} <= set(found.Tags()["images"])
    text = found.Tensors("settings/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| n_latents | 2 |" in text


def test_the_command_sends_what_it_measures(store, tmp_path):
    words = [
        "fit",
        "vae",
        "digits",
        "--steps",
        "60",
        "--latents",
        "2",
        "--out",
        str(tmp_path),
        "--track",
        "mlflow",
    ]
    for _ in range(2):  # the second time it is trained already
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    assert len(store.runs) == 1
    names = {name for name, _, _ in store.metrics["run 0"]}
    assert {"recon", "kl", "monitor/mse", "score/locatello2019/mig", "score/reconstruction/mse"} <= names


def test_the_jobs_of_a_study_are_sent_too(store, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "title: t\nworlds: digits\nmethods: {VAE: {method: vae}}\nseeds: [0, 1]\n"
        "budget: {steps: 60, n_latents: 2, net: 'mlp:width=16'}\nmetrics: {}\n"
    )
    words = ["study", str(plan), "--out", str(tmp_path / "runs"), "--track", "mlflow", "--device", "cpu"]
    assert isinstance(CliRunner().invoke(app, [*words[:-3], "mlfow"]).exception, InputError)
    assert not (tmp_path / "runs").exists()
    for _ in range(2):  # the second time all is done already
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    assert [params["seed"] for params in store.params.values()] == ["0", "1"]
    assert set(store.status.values()) == {"FINISHED"}
    for run in store.runs:
        names = {name for name, _, _ in store.metrics[run.info.run_id]}
        assert {"recon", "kl", "monitor/mse", "score/reconstruction/mse"} <= names
        assert ("pictures", "reconstructions.png") in store.files[run.info.run_id]
