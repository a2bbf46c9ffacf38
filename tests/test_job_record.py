"""A job.json with a value altered or missing: one sentence, or a run that can be read; never a traceback."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
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
plain = st.none() | st.booleans() | st.integers(-3, 70) | st.floats(-5, 5) | st.text(max_size=5)
values = plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=4), plain, max_size=2)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("old")
    shutil.copytree(RUNS, home, dirs_exist_ok=True)
    return home


@pytest.mark.parametrize("name", NAMES)
def test_schema_knows_all_that_version_0_1_wrote(name):
    assert json.loads((RUNS / name / "job.json").read_text()).keys() <= JobRecord.__annotations__.keys()


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_an_altered_value_is_one_sentence_or_can_be_read(home, monkeypatch, name, data):
    monkeypatch.chdir(home)
    folder = home / name
    job = json.loads((RUNS / name / "job.json").read_text())
    key = data.draw(st.sampled_from(sorted(job)))
    altered = job | {key: data.draw(values)} if data.draw(st.booleans()) else job
    left = {name: value for name, value in altered.items() if altered is not job or name != key}
    (folder / "job.json").write_text(json.dumps(left))
    for read in (_load, _report, _observations):
        with suppress(InputError):
            read(folder)


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
        run.in_units(run.pictures["originals"])


def _observations(folder):
    observations(Run.open(folder).job)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_latents": "three"}, "n_latents: should be a valid integer, got 'three'"),
        ({"summary": {"mean": 0.0}}, "summary.std: Field required"),
        ({"shape": []}, "shape: List should have at least 1 item"),
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


def test_keys_of_a_later_version_stay(tmp_path):
    shutil.copytree(RUNS / NAMES[1], tmp_path / "run")
    path = tmp_path / "run" / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"new": [1, None]}))
    assert Run(tmp_path / "run").read().job.get("new") == [1, None]
