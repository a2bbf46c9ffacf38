"""The command line answers before PyTorch could be imported: versions, help, lists and completion need none of it."""

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "pandas", "sklearn", "matplotlib")


def loaded_after(*words, **environment):
    """What a command prints, and which of the heavy packages it imported."""
    program = (
        "import sys\nfrom prismae.cli import main\nsys.argv = ['prismae', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--version"], "prismae "),
        (["--help"], "Train METHOD on WORLD"),
        (["-h"], "Studies"),
        (["list", "methods"], "beta-tcvae"),
        (["list", "metrics", "--json"], '"mig"'),
        (["fit", "--help"], "--latents"),
    ],
)
def test_answers_import_nothing_heavy(words, said):
    printed, heavy = loaded_after(*words)
    assert said in printed
    assert heavy == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [("prismae st", "study"), ("prismae fit beta-t", "beta-tcvae"), ("prismae fit vae puls", "pulses")],
)
def test_completion_knows_commands_methods_and_worlds(line, said):
    words = {"_PRISMAE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    printed, heavy = loaded_after(**words)
    assert printed.split() == [said]
    assert heavy == ""


def test_completion_knows_run_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "vae-digits-1").mkdir(parents=True)
    (tmp_path / "runs" / "vae-digits-1" / "job.json").write_text("{}")
    (tmp_path / "pictures").mkdir()
    from prismae.cli._app import completed_runs

    assert completed_runs("") == ["runs/"]
    assert completed_runs("runs/") == ["runs/vae-digits-1"]
    assert completed_runs("runs/vae") == ["runs/vae-digits-1"]
    assert completed_runs("nowhere/") == []


def test_the_lines_of_help_are_the_commands_own():
    from prismae.cli._app import COMMANDS, loaded

    for name, (_, _, line) in COMMANDS.items():
        assert loaded(name).help.split("\n\n")[0].replace("\n", " ") == line


@pytest.mark.skipif(
    sys.platform != "linux", reason="PyTorch has GNU's OpenMP there, which tells its settings"
)
@pytest.mark.parametrize(("given", "said"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_that_wait_sleep_unless_the_user_has_them_spin(given, said):
    program = (
        "import sys\nfrom prismae.cli import main\nsys.argv = ['prismae', '--version']\n"
        "try:\n    main()\nexcept SystemExit:\n    import torch\n"
    )
    usual = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=usual | {"OMP_DISPLAY_ENV": "TRUE"} | given,
        timeout=60,
        check=True,
    )
    assert f"OMP_WAIT_POLICY = '{said}'" in done.stderr
