"""What commands say along the way: help, -q, the log file, paths, and the bar at 80 columns."""

import io
import json
import os
import re
import shlex
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from commands import printed
from rich.cells import cell_len
from rich.console import Console

from prismae import cli
from prismae._progress import Bar, Screen, bars
from prismae._text import together_on_page
from prismae.cli._app import COMMANDS, PANELS, loaded, out, tell
from prismae.cli.evaluate import print_scores
from prismae.data.array_files import ARRAYS
from prismae.data.packed_text import PACKED
from prismae.data.recordings import AUDIO
from prismae.data.table_files import BINARY_TABLES, TEXT_TABLES
from prismae.data.text import SUFFIXES as TEXTS
from prismae.errors import of_machine
from prismae.nets import all_likelihoods, all_nets
from prismae.runs.run import Run
from prismae.runs.verdict import Finding
from prismae.train.progress import Progress

FIT = ["fit", "vae", "digits", "--steps", "20", "--batch", "16", "--latents", "2", "--no-evaluate"]


def said(capfd, *words):
    """Exit code, standard output and error of a command, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prismae", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, *capfd.readouterr()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_that_the_command_understands(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    command = loaded(name)
    first, *lines = command.epilog.split("\n\n")
    assert first == "Examples:"
    assert lines
    for line in lines:
        _, called, *words = shlex.split(line)
        assert called == name
        words = [word for word in words if not word.endswith(".log")] if "--log-file" in words else words
        command.make_context(name, [word for word in words if word != "--log-file"])


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_flags_as_flags_and_no_names_of_python(name, capfd, monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    printed = said(capfd, name, "-h")[1]
    assert "<bool>" not in printed
    assert not re.search(r"<(list|.* range)\b", printed)
    assert re.search(r"--quiet +-q +Print", printed)
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 70, 80])
def test_help_cuts_no_word_in_a_narrow_terminal(width, capfd, monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", width)
    for name in (None, *COMMANDS):
        printed = said(capfd, *filter(None, [name]), "-h")[1]
        assert max(map(len, printed.splitlines())) <= width
        assert re.findall(r"[^\s│]*(?<!,)…", printed) == [], name  # NAME,… is no cut
        params = loaded(name).params if name else ()
        for option in (word for each in params for word in each.opts if word.startswith("-")):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", printed), (name, option)


def test_help_of_all_shows_flags_as_flags(capfd):
    assert "<bool>" not in said(capfd, "-h")[1]


def test_help_of_fit_is_grouped_and_names_every_suffix_and_network(capfd, monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    panels = [getattr(each, "rich_help_panel", None) for each in loaded("fit").params]
    assert list(dict.fromkeys(each for each in panels if each)) == [*PANELS]
    printed = said(capfd, "fit", "--help")[1]
    assert max(map(len, printed.splitlines())) <= 80
    assert not re.search(r"--[\w-]*…", printed)  # no option is cut
    text = re.sub(r"[\s│]+", " ", printed)
    names = (
        *ARRAYS,
        *TEXT_TABLES,
        *PACKED[1:],
        *BINARY_TABLES,
        *TEXTS,
        AUDIO[0],
        *all_nets(),
        *all_likelihoods(),
    )
    for word in names:
        assert re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text), word


def test_quietly_only_the_path_of_the_result_is_printed_and_the_log_has_the_rest(capfd, tmp_path):
    log = tmp_path / "fit.log"
    words = [*FIT, "--out", tmp_path / "[bold]a:dog:b", "--log-file", log]
    code, printed, _ = said(capfd, *words, "-q")
    assert code == 0
    folder = next((tmp_path / "[bold]a:dog:b").iterdir())
    assert printed == f"{folder}\n"
    logged = log.read_text()
    assert f"run folder: {folder}\n" in logged
    assert "step 20 of 20  recon" in logged
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line) for line in logged.splitlines()[:1])
    printed = said(capfd, *words)[1]  # once more, aloud: the quiet and the log of the first are over
    assert "already done, nothing is trained again\n" in printed
    assert f"run folder: {folder}\n" in printed
    assert f"next: prismae report {shlex.quote(str(folder))}\n" in printed
    assert not out.quiet
    files = tmp_path / "files"
    code, printed, _ = said(
        capfd, "export", folder, "--codes", "--hub", tmp_path / "hub", "--to", files, "-q"
    )
    assert (code, printed) == (0, f"{tmp_path / 'hub'}\n{files / 'codes.parquet'}\n")


def test_the_log_has_the_error_that_ended_a_command(capfd, tmp_path):
    log = tmp_path / "fit.log"
    code, _, err = said(capfd, "report", tmp_path / "nowhere", "--log-file", log)
    assert code == 2
    assert err.strip() in log.read_text()
    said(capfd, "list", "nets")
    assert len(log.read_text().splitlines()) == 1  # it is closed


def test_what_is_asked_for_is_printed_quietly_too(capfd):
    assert said(capfd, "list", "methods", "-q") == said(capfd, "list", "methods")


@pytest.mark.parametrize("left", [True, False])
def test_a_bar_of_80_columns_keeps_its_numbers_and_cuts_its_note(left):
    printed = io.StringIO()
    console = Console(width=80, file=printed, force_terminal=True)
    shown = bars(left=left, console=console)
    task = shown.add_task("training", total=1_000_000, note="")
    shown.update(task, completed=250_000, note="  ".join(f"term{i} -123.4567" for i in range(6)))
    console.print(shown.get_renderable())
    line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.getvalue()).rstrip()
    assert "250000/1000000 0:00:00" in line
    assert ("0:00:00 -:--:-- term0" in line) == left
    assert len(line) <= 80
    assert line.endswith("…")


def test_a_critic_s_warm_up_has_a_bar_of_its_own_and_the_training_s_time_starts_after_it():
    progress = Progress(steps=100, enabled=False)
    progress.warm_up(1, 3)
    training, warming = progress.bars.tasks
    assert (warming.total, warming.completed, training.visible) == (3, 1, False)
    progress.warm_up(3, 3)
    (training,) = progress.bars.tasks
    assert (training.visible, training.completed, training.total) == (True, 0, 100)


def test_signs_that_an_encoding_has_not_are_written_as_their_like():
    assert cli.LIKE
    assert "−131.5 ± 2 … β".encode("ascii", "prismae") == b"-131.5 +- 2 ... \\u03b2"


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_bar_that_goes_leaves_no_empty_line_where_nothing_can_go(monkeypatch, kind):
    for each in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("TERM", kind)
    written = io.StringIO()
    monkeypatch.setattr(written, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", written)
    with Bar("encoding", 3, enabled=True) as bar:
        bar.advance(3)
    assert bool(written.getvalue()) == (kind == "xterm")


def test_no_number_of_a_table_is_cut_in_a_narrow_terminal():
    score = {
        "score": 0.123,
        "lower": 0.101,
        "upper": 0.145,
        "ceiling": 0.987,
        "chance": 0.012,
        "better": "higher",
    }
    protocols = {"locatello2019": {"mutual-information-gap": score, "dci": score}}
    shown = io.StringIO()
    print_scores(
        {"reconstruction": None, "protocols": protocols, "skipped": {}}, Console(file=shown, width=40)
    )
    assert "…" not in shown.getvalue()
    words = [
        "mutual-information-gap",
        "score",
        "0.123",
        "ceiling",
        "0.987",
        "chance",
        "0.0120",
        "better",
        "higher",
    ]
    assert set(words) <= set(shown.getvalue().split())  # none is parted
    digits = Counter(filter(str.isdigit, shown.getvalue()))
    wide = io.StringIO()
    print_scores(
        {"reconstruction": None, "protocols": protocols, "skipped": {}}, Console(file=wide, width=200)
    )
    assert digits == Counter(filter(str.isdigit, wide.getvalue()))


def test_no_word_of_a_table_is_parted_at_80_columns():
    score = {
        "score": 0.123,
        "lower": None,
        "upper": None,
        "ceiling": 0.987,
        "chance": 0.012,
        "better": "higher",
    }
    score["beside"] = {"pca": 0.372, "ica": 0.031, "untrained": 0.046}
    protocols = {"locatello2019": {"factor-vae-score": score, "mig": score}}
    unseen = {"n": 9, "reconstruction": None, "protocols": protocols}
    shown = io.StringIO()
    console = Console(file=shown, width=80)
    print_scores({"reconstruction": None, "protocols": protocols, "unseen": unseen}, console)
    text = shown.getvalue()
    assert all(word in text for word in ("factor-vae-score", "untrained", "ceiling", "higher", "0.372"))
    assert max(map(len, text.splitlines())) <= 80


def test_sentences_in_wide_characters_end_at_the_edge_of_the_terminal():
    page = Screen(file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), width=40, force_terminal=True)
    tell(page, " ".join(["列 '東京病院の患者' has", "😀😀😀 values"] * 6))
    page.file.seek(0)
    cells = [cell_len(line.rstrip("\n")) for line in page.file.readlines()]
    assert max(cells) <= 40
    assert len(cells) > 4


SENTENCE = "the codes agree with them at |r| = 0.84, and 95.2\u00a0% ± 0.3 of it are explained by z3 1.2 nats"


@pytest.mark.parametrize("width", range(20, 60, 3))
def test_lines_of_a_terminal_end_between_words_and_never_before_a_number(width):
    page = Screen(file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), width=width, force_terminal=True)
    tell(page, SENTENCE)
    page.file.seek(0)
    lines = [line.rstrip("\n") for line in page.file.readlines()]
    assert max(map(len, lines)) <= width
    assert len(lines) > 1
    assert " ".join(lines).replace("\u00a0", " ") == SENTENCE.replace("\u00a0", " ")
    assert not any(line.endswith(("|r|", "=", "±", "95.2", "z3")) for line in lines)


def test_a_pipe_gets_one_line_of_plain_spaces_and_a_path_stands_in_one_piece():
    told = io.StringIO()
    page = Screen(file=told, width=30)
    tell(page, SENTENCE)
    assert told.getvalue() == SENTENCE.replace("\u00a0", " ") + "\n"
    told = io.StringIO()
    page = Screen(file=told, width=30, force_terminal=True)
    path = "runs/" + 50 * "a" + "-1/report.html"
    tell(page, f"see {path}")
    assert path in told.getvalue()


def test_signs_stay_with_their_numbers_on_pages_and_code_is_left_alone():
    assert together_on_page("d \u22120.9, p 0.041 (t, 5)") == "d\u00a0\u22120.9, p\u00a00.041 (t,\u00a05)"
    assert together_on_page("at |r| = 0.8") == "at |r|\u2060\u00a0=\u00a00.8"
    page = "<p>at |r| = <b>1</b> and p &lt; 0.01, k = 3</p><code>k = 3</code><script>a = 3 % 2</script><i>5 %</i>"
    assert together_on_page(page) == (
        "<p>at |r| = <b>1</b> and p\u00a0&lt;\u00a00.01, k\u00a0=\u00a03</p><code>k = 3</code>"
        "<script>a = 3 % 2</script><i>5\u00a0%</i>"
    )


def test_names_and_options_stay_in_one_piece_on_pages():
    said = "<p title='P-1'>worst: P-0500, P-0635 (--holdout 0.2, beta-vae)</p>"
    page = f"{said}<code>a run-1 --full</code><title>P-1</title>"
    pieces = re.findall('<span class="piece">(.*?)</span>', together_on_page(page))
    assert pieces == ["P-0500,", "P-0635", "(--holdout", "run-1", "--full"]
    assert re.sub("</?span[^>]*>", "", together_on_page(page)) == page


@pytest.mark.parametrize(
    "words", [("fit", "vae", "digits"), ("study", "plan.yaml"), ("discover", "here.csv")]
)
def test_a_folder_that_cannot_be_written_is_told_before_anything_is_read(words, capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and allowed(path, mode))
    code, _, told = said(capfd, *words)
    assert code == 2
    assert f"Nothing can be written in {tmp_path}, where run folders would be kept: --out FOLDER" in told
    assert not list(tmp_path.iterdir())


def test_a_run_that_cannot_be_written_is_told_before_it_is_scored(capfd, monkeypatch, tmp_path):
    run = Path(shutil.copytree(Path(__file__).parent / "runs/0.1/gcae-digits-077e13ba", tmp_path / "run"))
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not (Path(path) == run and mode & os.W_OK) and allowed(path, mode)
    )
    code, _, told = said(capfd, "evaluate", run)
    assert code == 2
    assert f"Nothing can be written in {run}, where the scores would be kept: copy the run" in told


def test_scores_of_a_training_that_broke_are_told_with_its_verdict(capfd, tmp_path):
    assert said(capfd, *FIT, "--net", "mlp:width=4", "--out", tmp_path)[0] == 0
    run = Run.open(next(path for path in tmp_path.iterdir() if path.is_dir()))
    broke = Finding("set-back", "The training was thrown back and has not recovered.")
    run.write_json("verdict.json", replace(run.verdict, findings=(broke,)).to_json())
    code, _, told = said(capfd, "evaluate", run.path, "--metrics", "mig")
    assert code == 0
    assert "warning: The training was thrown back and has not recovered." in told


@pytest.mark.parametrize(
    "words", [("fit", "vae", "digits"), ("study", "plan.yaml"), ("discover", "here.csv")]
)
def test_a_file_in_place_of_a_folder_is_told_before_anything_is_read(words, capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("own.npz").write_text("mine")
    os.symlink("gone", "link")
    for place, told_of in (
        ("own.npz", "own.npz"),
        ("own.npz/runs", "own.npz"),
        ("link", "link"),
        ("link/a", "link"),
    ):
        code, _, told = said(capfd, *words, "--out", place)
        assert code == 2
        assert f"{told_of} is no folder, where run folders would be kept: --out FOLDER" in told
    assert Path("own.npz").read_text() == "mine"


def test_ctrl_c_before_a_command_runs_is_one_sentence(capfd, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert said(capfd, "fit") == (130, "", "Ended by Ctrl-C; the same command goes on.\n")


def test_a_log_is_added_to_logs_only(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("data.csv", "log.txt", "new.txt"):
        Path(name).write_text(
            {"data.csv": "a,b\n1,2\n", "log.txt": "2026-01-01 00:00:00  before\n"}.get(name, "")
        )
    code, _, told = said(capfd, "rows", "merge", "gone.csv", "--log-file", "data.csv")
    assert (code, Path("data.csv").read_text()) == (2, "a,b\n1,2\n")
    assert "--log-file data.csv: it is no log" in told
    for name in ("log.txt", "new.txt"):
        assert "There is no file of rows" in said(capfd, "rows", "merge", "gone.csv", "--log-file", name)[2]
    assert Path("log.txt").read_text().startswith("2026-01-01 00:00:00  before\n")


def test_the_place_of_a_failure_is_the_folder_that_was_asked_for():
    hidden = f"runs/a/figures/.{32 * 'a'}.part"
    assert (
        of_machine(PermissionError(13, "Permission denied", hidden)) == "runs/a/figures: Permission denied."
    )
    bare = f".{32 * 'a'}.part"
    assert of_machine(IsADirectoryError(21, "Is a directory", bare)) == ".: Is a directory."


def test_options_of_several_values_are_repeated_or_have_commas(capfd, tmp_path):
    """Of a repeated one the last was taken, and the others were lost."""
    table = tmp_path / "x.csv"
    table.write_text('x,y,a,b,"c, d",e\n' + "".join(f"{i * i},{i % 3},-,n.a.,?,{i}\n" for i in range(20)))
    words = ["fit", "vae", table, *FIT[3:], "--net", "mlp:width=4", "--out", tmp_path / "runs"]
    words += ["--drop", "a,b", "--drop", '"c, d"', "--drop=e", "--missing", "-", "--missing", ""]
    code, _, err = said(capfd, *words)
    assert code == 0, err
    (job,) = (tmp_path / "runs").glob("*/job.json")
    read = json.loads(job.read_text())
    assert read["drop"] == ["a", "b", "c, d", "e"]
    assert read["missing"] == ["-", ""]


def test_fit_names_all_that_is_wrong_at_once(tmp_path, capfd):
    wrong = ["fit", "vea", f"{tmp_path}/none.csv", "--steps", "-3", "--batch", "0", "--size", "-1"]
    code, _, said = printed(capfd, *wrong)
    assert code == 2
    for each in (
        "Unknown method 'vea'",
        "There is no file or folder",
        "steps should be",
        "batch should",
        "size should",
    ):
        assert each in said
