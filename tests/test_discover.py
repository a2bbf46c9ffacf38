"""discover: from data to factors, by a model or by components, whichever does as well with less."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.decomposition import FastICA

import prismae as pr
from prismae.data import world
from prismae.discovery import Discovery, discover, load_discovery
from prismae.discovery.answer import _home, _source
from prismae.discovery.axes import as_many, independent_of
from prismae.discovery.conclusion import chosen
from prismae.discovery.described import moves
from prismae.discovery.page import write_page
from prismae.discovery.result import Factor
from prismae.discovery.search import Search, Tried, ranked
from prismae.errors import InputError, Interrupted
from prismae.evaluation.baselines import Components, principal
from prismae.runs.verdict import Finding, Verdict
from prismae.studies.plan_parts import Arm

QUICK = {"minutes": 0.01, "seeds": 2, "jobs": 1, "progress": False}


@pytest.fixture
def short(monkeypatch):
    """Trainings of some steps: what a search does, not what it finds."""
    monkeypatch.setattr("prismae.discovery.search.SHORT", (20, 20))
    monkeypatch.setattr("prismae.discovery.search.LONG", 50)
    monkeypatch.setattr(
        "prismae.discovery.search.candidates", lambda kind: {"VAE": Arm("vae", settings={"lr": 0.01})}
    )


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    tall, rich = rng.uniform(-1, 1, (2, 300))
    return pd.DataFrame(
        {
            "length": 170 + 12 * tall + rng.normal(size=300) * 0.5,
            "weight": 70 + 9 * tall + rng.normal(size=300) * 0.5,
            "income": 3000 + 900 * rich + rng.normal(size=300) * 20,
            "rent": 900 + 200 * rich + rng.normal(size=300) * 5,
        }
    )


def tried(name, live, held_out, faults=(), seeds=2):
    verdict = Verdict([2.0] * live + [0.0], [1.0] * live + [0.0], 0.9, held_out, 10)
    verdict = replace(verdict, findings=[Finding(fault, "") for fault in faults])
    return Tried(name, 100, [(None, verdict)] * seeds)


def test_of_those_that_explain_as_much_the_code_of_the_fewest_nats_is_best():
    best = tried("four", 4, 0.98)  # 2 nats for each latent
    order = ranked([tried("two", 2, 0.90), best, tried("three", 3, 0.975)])
    assert [each.name for each in order] == ["three", "four", "two"]
    assert (
        ranked([tried("six", 6, 0.967), tried("three", 3, 0.943)])[0].name == "three"
    )  # less than 1 % for each latent of 2 nats
    assert ranked([tried("six", 6, 0.967), tried("three", 3, 0.903)])[0].name == "six"


def test_latents_that_tell_more_have_to_explain_more():
    terse, wordy = tried("terse", 3, 0.967), tried("wordy", 3, 0.994)
    for _, verdict in wordy.runs:
        verdict.information[:] = [5.0] * 3 + [40.0]  # the last latent has no effect, so it does not count
    assert wordy.nats == 15
    assert ranked([wordy, terse])[0].name == "terse"
    assert ranked([wordy, tried("blunt", 3, 0.89)])[0].name == "wordy"
    assert ranked([replace(wordy, nat=0.01), replace(tried("blunt", 3, 0.91), nat=0.01)])[0].name == "blunt"


def test_of_seeds_and_candidates_that_are_worth_as_much_the_best_determined_axes_are_kept(monkeypatch):
    good, other, short = tried("good", 3, 0.95), tried("other", 3, 0.94), tried("short", 3, 0.95, seeds=1)
    number = iter(range(10))
    for each in (good, other, short):
        each.runs[:] = [(SimpleNamespace(path=next(number)), verdict) for _, verdict in each.runs]
    sureness = [0.8, 0.9, 0.7, 0.95, 0.99]
    monkeypatch.setattr("prismae.discovery.conclusion.load", lambda path: path)
    monkeypatch.setattr(
        "prismae.discovery.conclusion.mean_codes", lambda model, *_: np.full((1, 4), sureness[model])
    )
    monkeypatch.setattr("prismae.discovery.conclusion.axes.determined", lambda codes: codes[0, 0])
    kept, run, _ = chosen([good, other, short], good, None)
    assert (kept.name, run.path) == ("other", 3)  # a single seed is not compared with several
    worse = tried("worse", 3, 0.90)
    worse.runs[:] = [(SimpleNamespace(path=4), verdict) for _, verdict in worse.runs]
    assert chosen([good, worse], good, None)[1].path == 1


def test_what_has_no_live_latent_is_never_the_best():
    assert not ranked([tried("of few steps", 0, 0.1)])


@pytest.mark.parametrize("fault", ["collapsed", "diverged", "weak"])
def test_what_went_wrong_is_never_the_best(fault):
    lost = tried("lost", 2, 0.99, [fault])
    assert not lost.usable
    assert [each.name for each in ranked([lost, tried("good", 2, 0.3, ["improving"])])] == ["good"]


@pytest.mark.parametrize("faults", [("few-clusters", "collapsed"), ("improving", "weak")])
def test_a_worse_fault_does_not_hide_one_that_forbids(faults):
    assert not ranked([tried("lost", 2, 0.99, faults)])


def test_a_candidate_of_which_most_seeds_are_lost_is_not_recommended():
    sound, lost = tried("one", 2, 0.9, seeds=1).runs, tried("lost", 0, 0.0, ["collapsed"], seeds=2).runs
    mostly = Tried("mostly lost", 100, [*sound, *lost])
    assert not ranked([mostly])
    assert ranked([Tried("half", 100, [*sound, lost[0]])])[0].held_out == 0.9


def test_the_spread_is_the_deviation_over_seeds():
    both = Tried("two", 100, [*tried("a", 2, 0.8, seeds=1).runs, *tried("b", 2, 0.9, seeds=1).runs])
    assert both.spread == pytest.approx(0.1 / 2**0.5)
    assert np.isnan(tried("one", 2, 0.9, seeds=1).spread)


def test_independent_components_are_those_of_scikit_learn():
    x = np.random.default_rng(0).uniform(size=(500, 3)) @ np.random.default_rng(1).normal(size=(3, 6))
    mine = independent_of(x, principal(x, 3)).codes(x)
    other = FastICA(3, random_state=0).fit_transform(x)
    assert np.abs(np.corrcoef(mine.T, other.T)[:3, 3:]).max(1).min() > 0.999


@pytest.mark.slow
def test_linear_data_are_answered_by_components(short, people, tmp_path):
    found = discover(people, out=tmp_path, **QUICK)
    assert found.kind in ("ica", "pca")
    again = load_discovery(found.folder)
    codes = again.transform(people)
    pd.testing.assert_frame_equal(codes, found.transform(people))
    back = again.inverse_transform(codes)
    assert list(back) == list(people)
    for name in people:
        assert np.corrcoef(back[name], people[name])[0, 1] > 0.9
    page = (found.folder / "page.html").read_text()
    assert "no autoencoder that was tried finds better ones" in page
    moved = replace(found.factors[0], moves=[("age", -1.25, 0.5), ("income", -35721.0, 110400.0)])
    page = write_page(replace(found, factors=[moved, *found.factors[1:]]), world(people)).read_text()
    assert "<td>\u22121.25</td><td>0.500</td>" in page  # numbers as on all pages
    assert "<td>\u221235,721</td><td>110,400</td>" in page  # both ends in one way
    assert "What was tried" in page
    kept = pd.read_parquet(found.folder / "codes.parquet")  # of what was held out, too
    np.testing.assert_allclose(kept, codes)
    assert kept.index.tolist() == list(range(300))
    lengths = [move for factor in found.factors for move in factor.moves if move[0] == "length"]
    assert lengths
    assert all(140 < value < 200 for _, *ends in lengths for value in ends)


def test_factors_are_known_by_name_and_rows_by_their_index(people, tmp_path):
    model = pr.Autoencoder("vae", steps=1).fit(people)
    found = Discovery(
        tmp_path,
        "pca",
        "",
        [Factor(name, 0.5, 1.0, []) for name in ("f0", "f1")],
        tmp_path,
        [],
        principal(model.read(people, len(people)).numpy(), 2),
        np.zeros(0),
        [],
    )
    vars(found)["model"] = model
    some = people.iloc[:5].set_axis([*"abcde"])
    codes = found.transform(some)
    back = found.inverse_transform(codes)
    assert [*codes.index] == [*back.index] == [*"abcde"]
    pd.testing.assert_frame_equal(found.inverse_transform(codes[["f1", "f0"]]), back)
    for wrong in ([[np.nan, 0.0]], [[np.inf, 0.0]], [["a", "b"]]):
        with pytest.raises(InputError, match=r"expected (finite )?numbers"):
            found.inverse_transform(wrong)
    nothing: list[Any] = [None, 5, "table.csv"]
    for each in nothing:
        with pytest.raises(InputError, match="Observations have shape"):
            found.transform(each)
    with pytest.raises(InputError, match=r"Unnamed: 0 .*index_col=0"):
        found.transform(some.reset_index(names="Unnamed: 0"))


def test_an_interrupted_search_gives_the_best_so_far(short, people, tmp_path, monkeypatch):
    from prismae.discovery import search

    whole = search.study

    def once(plan, out, **options):
        if plan.budget["steps"] == 50:
            raise Interrupted("Ctrl-C")
        return whole(plan, out, **options)

    monkeypatch.setattr(search, "study", once)
    found = discover(people.to_numpy(), out=tmp_path, **QUICK | {"minutes": 60})
    assert {each["steps"] for each in found.tried} == {20}
    assert "What was tried" in (found.folder / "page.html").read_text()
    x = people.to_numpy()
    assert load_discovery(found.folder).inverse_transform(found.transform(x)).shape == x.shape


def test_a_factor_that_a_model_missed_is_among_the_components():
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, (1000, 4))
    linear = factors @ rng.normal(size=(4, 9))
    noisy = linear / linear.std(0) + 0.1 * rng.normal(size=(1000, 9))
    bent = np.concatenate([factors[:, :2], np.sin(2 * factors[:, :2])], 1) @ rng.normal(size=(4, 8))
    for x, live, expected in ((linear, 2, 4), (noisy, 3, 4), (noisy, 4, 4), (noisy, 6, 6), (bent, 2, 2)):
        first = principal(x[:900], x.shape[1])
        assert as_many(first, x[900:], live) == expected


def test_a_busy_machine_is_given_fewer_steps(monkeypatch, tmp_path):
    """A clock that study moves on: each training takes four times as long as the probe says."""
    clock, trained = [0.0], []
    monkeypatch.setattr("prismae.discovery.search.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(
        "prismae.discovery.search.study", lambda plan, out, **_: trained.append(plan) or tick(plan)
    )
    monkeypatch.setattr(Search, "_pace", lambda self, arms: dict.fromkeys(arms, 0.01))
    monkeypatch.setattr(
        Search, "_collect", lambda self, plan, steps: self.tried.append(tried("VAE", 2, 0.9, seeds=1))
    )

    def tick(plan):
        clock[0] += 4 * 0.01 * plan.budget["steps"] * len(plan.methods)

    search = Search("x.csv", {}, pr.world("known:linear-small"), tmp_path, 210.0, 2, 1, lambda line: None)
    search.go()
    first, *rest = [plan.budget["steps"] for plan in trained]
    assert first == 1_000  # SHORT's most: 3 candidates at 0.01 s are 30 s of the 63 that it may take
    assert rest == [1_000] * 2  # 90 s are left, at 0.04 s a step
    assert clock[0] <= 210


@pytest.fixture
def searching(tmp_path):
    def make(jobs, seconds=180.0):
        said = []
        world = pr.world("known:linear-small")
        return Search("x.csv", {}, world, tmp_path, seconds, 5, jobs, said.append), said

    return make


def test_what_there_is_no_time_for_is_left_out_and_said(searching):
    """200 steps of each candidate may take 0.4 of the time."""
    arms = dict.fromkeys(["a", "b", "c"], Arm("vae"))
    for pace, kept, steps, words in (
        ((0.1, 0.1, 0.1), ["a", "b", "c"], 200, ""),  # 60 of 72 s
        ((0.1, 0.3, 0.2), ["a", "c"], 200, "There is no time for b."),
        ((0.5, 0.5, 0.5), ["a"], 200, "There is no time for b, c."),
        ((2.0, 2.0, 2.0), ["a"], 70, "there is time for 70 steps of one candidate"),
        ((60.0, 60.0, 60.0), ["a"], 20, "need about 1500 minutes"),
    ):
        search, said = searching(1)
        found, least = search._affordable(arms, dict(zip(arms, pace, strict=True)))
        assert (list(found), least) == (kept, steps)
        assert words in " ".join(said)


def test_a_single_candidate_has_seeds_trained_at_once(searching):
    two, three = searching(2)[0], searching(3)[0]
    assert two._parts(5, 1) == [[0, 1], [2, 3], [4]]
    assert two._parts(2, 2) == [[0], [1]]
    assert three._parts(5, 2) == [[0], [1], [2], [3], [4]]
    assert two._together([3.0, 2.0, 2.0]) == 4.0  # the third begins when the second has ended
    assert three._together([3.0, 2.0]) == 3.0


def test_moves_are_named_in_units():
    ends = pd.DataFrame({"a": [1.0, 5.0, 9.0, 5.0], "b": [2.0, 2.0, 2.0, 3.0], "c": ["x", "x", "y", "x"]})
    ends = ends.assign(d=[True, False, False, False])
    assert moves(ends, 0, 2) == [("a", 1.0, 9.0), ("c", "x", "y"), ("d", "True", "False")]
    assert moves(ends, 1, 2) == [("b", 2.0, 3.0)]


def test_data_of_the_same_name_have_answers_of_their_own(tmp_path):
    runs = tmp_path / "discover-mine"

    def answer(home, source):
        empty = Components(np.zeros(2), np.zeros((2, 0)), np.zeros((0, 2)))
        return Discovery(home, "pca", "", [], tmp_path, [], empty, np.zeros(0), [], source=source)

    assert _home(runs, "/a/mine.csv") == runs
    answer(runs, "/a/mine.csv").save()
    assert load_discovery(runs).source == "/a/mine.csv"
    assert _home(runs, "/a/mine.csv") == runs  # another time
    other = _home(runs, "/b/mine.csv")
    assert other.name.startswith("discover-mine-")
    assert _home(runs, "/b/mine.csv") == other


def test_arrays_and_tables_in_memory_are_kept_by_all_that_they_are(people, tmp_path):
    """Not by their values alone: an answer for other names, or another shape, would be taken for this one's."""
    x = np.ma.masked_greater(people.to_numpy(), 3500.0)
    given = [
        people,
        people.rename(columns=str.upper),
        x,
        x[:, ::-1],
        x.reshape(600, 2),
        csr_array(x.filled(0)),
    ]
    files = [Path(_source(each, tmp_path, {})) for each in given]
    assert len(set(files)) == len(given)
    assert sorted(files) == sorted(tmp_path.iterdir())
    np.testing.assert_array_equal(np.load(files[2]), x.filled(np.nan))
    np.testing.assert_array_equal(np.load(files[5]), x.filled(0))


