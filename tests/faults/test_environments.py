"""Where a terminal has few letters, a command says the same."""

import os
import subprocess
import sys
from pathlib import Path

from commands import printed

ROOT = Path(__file__).parents[2]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}


def command(*words, folder, **environment):
    return subprocess.run(
        [sys.executable, "-m", "prismae", *map(str, words)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )


def test_a_table_is_printed_where_there_is_ascii_only(tmp_path, capfd):
    plan, rows = ROOT / "plans" / "ed_gcae_table2.yaml", ROOT / "results" / "ed_gcae_table2.paper.csv"
    words = ("table", plan, "--profile", "paper", "--rows", rows)
    few = command(*words, folder=tmp_path, **ASCII)
    assert (few.returncode, few.stderr) == (0, b"")
    _, usual, _ = printed(capfd, *words)
    assert few.stdout.decode("ascii") == usual.encode("ascii", "backslashreplace").decode()
    assert b"\\xb1" in few.stdout


def test_a_folder_that_is_gone_is_one_sentence(tmp_path, capfd, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, out, err = printed(capfd, "list", "methods")
    assert (code, out, err) == (2, "", "The current folder was removed or moved: change to another one.\n")
