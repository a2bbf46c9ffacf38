"""Several that evaluate one run at once: each score is there in the end."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from prismae.runs.run import Run
from prismae.studies import Job, run, score

METRICS = ("mig", "active-units", "jemmig", "factorised-support")


@pytest.fixture
def folder(tmp_path):
    job = Job("vae", "digits", n_latents=2, steps=2, batch=8, net="mlp:width=4")
    return run(job, tmp_path, device="cpu").path


def scored(folder):
    """The names of a run's scores, after a look at the digests of all its files."""
    return {*Run(folder).read().scores["protocols"]["locatello2019"]}


def test_threads_that_score_one_run_lose_no_score(folder):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: score(Run(folder), metrics=name, baselines=False, others=False), METRICS))
    assert scored(folder) == {*METRICS}


def test_the_card_of_a_run_is_written_before_the_scores_that_say_it_is_done(folder, monkeypatch):
    def killed(run, name, data):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            score(Run(folder), protocols=())
    assert Run(folder).scores is None  # so that a study without metrics scores it again
    assert "Reconstruction" in (folder / "README.md").read_text()


@pytest.mark.slow
def test_processes_that_evaluate_one_run_lose_no_score(folder):
    words = [sys.executable, "-m", "prismae", "evaluate", str(folder), "-q", "--metrics"]
    started = [subprocess.Popen([*words, name]) for name in METRICS]
    assert [each.wait() for each in started] == [0] * len(METRICS)
    assert scored(folder) == {*METRICS}
