"""The command line from end to end, as a user types it, and its answers to mistakes."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from blank import blank_figures
from commands import printed as prismae_command
from PIL import Image

import prismae
from prismae import cli
from prismae.runs.run import Run
from prismae.studies import score

FAST = ["--steps", "30", "--batch", "16", "--latents", "4"]
NARROW = [*FAST, "--net", "mlp:width=16"]


QUICK = ["-p", "critic_warmup=5", "-p", "critic_width=16", "-p", "nodes=stratified", "-p", "n_nodes=4"]
FIT = ["fit", "ed-gcae", "pulses", *NARROW, *QUICK, "--snapshot", "10"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a small finished run, evaluated by two metrics."""
    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prismae", *FIT, "--out", str(out), "--no-evaluate"])
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert not stop.value.code
    folder = next(out.iterdir())
    score(Run.open(folder), metrics=["mig", "sap"])
    return folder


@pytest.mark.slow
def test_a_fit_in_a_process_of_its_own_is_scored_in_both_protocols(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "prismae", *FIT, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder, printed = next(tmp_path.iterdir()), done.stdout
    assert "run folder:" in printed
    assert folder.name in printed
    assert "protocol locatello2019" in printed
    assert "protocol yeats2023" in printed
    scores = json.loads((folder / "scores.json").read_text())
    assert set(scores["protocols"]["yeats2023"]) == {"mig", "fac", "dci", "sap"}


def test_a_run_folder_holds_everything(run):
    names = {path.name for path in run.iterdir()}
    assert {"job.json", "weights.safetensors", "history.parquet", "scores.json", "pictures.npz"} <= names
    assert not [name for name in names if ".part" in name]
    scores = json.loads((run / "scores.json").read_text())
    assert set(scores["protocols"]["yeats2023"]) == {"mig", "sap"}
    assert set(scores["snapshots"]["10"]) == {"locatello2019", "yeats2023"}
    assert len(scores["spread"]) == 4


def test_evaluate_prints_json_and_keeps_what_was_there(run, capfd):
    words = [
        "evaluate",
        run,
        "--metrics",
        "mig",
        "--protocol",
        "locatello2019",
        "--bootstrap",
        "20",
        "--json",
    ]
    code, out, _ = prismae_command(capfd, *words)
    assert code == 0
    found = json.loads(out)
    mig = found["protocols"]["locatello2019"]["mig"]
    assert mig["lower"] <= mig["score"] <= mig["upper"]
    assert mig["chance"] < mig["ceiling"]
    assert "yeats2023" in found["protocols"]


def test_report_is_one_file_with_curves_of_each_sigma(run, capfd):
    code, out, _ = prismae_command(capfd, "report", run)
    assert code == 0
    assert "report.html" in out
    page = (run / "report.html").read_text()
    for part in ("sigma", "yeats2023", "locatello2019", "dependence"):
        assert part in page


def test_a_run_is_meant_by_the_beginning_of_its_name_or_as_the_last(run, capfd, tmp_path, monkeypatch):
    blank_figures(monkeypatch)
    for words in ([run.parent / run.name[:-3]], ["--last", "--out", run.parent]):
        code, out, err = prismae_command(capfd, "report", *words)
        assert (code, err) == (0, "")
        assert out == f"report: {run / 'report.html'}\n"
    (tmp_path / "ab1").mkdir()
    (tmp_path / "ab2").mkdir()
    for each in ("ab1", "ab2"):
        (tmp_path / each / "job.json").write_text("{}")
    for words, said in (
        ([tmp_path / "ab"], "begins the names of several runs"),
        (["--last", "--out", tmp_path], "There is no finished run"),
        ([], "Expected a run folder or --last, and not both"),
        ([run, "--last"], "Expected a run folder or --last, and not both"),
    ):
        code, _, err = prismae_command(capfd, "report", *words)
        assert code == 2
        assert said in err


def test_the_same_fit_is_not_trained_twice(run, capfd, monkeypatch):
    job = json.loads((run / "job.json").read_text())
    settings = [word for k, v in job["fields"].items() for word in ("-p", f"{k}={v}")]
    monkeypatch.setattr("prismae.studies.fit.train", lambda *args, **kwargs: pytest.fail("trained again"))
    words = [
        "fit",
        "ed-gcae",
        "pulses",
        *NARROW,
        *settings,
        "--snapshot",
        "10",
        "--out",
        run.parent,
        "--no-evaluate",
    ]
    code, out, _ = prismae_command(capfd, *words)
    assert code == 0
    assert run.name in out
    assert "already done" in out
    assert f"next: prismae report {run}" in out


def test_own_data_with_and_without_factors(tmp_path, capfd, monkeypatch):
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, size=(60, 2))
    x = (factors @ rng.normal(size=(2, 12)) + 0.1 * rng.normal(size=(60, 12))).astype(np.float32)
    np.savez(tmp_path / "known.npz", x=x, factors=factors)
    np.save(tmp_path / "bare.npy", x)
    blank_figures(monkeypatch)
    for name, said in (("known.npz", "mig"), ("bare.npy", "no known factors")):
        code, out, err = prismae_command(
            capfd, "fit", "vae", tmp_path / name, *NARROW, "--out", tmp_path / "runs"
        )
        assert code == 0, err
        assert said in out
        code, _, err = prismae_command(capfd, "report", *(tmp_path / "runs").iterdir())
        assert code == 0, err
        shutil.rmtree(tmp_path / "runs")


