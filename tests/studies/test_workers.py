"""Workers of a study: one that is lost, one that has a GPU of its own, and a cluster that is not there."""

import socket
from pathlib import Path

import pytest

from prismae.errors import InputError, Interrupted
from prismae.studies import engines, study
from prismae.studies.engines import RETRIES, engine, gpus_here, take_gpu
from prismae.studies.status import Status
from prismae.studies.study import _end


class Lost(Exception):
    pass


def test_a_job_whose_worker_is_lost_is_begun_again_and_never_more_than_so_many_at_once():
    deaths, begun, at_once = {"a": 0, "b": 3, "c": RETRIES + 5}, [], []

    def start(call):
        begun.append(call)
        return object(), call

    def ended(running):
        at_once.append(len(running))
        return running[:1]

    def result(each):
        if begun.count(each[1]) <= deaths[each[1]]:
            raise Lost

    engines._again_and_again(iter(deaths), 2, start, ended, result, (Lost,))
    assert [begun.count(each) for each in deaths] == [1, 4, RETRIES + 1]
    assert max(at_once) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("No module named 'prismae'"), r"\(No module named 'prismae'\)"),
        (
            RuntimeError("ray::_called() (pid=1)\n  At least one argument…\nSystem error: no prismae\n\n"),
            r"\(System error: no prismae\)",
        ),
        (RuntimeError(), r"\(RuntimeError\)"),
    ],
    ids=["dask", "ray", "nothing said"],
)
def test_a_worker_that_lacks_a_package_is_one_sentence_and_no_lost_worker(error, said):
    def result(each):
        raise error

    with pytest.raises(
        InputError, match=f"A worker of the cluster cannot begin a job {said}: expected the same"
    ):
        engines._again_and_again(["a"], 2, lambda call: call, lambda running: running, result, (Lost,))


def test_a_training_that_was_interrupted_in_a_worker_ends_the_study():
    def result(each):
        raise Interrupted("stopped")

    with pytest.raises(Interrupted, match="stopped"):
        engines._again_and_again(["a"], 2, lambda call: call, lambda running: running, result, (Lost,))


def test_a_job_that_never_ended_has_failed():
    assert _end(Status("done", 7)) == Status("done", 7)
    assert _end(Status("training", 7)).state == "failed"
    assert "killed each of 21 times" in _end(Status("training", 7)).error


@pytest.fixture
def three_gpus(monkeypatch):
    monkeypatch.setattr(engines.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(engines.torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(engines, "_held", [])


def test_the_gpus_of_this_machine(three_gpus, monkeypatch):
    assert gpus_here(None) == ("0", "1", "2")
    assert gpus_here(2) == ("0", "1")
    with pytest.raises(InputError, match="at most 3, the GPUs that are here, got 4"):
        gpus_here(4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,5,GPU-1f")
    assert gpus_here(2) == ("7", "5")


def test_each_worker_takes_a_gpu_of_its_own_and_leaves_it_to_the_next(three_gpus, tmp_path, monkeypatch):
    def taken():
        take_gpu(str(tmp_path), ("4", "6"))
        return engines.os.environ["CUDA_VISIBLE_DEVICES"]

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [taken() for _ in range(3)] == ["4", "6", "4"]
    engines._held[1].release()  # as the system does when a process dies
    assert taken() == "6"


def test_jobs_at_once_are_dealt_out_among_the_gpus(three_gpus, monkeypatch):
    given = {}

    def config(name, **options):
        given.update(options)
        return engines.tempfile.TemporaryDirectory()

    monkeypatch.setattr(engines, "parallel_config", config)
    with engine("local", devices=2):
        assert given["n_jobs"] == 2
        assert given["initargs"][1] == ("0", "1")
    given.clear()
    with engine("local"):
        assert "initializer" not in given


def test_devices_are_for_jobs_of_this_machine():
    with pytest.raises(InputError, match="a cluster sets GPUs aside"), engine("ray", devices=2):
        pass


@pytest.mark.parametrize("name", ["ray", "dask"])
def test_an_address_at_which_nothing_listens_is_refused_in_a_sentence(name, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "title: t\nworlds: digits\nmethods: {vae: {}}\nseeds: [0]\nbudget: {steps: 1}\nmetrics: {}\n"
    )
    with pytest.raises(InputError, match=f"No {name.capitalize()} cluster answers at '{address}'"):
        study(plan, tmp_path / "runs", engine=name, address=address)
    assert not [each for each in Path(tmp_path / "runs").iterdir() if not each.name.startswith(".")]