def test_how_data_are_read_is_said_and_given_as_to_a_world(short, tmp_path, capsys):
    rng = np.random.default_rng(0)
    size = rng.normal(size=80)
    table = pd.DataFrame({"size": size, "twice": 2 * size, "dose": [*map(str, size[:79]), "<1"], "note": 1.0})
    table["note"] = rng.normal(size=80)
    with pytest.raises(InputError, match="--numeric 'dose'"):
        discover(table, out=tmp_path, **QUICK)
    discover(table, out=tmp_path, numeric="dose", drop=["note"], **QUICK | {"progress": True})
    said = capsys.readouterr().err
    assert "dose: numbers" in said
    assert "missing: '<1'" in said
    page = next(tmp_path.glob("discover-*/page.html")).read_text()
    assert "How the data were read" in page
    assert "missing: &#39;&lt;1&#39;" in page
    with pytest.raises(TypeError, match=r"discover\(\) got an unexpected argument 'holdout'"):
        discover(table, out=tmp_path, holdout=0.5, **QUICK)


@pytest.mark.parametrize("columns", [2, 5])
def test_columns_of_noise_are_no_factors(short, tmp_path, columns):
    x = np.random.default_rng(0).normal(size=(200, columns))
    found = discover(pd.DataFrame(x).add_prefix("c"), out=tmp_path, **QUICK)
    assert found.kind == "columns"
    assert found.count == "No column goes with another: " + ", ".join(each.column for each in found.factors)
    assert {each.column for each in found.factors} == {f"c{i}" for i in range(columns)}
    again = load_discovery(found.folder)
    table = pd.DataFrame(x).add_prefix("c")
    np.testing.assert_allclose(again.inverse_transform(again.transform(table)), table, atol=1e-4)
    assert "component analysis" not in (found.folder / "page.html").read_text()