def test_a_folder_here_needs_no_slash(tmp_path, capfd, monkeypatch):
    (tmp_path / "photos").mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, size=(20, 8, 8), dtype=np.uint8)):
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    code, out, err = prismae_command(capfd, "fit", "vae", "photos", *FAST)
    assert code == 0, err
    assert "20 observations of shape 1x8x8" in out
    assert (tmp_path / "runs").is_dir()


def test_a_table_with_factors_and_held_out_rows(tmp_path, capfd):
    rng = np.random.default_rng(0)
    rows = [
        f"{a:.3f},{b:.3f},{'xyz'[k]}"
        for a, b, k in zip(*rng.normal(size=(2, 60)), rng.integers(3, size=60), strict=True)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,kind", *rows]) + "\n")
    words = ["fit", "vae", tmp_path / "t.csv", *FAST, "--factors", "kind", "--out", tmp_path / "runs"]
    code, out, err = prismae_command(capfd, *words, "--holdout", "0.5")
    assert code == 0, err
    assert "own file t.csv: 30 observations of shape 2 (of 2 numeric and 0 categorical columns)" in out
    assert "factors: kind (3 values)" in out
    assert "network mlp:width=256, likelihood gaussian-learned" in out
    assert "of 30 unseen observations" in out
    code, _, err = prismae_command(capfd, *words, "--size", "8")
    assert code != 0
    assert "t.csv is no folder of images" in err


@pytest.mark.parametrize("what", ["methods", "metrics", "worlds", "controllers", "nets", "likelihoods"])
def test_list(what, capfd):
    code, out, _ = prismae_command(capfd, "list", what, "--json")
    assert code == 0
    found = json.loads(out)
    expected = {
        "methods": "ed-gcae",
        "metrics": "mig",
        "worlds": "beamsynthesis",
        "controllers": "pi",
        "nets": "conv5",
        "likelihoods": "gaussian-learned",
    }[what]
    assert found[expected]
    assert expected in prismae_command(capfd, "list", what)[1]


def test_version(capfd):
    assert prismae_command(capfd, "--version")[1] == f"prismae {prismae.__version__}\n"


MISTAKES = {
    "unknown method": (["fit", "ed-gca", "pulses"], "Unknown method 'ed-gca': did you mean 'ed-gcae'"),
    "unknown world": (["fit", "vae", "pulse"], "Unknown world 'pulse': did you mean 'pulses'"),
    "unknown field": (
        ["fit", "gcae", "pulses", "-p", "sigm=1"],
        "Unknown field of gcae 'sigm': did you mean 'sigma'",
    ),
    "a field of another type": (
        ["fit", "gcae", "pulses", "-p", "sigma=big"],
        "gcae: sigma should be a valid number",
    ),
    "a field out of range": (
        ["fit", "ed-gcae", "pulses", "-p", "alpha=2"],
        "alpha should be less than or equal to 1",
    ),
    "a field of another word": (
        ["fit", "gcae", "pulses", "-p", "nodes=x"],
        "should be 'independent' or 'stratified'",
    ),
    "a field without value": (["fit", "gcae", "pulses", "-p", "sigma"], "expected FIELD=VALUE"),
    "bounds that cross": (
        ["fit", "ed-gcae", "pulses", "-p", "sigma_max=0.1"],
        "sigma_min should be at most sigma_max",
    ),
    "no steps": (
        ["fit", "vae", "pulses", "--steps", "0"],
        "steps should be greater than or equal to 1 or 'auto', got 0",
    ),
    "unknown network": (
        ["fit", "vae", "pulses", "--net", "mpl"],
        "Unknown network 'mpl': did you mean 'mlp'",
    ),
    "a network that does not fit": (
        ["fit", "vae", "pulses", "--net", "conv"],
        "needs images of at least 8x8 pixels",
    ),
    "unknown precision": (
        ["fit", "vae", "pulses", "--precision", "16"],
        "precision should be '32' or 'bf16'",
    ),
    "unknown device": (
        ["fit", "vae", "pulses", "--device", "cud"],
        "Unknown device 'cud': did you mean 'cuda'",
    ),
    "snapshot too late": (
        ["fit", "vae", "pulses", "--snapshot", "20000"],
        "snapshots are taken at steps that are known, so steps should be a number, got 'auto'",
    ),
    "a likelihood that does not fit": (
        ["fit", "vae", "pulses", "--likelihood", "bernoulli"],
        "needs data in [0, 1], but they range from",
    ),
    "a likelihood that the method has not": (
        ["fit", "gcae", "digits", "--likelihood", "bernoulli"],
        "gcae is defined with likelihood 'mse', got 'bernoulli'",
    ),
    "no such file": (["fit", "vae", "nothing.npy"], "nothing.npy"),
    "no run folder": (["evaluate", "nowhere"], "There is no run folder 'nowhere'"),
    "no run folder to report": (["report", "nowhere"], "There is no run folder 'nowhere'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_by_one_sentence_and_exit_code_2(mistake, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, expected = MISTAKES[mistake]
    code, _, err = prismae_command(capfd, *words)
    assert code == 2
    assert expected in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("weights.safetensors"))


BAD_DATA = {
    "infinity": (np.array([[1.0, 2.0], [np.inf, 3.0], [4.0, 5.0]]), "1 value is infinite"),
    "wrong rank": (np.zeros(5), "observations of shape (5,) cannot be used"),
    "a single sample": (np.ones((1, 4)), "expected at least two"),
    "no values": (
        np.array([[np.nan, 2.0], [np.nan, 3.0], [np.nan, 5.0]]),
        "1 of 2 columns have no values (0)",
    ),
    "strings": (np.array([["a", "b"]]), "expected numbers"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_answered_by_one_sentence_and_exit_code_2(case, capfd, tmp_path):
    values, expected = BAD_DATA[case]
    np.save(tmp_path / "bad.npy", values)
    code, _, err = prismae_command(capfd, "fit", "vae", tmp_path / "bad.npy", "--out", tmp_path / "runs")
    assert code == 2
    assert expected in err
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_missing_data_without_a_network_says_where_to_put_the_file(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("PRISMAE_DATA", str(tmp_path))
    monkeypatch.setattr("prismae.data.worlds.beamsynthesis.URL", (tmp_path / "absent.zip").as_uri())
    monkeypatch.setattr("prismae.data.files.user_cache", lambda: tmp_path / "cache")
    code, _, err = prismae_command(capfd, "fit", "vae", "beamsynthesis")
    assert code == 2
    assert f"put it at {tmp_path / 'beamsynthesis' / 'beamsynthesis.zip'}" in err


def test_a_corrupted_official_file_names_both_checksums(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("PRISMAE_DATA", str(tmp_path))
    (tmp_path / "beamsynthesis").mkdir()
    (tmp_path / "beamsynthesis" / "beamsynthesis.zip").write_bytes(b"not the zip")
    code, _, err = prismae_command(capfd, "fit", "vae", "beamsynthesis")
    assert code == 2
    for checksum in (  # expected, found
        "1b6ae30328ac5ef371e1f467257c6443baec7caa584557792db7446c1f6e4d0c",
        hashlib.sha256(b"not the zip").hexdigest(),
    ):
        assert checksum in err


@pytest.mark.parametrize("damage", ["no weights", "no job", "cut weights", "cut job"])
def test_an_incomplete_run_folder_is_answered_by_one_sentence(damage, run, capfd, tmp_path):
    broken = shutil.copytree(run, tmp_path / "broken")
    what, name = damage.split()
    path = broken / {"weights": "weights.safetensors", "job": "job.json"}[name]
    if what == "no":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:50])
    code, _, err = prismae_command(capfd, "evaluate", broken)
    assert code == 2
    assert path.name in err
    assert err.count("\n") == 1


def test_a_command_leaves_the_signals_as_they_were(capfd):
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)]
    assert prismae_command(capfd, "--version")[0] == 0
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)] == before
