"""Where a terminal has few letters a command says the same; where nothing can be written it names what, and where."""

import errno
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import printed

from prismae._files import write_file
from prismae._progress import Screen, bars
from prismae.errors import of_machine
from prismae.studies import study
from prismae.train.checkpoint import save_state

ROOT = Path(__file__).parents[2]


def test_a_table_is_printed_where_there_is_ascii_only(capfd, monkeypatch):
    plan, rows = ROOT / "plans" / "ed_gcae_table2.yaml", ROOT / "results" / "ed_gcae_table2.paper.csv"
    words = ("table", plan, "--profile", "paper", "--rows", rows)
    _, usual, _ = printed(capfd, *words)
    with BytesIO() as few, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", TextIOWrapper(few, encoding="ascii"))
        code, _, err = printed(capfd, *words)
        sys.stdout.flush()
        said = few.getvalue().decode("ascii")
    assert (code, err, said) == (0, "", usual.encode("ascii", "prismae").decode())
    assert " +- " in said


def test_a_folder_that_is_gone_is_one_sentence(tmp_path, capfd, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, out, err = printed(capfd, "list", "methods")
    assert (code, out, err) == (2, "", "The current folder was removed or moved: change to another one.\n")


@pytest.mark.slow  # everything is compiled anew
def test_commands_can_be_run_without_docstrings(tmp_path):
    code = "from prismae.cli._app import COMMANDS, loaded; print(*[loaded(name).name for name in COMMANDS])"
    done = subprocess.run([sys.executable, "-OO", "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@contextmanager
def small_files(limit):
    """Files of at most so many bytes, as `ulimit -f` has it; not beyond the test, whose result goes to a file, too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, was)


def _json(folder):
    return write_file(folder / "job.json", b"1" * 10_000)


def _checkpoint(folder):
    save_state(folder / "job.json", {"weights": torch.ones(1000)})


@pytest.mark.parametrize("write", [_json, _checkpoint])
def test_a_file_that_cannot_be_written_to_its_end_is_named(tmp_path, write):
    with pytest.raises(OSError) as said, small_files(2_000):
        write(tmp_path)
    assert of_machine(said.value) == f"{tmp_path / 'job.json'}: File too large."
    assert not any(tmp_path.iterdir())


def test_the_words_of_a_library_are_those_of_the_system():
    said = "Error writing bytes to file. Detail: [errno 28] No space left on device"
    assert of_machine(OSError(errno.ENOSPC, said, "codes.parquet")) == (
        "codes.parquet: No space left on device."
    )


@pytest.mark.parametrize(
    ("limit", "end"),
    [(1_000, "File too large."), (20_000, "File too large. (The traceback is in {}/error.txt.)")],
)
def test_a_study_names_what_could_not_be_written_and_comes_to_its_end(tmp_path, limit, end):
    import_module("torch.distributed.nn")  # that of PyTorch 2.7 writes a file when it is imported
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 3)))
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        f"title: t\nworlds: {tmp_path / 'x.npy'}\nmethods: {{vae: {{}}}}\nseeds: [0, 1]\nmetrics: {{}}\n"
        "budget: {steps: 1, n_latents: 2, batch: 8, net: 'mlp:width=1000'}\n"
    )
    with small_files(limit):
        failures = study(plan, tmp_path / "runs", device="cpu").attrs["failures"]
    assert len(failures) == 2
    for job, error in failures.items():
        assert error.startswith(f"{tmp_path / 'runs' / job}/")
        assert error.endswith(f": {end.format(tmp_path / 'runs' / job)}")


@pytest.mark.parametrize("value", ["{}/file", "/dev/null", "'{}'", '"{}"', "{}\n", " ", " {}"])
def test_a_data_folder_that_is_none_is_told_and_not_passed_over(tmp_path, capfd, monkeypatch, value):
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRISMAE_DATA", value.format(tmp_path))
    code, out, err = printed(capfd, "fit", "vae", "mnist", "--steps", "1")
    assert (code, out) == (2, "")
    named = (
        f"The environment variable PRISMAE_DATA is {value.format(tmp_path)!r}, which is no folder: expected"
    )
    assert " ".join(err.split()).startswith(named)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("stream", ["output", "error"])
def test_a_full_device_behind_the_terminal_is_named(tmp_path, monkeypatch, capfd, stream):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout" if stream == "output" else "stderr", full)
        code, _, err = printed(capfd, "list", "methods")
    assert (code, err) == (
        (1, "standard output: No space left on device.\n") if stream == "output" else (0, "")
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_standard_error_ends_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    ended = False
    # what it holds back it cannot write at its end either
    with suppress(OSError), open("/dev/full", "w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert printed(capfd, "fit", "vae", "nothing.csv")[0] == 2
        with bars(left=True, console=Screen(stderr=True)) as shown:
            task = shown.add_task("training", total=2, note="")
            shown.console.print("half")
            shown.advance(task, 2)
        ended = True
    assert ended


def test_blas_has_its_buffers_before_memory_is_short():
    code = (
        "import resource; from pathlib import Path; from prismae.cli import _take_buffers\n"
        "def allow(megabytes):\n"
        "    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes << 20), resource.RLIM_INFINITY))\n"
        "import numpy as np; from scipy.linalg import eigh\n"
        "allow(400); _take_buffers(); allow(8); eigh(np.eye(300))"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