def test_categories_that_go_with_nothing_are_columns(short, tmp_path):
    """Each of their values was a factor that halves of the data find again, so a sure one."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"colour": rng.choice([*"rgb"], 300), "shape": rng.choice([*"rs"], 300), "a": rng.normal(size=300)}
    )
    found = discover(table[["colour", "shape"]], out=tmp_path, **QUICK)
    assert found.count == "No column goes with another: shape, colour"
    assert [each.column for each in found.factors] == ["shape", "colour", "colour"]
    assert "sure" not in (found.folder / "page.html").read_text().partition("<h2>How the data")[0]
    for each in found.factors:
        assert {name for name, *_ in each.moves} == {each.column}
    again = load_discovery(found.folder)
    alone = table[["colour", "shape"]]
    pd.testing.assert_frame_equal(again.inverse_transform(again.transform(alone)), alone)
    table = table.assign(b=table["a"] + 0.1 * rng.normal(size=300))
    found = discover(table, out=tmp_path, **QUICK)
    assert found.count == "1 factor, and 2 columns that go with no other: shape, colour"
    assert load_discovery(found.folder).transform(table).shape == (300, 4)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_column_that_is_constant_in_what_is_held_out_is_held_by_no_latent(people, tmp_path):
    """Of its variance there, which is none, no share can be explained."""
    table = people.assign(rare=[0.0, 1.0, -1.0, *np.zeros(len(people) - 3)])
    found = discover(table, out=tmp_path, minutes=0.06, seeds=1, jobs=1, progress=False)
    assert "best model" in found.why or found.kind == "autoencoder"
    assert found.factors[-1].column == "rare"


def test_columns_that_stand_out_in_one_row_are_columns(short, tmp_path):
    """Rows that are held out, or half of the others, may have none of these."""
    row = np.arange(300)
    z = np.random.default_rng(0).normal(size=300)
    table = pd.DataFrame({"x": 1.0 * (row == 299), "y": 1.0 * (row == 0), "z": z})
    found = discover(table, out=tmp_path, **QUICK)
    assert {each.column for each in found.factors} == {*table}


def test_gaussian_factors_have_no_axes_and_are_not_called_sure(short, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(300, 2)) @ rng.normal(size=(2, 5))).add_prefix("c")
    found = discover(table, out=tmp_path, **QUICK)
    assert found.kind == "pca"
    assert "only the space that they span is known" in found.why
    assert {each.sure for each in load_discovery(found.folder).factors} == {"unsure"}


def test_what_cannot_be_discovered(tmp_path):
    (tmp_path / "few.txt").write_text("a b\nc d\n" * 30)
    for data, said in (
        (np.eye(12), "at least 40 observations, got 12"),
        (str(tmp_path / "few.txt"), "the observations are sentences"),
        (pr.world(np.eye(50)), "not a World made of own data"),
    ):
        with pytest.raises(InputError, match=said):
            discover(data, out=tmp_path, **QUICK)
    with pytest.raises(InputError, match="minutes"):
        discover(np.eye(50), out=tmp_path, minutes=0)
    with pytest.raises(InputError, match="holds no discovery"):
        load_discovery(Path(tmp_path))


@pytest.mark.slow
def test_a_bent_table_is_answered_by_a_model(tmp_path):
    found = discover("known:levels", minutes=3, seeds=2, out=tmp_path, progress=False)
    world = pr.world("known:levels")
    codes = found.transform(world).to_numpy()
    r = np.abs(np.corrcoef(codes.T, world.factors.T)[: codes.shape[1], codes.shape[1] :]).max(0)
    assert r.min() > 0.9
