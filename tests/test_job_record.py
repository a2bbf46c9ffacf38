"""A job.json with a value altered or missing: one sentence, or a run that can be read; never a traceback."""

import json
import shutil
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from commands import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import prismae as pr
from prismae.errors import InputError
from prismae.report.findings import findings
from prismae.report.html import latent_table, sentence, tiles
from prismae.runs.job_record import JobRecord
from prismae.runs.observations import observations
from prismae.runs.run import Run

RUNS = Path(__file__).parent / "runs" / "0.1"
NAMES = ("beta-tcvae-table-7993c120", "gcae-digits-077e13ba", "saved_series")
HUGE = (10**10, 2**63, 2**64, -(2**64), 10**30, 1e308, -1e308, float("inf"), float("nan"), "x" * 10_000)
plain = st.none() | st.booleans() | st.integers(-3, 70) | st.floats(-5, 5) | st.text(max_size=5)
plain |= st.sampled_from(HUGE) | st.sampled_from(["../..", "/etc/passwd", "\0", "<script>", "[/x]"])
values = plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=4), plain, max_size=2)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("old")
    shutil.copytree(RUNS, home, dirs_exist_ok=True)
    return home


@pytest.mark.parametrize("name", NAMES)
def test_schema_knows_all_that_version_0_1_wrote(name):
    assert json.loads((RUNS / name / "job.json").read_text()).keys() <= JobRecord.__annotations__.keys()


def tried(examples):
    """How often an altered job.json is tried."""
    checks = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=checks)


def read_altered(home, name, data):
    """Read a run whose job.json has a value altered, at any depth, or missing."""
    folder = home / name
    job = json.loads((RUNS / name / "job.json").read_text())
    inside, key = job, data.draw(st.sampled_from(sorted(job)))
    while isinstance(inside[key], dict | list) and inside[key] and data.draw(st.booleans()):
        inside = inside[key]
        key = data.draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
    if data.draw(st.booleans()):
        inside[key] = data.draw(values)
    else:
        del inside[key]
    (folder / "job.json").write_text(json.dumps(job))
    for read in (_load, _report, _observations):
        with suppress(InputError):
            read(folder)


@pytest.mark.parametrize("name", NAMES)
@tried(17)
@given(data=st.data())
def test_an_altered_value_is_one_sentence_or_can_be_read(home, monkeypatch, name, data):
    monkeypatch.chdir(home)
    read_altered(home, name, data)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
@tried(700)
@given(data=st.data())
def test_two_thousand_altered_values_are_one_sentence_or_can_be_read(home, monkeypatch, name, data):
    monkeypatch.chdir(home)
    read_altered(home, name, data)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_altered_is_read(tmp_path, monkeypatch, name):
    shutil.copytree(RUNS, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    _load(tmp_path / name)
    _report(tmp_path / name)
    if name != "saved_series":
        _observations(tmp_path / name)


def _load(folder):
    pr.load(folder)


def _report(folder):
    run = Run(folder).read()
    assert (sentence(run.job), tiles(run), latent_table(run), findings(run)) is not None
    if "originals" in run.pictures:
        run.shown.in_units(run.pictures["originals"])


def _observations(folder):
    observations(Run.open(folder).job)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_latents": "three"}, "n_latents: should be a valid integer, got 'three'"),
        ({"summary": {"mean": 0.0}}, "summary.std: Field required"),
        ({"shape": []}, "shape: List should have at least 1 item"),
        ({"channels": {"means": [0.0], "stds": [1.0, 1.0]}}, "channels.stds is of 2 numbers, and shape of 1"),
        (
            {"table": {"columns": ["a"], "scaling": {}, "categories": {}}},
            "table is of 0 numbers, and shape of 1",
        ),
        ({"controls": [{}]}, "controls.0.controller: Field required"),
    ],
)
def test_faults_are_named_with_the_file(tmp_path, change, words):
    shutil.copytree(RUNS / NAMES[1], tmp_path / "run")
    path = tmp_path / "run" / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    for read in (pr.load, lambda folder: Run(folder).read()):
        with pytest.raises(InputError) as said:
            read(tmp_path / "run")
        assert str(path) in str(said.value)
        assert words in str(said.value)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (None, "shape is missing, and channels says that there is one"),
        ([2], "has observations of the shape [2, 24], and job.json says [2]"),
    ],
    ids=["missing", "of fewer dimensions"],
)
def test_channels_that_do_not_fit_the_shape_are_told(tmp_path, shape, words):
    shutil.copytree(RUNS / "saved_series", tmp_path / "run")
    path = tmp_path / "run" / "job.json"
    job = json.loads(path.read_text()) | {"shape": shape}
    path.write_text(json.dumps(job if shape else {k: v for k, v in job.items() if k != "shape"}))
    with pytest.raises(InputError) as said:
        _report(tmp_path / "run")
    assert words in str(said.value)


def test_keys_of_a_later_version_stay(tmp_path):
    shutil.copytree(RUNS / NAMES[1], tmp_path / "run")
    path = tmp_path / "run" / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"new": [1, None]}))
    assert Run(tmp_path / "run").read().job.get("new") == [1, None]


@pytest.mark.parametrize(
    ("version", "later"), [("0.1.0", 0), ("0.1.0.dev3", 0), ("9.2", 1), ("9" * 40, 1), ("?", 0)]
)
def test_a_job_of_a_later_version_is_told(home, tmp_path, version, later):
    job = json.loads((RUNS / NAMES[1] / "job.json").read_text())
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job | {"version": version, "to come": 1}))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert Run(tmp_path).job["version"] == version
    assert len(said) == later
    assert all("job.json was written by prismae 9" in str(each.message) for each in said)


def test_a_terminal_shows_a_later_version_as_a_sentence(tmp_path, capfd):
    folder = Path(shutil.copytree(RUNS / NAMES[1], tmp_path / "run"))
    job = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(job | {"version": "9.0", "method": "to-come"}))
    code, said = command(capfd, "evaluate", folder, "--metrics", "mig")
    assert code == 2
    assert "job.json was written by prismae 9.0, which is later than this one" in " ".join(said.split())
    assert "DataWarning" not in said
    assert "Unknown method 'to-come'" in " ".join(said.split())
