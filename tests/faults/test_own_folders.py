"""What is written is there whole or not at all, wherever a process is killed, and nothing is left in the end."""

import os
import subprocess
import sys

import pytest
from faulty import shim

from prismae._files import own_folder, sweep, written_whole

WRITER = """
import ctypes, os, sys
from pathlib import Path
from prismae._files import written_whole
shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
for at in range(1, 100):
    child = os.fork()
    if child == 0:
        shim.faults_arm(at, 0, 1, 0)
        with written_whole(Path("file.txt")) as part:
            part.write_text("new")
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, Path("file.txt").read_text(), len(os.listdir()))
    Path("file.txt").write_text("old")
    with written_whole(Path("other.txt")) as part:
        part.write_text("")
    assert sorted(os.listdir()) == ["file.txt", "other.txt"]
    if code == 0:
        break
"""


def test_a_kill_at_any_call_leaves_the_old_file_or_the_new_one_and_the_next_writer_clears_up(tmp_path):
    library = shim(tmp_path)
    if library is None:
        pytest.skip("needs Linux and a C compiler")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "file.txt").write_text("old")
    said = subprocess.run(
        [sys.executable, "-c", WRITER],
        cwd=folder,
        env=os.environ | {"LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    ends = [line.split() for line in said if line]
    assert len(ends) > 6
    assert {code for code, _, _ in ends[:-1]} == {"-9"}
    contents = [content for _, content, _ in ends]
    assert contents == sorted(contents, reverse=True)  # the old one up to some call, then the new one
    assert set(contents) == {"old", "new"}
    assert max(int(entries) for *_, entries in ends) == 3  # the kill did leave a folder


def test_a_folder_that_is_worked_in_is_not_swept(tmp_path):
    with own_folder(tmp_path) as own:
        (own / "part").write_text("half")
        sweep(tmp_path)
        with own_folder(tmp_path) as other:
            assert other != own
        assert (own / "part").read_text() == "half"
    assert not any(tmp_path.iterdir())


def test_what_another_process_works_in_stays_until_it_ends(tmp_path):
    code = (
        "import os, sys, pathlib; from prismae._files import own_folder\n"
        "with own_folder(pathlib.Path()) as own:\n"
        "    (own / 'part').write_text('half'); print(own, flush=True); sys.stdin.read(); os._exit(9)"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    own = tmp_path / worker.stdout.readline().strip()
    sweep(tmp_path)
    assert (own / "part").exists()
    worker.communicate()
    sweep(tmp_path)
    assert not any(tmp_path.iterdir())


def test_only_folders_of_that_name_are_swept_and_links_are_not_followed(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "data").write_text("1")
    names = (".part", ".hidden.part", f".{'0' * 31}g.part", f"{'0' * 32}.part")
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / f".{'a' * 32}.part").symlink_to(mine)
    sweep(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"mine", *names, f".{'a' * 32}.part"}
    assert [each.name for each in mine.iterdir()] == ["data"]


def test_what_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail():
        with written_whole(path) as part:
            part.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]
