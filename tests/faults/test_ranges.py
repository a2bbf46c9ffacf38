"""Options out of their range, and empty texts for paths and names: one sentence each, before anything runs."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import options_of

import prismae as pr
from prismae import cli
from prismae.discovery import load_discovery
from prismae.errors import InputError, of_machine
from prismae.report import write_report
from prismae.runs import Run
from prismae.studies import Plan

FIT = ["fit", "vae", "own.npy"]
HUGE = "9" * 23


@pytest.fixture
def said(tmp_path, monkeypatch, capfd):
    """Calls the command line in an empty folder; returns the exit code and what it wrote to standard error."""
    monkeypatch.chdir(tmp_path)
    np.save("own.npy", np.random.default_rng(0).normal(size=(20, 4)))

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["prismae", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, capfd.readouterr().err

    return call


@pytest.mark.parametrize(
    "words",
    [
        [*FIT, option, value]
        for option, values in {
            "--seed": ["-1", str(2**32), str(2**64), HUGE],
            "--latents": ["0", "-1", "10001", HUGE],
            "--batch": ["0", "100000000000", HUGE],
            "--steps": ["0", "-3", "100000000000", HUGE],
            "--lr": ["0", "-1", "nan", "inf"],
            "--holdout": ["-0.1", "1", "nan"],
            "--size": ["0", "100000", HUGE],
            "--seeds": ["0"],
            "--checkpoint-every": ["0"],
            "--net": ["mlp:width=0", f"mlp:width={HUGE}"],
        }.items()
        for value in values
    ],
    ids=" ".join,
)
def test_an_option_out_of_its_range_is_one_sentence(words, said):
    code, sentence = said(*words)
    assert code == 2
    assert "Traceback" not in sentence
    assert words[-1].rpartition("=")[2] in sentence or words[-2] in sentence


RUN = "gcae-digits-077e13ba"
PLAN = "{title: t, worlds: digits, methods: {vae: {}}, seeds: [0], budget: {steps: 1}, metrics: {}}"
GIVEN = {
    "fit": ["vae", "own.npy", "--steps", "9"],
    "discover": ["own.npy"],
    "evaluate": [RUN],
    "picture": [RUN, "--kind", "tsne"],
    "sample": [RUN],
    "interpolate": [RUN, "a", "b"],
    "study": ["plan.yaml"],
    "plot": ["plan.yaml"],
}


def numbers():
    """Each option of each command that is a number, with values that are none for it."""
    for command, option, types in options_of(int, float):
        yield command, option, ("-1", HUGE) if int in types else ("-1", "nan", "inf")


@pytest.mark.parametrize(("command", "option", "values"), [*numbers()])
def test_each_option_that_is_a_number_has_a_range(command, option, values, said):
    if RUN in GIVEN[command]:
        shutil.copytree(Path(__file__).parents[1] / "runs" / "0.1" / RUN, RUN)
    Path("plan.yaml").write_text(PLAN)
    before = {*Path().rglob("*")}
    for value in values:
        code, sentence = said(command, *GIVEN[command], f"{option}={value}")
        assert code == 2
        assert "Traceback" not in sentence
        assert value in sentence or option in sentence
    assert {*Path().rglob("*")} == before  # nothing has begun


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["fit", "vae", ""], "After 'vae'"),
        (["fit", "", "own.npy"], "After 'fit'"),
        ([*FIT, "--out", ""], "After '--out'"),
        ([*FIT, "--out= "], "--out"),
        (["evaluate", ""], "After 'evaluate'"),
        (["evaluate", "run", "--label", ""], "After '--label'"),
        (["report", ""], "After 'report'"),
        (["study", ""], "After 'study'"),
        (["plot", "plan.yaml", "--to", ""], "After '--to'"),
        (["table", "plan.yaml", "--rows", ""], "After '--rows'"),
        (["discover", ""], "After 'discover'"),
        (["export", "run", "--codes", "--world", ""], "After '--world'"),
        (["interpolate", "run", "a sentence", ""], "After 'a sentence'"),
    ],
    ids=str,
)
def test_an_empty_text_is_no_path_and_no_name(words, where, said):
    code, sentence = said(*words)
    assert code == 2
    assert f"{where}: expected a value, got an empty text." in sentence


@pytest.mark.parametrize("words", [["--missing", ""], ["--missing="]], ids=" ".join)
def test_what_stands_for_missing_may_be_an_empty_text(words, said):
    assert "nowhere.csv" in said("fit", "vae", "nowhere.csv", *words)[1]


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 3000, "a\0b"], ids=["long", "deep", "zero byte"])
@pytest.mark.parametrize("read", [pr.load, pr.world, load_discovery, Run.open, write_report, Plan.load])
def test_what_no_file_can_be_called_is_not_there(read, name):
    with pytest.raises(InputError, match=r"There is no|holds no discovery|File name too long"):
        read(f"{name}.yaml" if read == Plan.load else f"{name}.csv")


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "x" * 200_000], ids=["two lines", "returned", "long"])
@pytest.mark.parametrize("option", ["--drop", "--factors", "--given", "--missing"])
def test_names_that_no_line_of_commas_holds(option, value, said):
    code, sentence = said(*FIT, option, value)
    assert code == 2
    assert "Traceback" not in sentence
    assert len(sentence) < 1000


def test_codes_that_the_last_step_made_infinite_are_told(said):
    code, sentence = said(*FIT, "--steps", "1", "--net", "mlp:width=8", "--lr", "1e19", "--no-evaluate")
    assert code == 2
    assert "are NaN or infinite: try a smaller learning rate" in " ".join(sentence.split())


def test_a_world_with_a_colon_and_no_split_is_refused(said):
    assert said("fit", "vae", "mnist:")[0] == 2


@pytest.mark.parametrize(
    ("words", "exits", "where"),
    [
        ([*FIT, "--out", "own.npy"], 2, "own.npy"),
        ([*FIT, "--out", "a" * 300], 1, "File name too long"),
        ([*FIT, "--out", "/proc/nothing"], 1, "/proc/nothing"),
    ],
    ids=str,
)
def test_what_the_system_refuses_is_one_sentence(words, exits, where, said):
    code, sentence = said(*words, "--steps", "2", "--no-evaluate")
    assert code == exits
    assert sentence.strip().split("\n")[-1].endswith(".")
    assert where in sentence


def test_errors_of_the_machine_have_sentences_and_others_have_none():
    hidden = f"runs/a/.{'0' * 32}.part/weights.safetensors"
    assert of_machine(OSError(28, "No space left on device", hidden)) == (
        "runs/a/weights.safetensors: No space left on device."
    )
    within = f"runs/.{'0' * 32}.part/.{'1' * 32}.part"  # of a study whose folder is gone
    assert of_machine(OSError(2, "", within)) == "runs: No such file or directory."
    assert of_machine(OSError("It broke")) == "It broke."
    assert "memory" in of_machine(MemoryError())
    assert "memory" in of_machine(
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: x")
    )
    assert "memory" in of_machine(ImportError("x.so: failed to map segment from shared object"))
    assert of_machine(RuntimeError("can't start new thread")) == "No more threads can be started here."
    assert of_machine(ValueError("anything")) is None


def test_brackets_in_names_are_printed_as_they_are(capfd):
    from prismae.cli._app import err, out

    for console in (out, err):
        console.print("runs [red]a/[/x]", highlight=False)
    printed = capfd.readouterr()
    assert printed.out == printed.err == "runs [red]a/[/x]\n"
