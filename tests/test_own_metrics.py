"""Metrics and protocols of one's own: given as functions, installed by an entry point, in a run; what metrics share."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from known_codes import small_world, standardised

import prismae as pr
from prismae import cli
from prismae.errors import DataWarning, InputError, Unavailable
from prismae.evaluation import (
    Protocol,
    Scores,
    evaluate_codes,
    evaluate_images,
    evaluate_likelihood,
    scores_of,
)
from prismae.metrics import Result, all_metrics, as_codes, as_labels, metric, metric_of
from prismae.runs.run import Run
from prismae.studies import score
from prismae.testing import check_metric

FACTORS = small_world()
CODES = (standardised(FACTORS) + 0.5 * np.random.default_rng(0).normal(size=FACTORS.shape)).astype(np.float32)
ACME = "acme2026"


@metric(needs="codes", bounds=(0.0, np.inf), better="neither")
def widest(codes):
    """Deviation of the widest code."""
    return np.std(codes, axis=0).max()


@metric(protocol=ACME, key="corr")
def correlation(codes, factors, *, power: int = 1):
    """Largest correlation of the first code with a factor, to a power."""
    return np.abs(np.corrcoef(codes[:, 0], factors.T)[0, 1:]).max() ** power


class TwoScores(Result):
    """Stands for a result of several scores."""

    @property
    def scores(self):
        return {"low": 0.25, "high": 0.75}


@metric(needs="codes", protocol={"locatello2019": "two", ACME: "pair"})
def two_of_them(codes):
    """Two scores."""
    return TwoScores()


def test_a_function_is_taken_beside_names():
    found = evaluate_codes(CODES, FACTORS, metrics=[widest, "mig"], bootstrap=5)
    assert list(found) == ["widest", "mig"]
    assert found["widest"].score == pytest.approx(CODES.std(axis=0).max())
    assert found["widest"].lower < found["widest"].score < found["widest"].upper
    assert found["widest"].better == "neither"
    assert found["widest"].parameters == {"n_points": len(CODES)}
    assert found["mig"] == evaluate_codes(CODES, FACTORS, metrics="mig", bootstrap=5)["mig"]
    assert evaluate_codes(CODES, FACTORS, metrics=widest)["widest"].score == found["widest"].score


def test_a_function_of_ours_is_its_name():
    named = evaluate_codes(CODES, FACTORS, metrics=["mig", "sap"], baselines=False)
    assert evaluate_codes(CODES, FACTORS, metrics=[pr.metrics.mig, pr.metrics.sap], baselines=False) == named


def test_what_is_no_metric_is_said():
    with pytest.raises(InputError, match=r"@prismae\.metrics\.metric\(\.\.\.\) declares"):
        evaluate_codes(CODES, FACTORS, metrics=[np.mean])
    with pytest.raises(InputError, match="or a function that"):
        evaluate_codes(CODES, FACTORS, metrics=[3])


def test_names_that_two_functions_have_are_refused():
    @metric()
    def mig(codes, factors):
        return 0.0

    with pytest.raises(InputError, match="Two metrics are called 'mig' in protocol 'locatello2019'"):
        evaluate_codes(CODES, FACTORS, metrics=[mig])

    @metric(protocol=ACME, key="mig")
    def other_mig(codes, factors):
        return 0.0

    with pytest.raises(InputError, match="has a score 'mig' and so has another"):
        evaluate_codes(CODES, FACTORS, metrics=["mig", other_mig], baselines=False)


def test_an_own_protocol_takes_what_is_declared_for_it():
    for how in ({}, {"protocol": ACME}, {"protocol": Protocol(ACME, default=("corr",))}):
        found = evaluate_codes(CODES, FACTORS, metrics=[correlation], **how)
        assert list(found) == ["corr"]
        assert found["corr"].protocol == ACME
        assert found["corr"].chance < 0.2 < found["corr"].score < found["corr"].ceiling
    every = evaluate_codes(CODES, FACTORS, metrics=["default", correlation, two_of_them], protocol=ACME)
    assert set(every) == {"corr", "pair-low", "pair-high"}
    assert evaluate_codes(CODES, metrics=two_of_them)["two-low"].protocol == "locatello2019"
    with pytest.raises(InputError, match="Unknown protocol 'acme2026'"):
        evaluate_codes(CODES, FACTORS, protocol=ACME)


def test_a_protocol_has_numbers_of_its_own():
    small = Protocol(ACME, default=("corr",), n_points=100, parameters={"correlation": {"power": 2}})
    found = evaluate_codes(CODES, FACTORS, metrics=["default", correlation], protocol=small)["corr"]
    assert found.parameters == {"power": 2, "n_points": 100}
    rows = np.random.default_rng(0).permutation(len(CODES))[:100]
    assert found.score == correlation(CODES[rows], FACTORS[rows], power=2)
    few = Protocol("locatello2019", default=("mig",), variant="small", n_points=200)
    mig = evaluate_codes(CODES, FACTORS, protocol=few)["mig"]
    assert (mig.protocol, mig.parameters["n_points"]) == ("locatello2019/small", 200)
    with pytest.raises(InputError, match="one of prismae's own: expected another name or variant"):
        evaluate_codes(CODES, FACTORS, protocol=Protocol("locatello2019", default=("mig",)))


def test_families_give_own_metrics_what_they_need():
    @metric(needs="pairs", protocol=ACME)
    def difference(images, reconstructions):
        return float((images - reconstructions).abs().mean())

    @metric(needs="densities", protocol=("likelihood", ACME), bounds=(0.0, np.inf))
    def spread_of_losses(losses):
        return float(np.std(losses))

    @metric(needs="assignments", protocol="clustering")
    def share_of_first(clusters, labels):
        return float(np.mean(clusters == 0))

    x = np.random.default_rng(0).random((20, 1, 8, 8))
    found = evaluate_images(x, reconstructions=x / 2, metrics=[difference, "psnr"])
    assert found["difference"].score == pytest.approx(x.mean() / 2)
    assert {each.protocol for each in found.values()} == {ACME, "generation"}
    losses = np.arange(12.0).reshape(4, 3)
    assert (
        evaluate_likelihood(losses=losses, metrics=spread_of_losses)["spread-of-losses"].score == losses.std()
    )
    clusters = evaluate_codes(CODES, FACTORS, label=0, metrics=[share_of_first], assignments=FACTORS[:, 0])
    assert clusters["share-of-first[assigned]"].score == np.mean(FACTORS[:, 0] == 0)
    assert clusters["share-of-first[assigned]"].metric == "share-of-first"
    with pytest.raises(InputError, match="metrics of protocol 'acme2026' need pairs, points, and no family"):
        evaluate_codes(CODES, FACTORS, metrics=[correlation, difference])
    with pytest.raises(InputError, match="codes are given: see evaluate_images"):
        evaluate_codes(CODES, FACTORS, metrics=[difference])

    @metric(needs="pairs", protocol="clustering")
    def astray(images, reconstructions):
        return 0.0

    with pytest.raises(InputError, match="'clustering' need pairs, and it gives clusters, assignments"):
        evaluate_codes(CODES, FACTORS, metrics=[astray])


def test_defaults_and_names_add_up():
    both = evaluate_codes(CODES, FACTORS, metrics=["active-units", "default"], baselines=False)
    assert list(both) == ["active-units", "mig", "factor-vae-score", "dci-d", "dci-c", "dci-i", "sap"]


BINNED = ["mig", "mig-sup", "dci-mig", "jemmig", "modularity"]


@pytest.mark.parametrize(
    ("how", "times"), [({}, 3), ({"baselines": False}, 1), ({"bootstrap": 2}, 3 + 2 * 5)]
)
def test_metrics_of_the_same_bins_share_them(how, times, monkeypatch):
    from prismae.metrics import _information

    calls = []

    def counted(codes, bins, once=_information.bin_codes):
        calls.append(codes.shape)
        return once(codes, bins)

    alone = {name: evaluate_codes(CODES, FACTORS, metrics=name, **how)[name] for name in BINNED}
    bare = {name: all_metrics()[name](CODES, FACTORS) for name in BINNED}
    monkeypatch.setattr(_information, "bin_codes", counted)
    found = evaluate_codes(CODES, FACTORS, metrics=BINNED, **how)
    assert len(calls) == times  # codes, ideal codes, shuffled codes; and each replicate its own
    assert dict(found) == alone
    assert {name: score.score for name, score in found.items()} == pytest.approx(bare)
    for name in BINNED:
        all_metrics()[name](CODES, FACTORS)
    assert len(calls) == times + len(BINNED)  # nothing is kept beyond an evaluation


def test_a_metric_that_writes_to_its_input_harms_no_other():
    @metric()
    def careless(codes, factors):
        codes -= codes.mean(axis=0)
        return 0.0

    before = CODES.copy()
    with pytest.raises(ValueError, match="read-only"):
        evaluate_codes(CODES, FACTORS, metrics=[careless, "mig"])
    assert (before == CODES).all()
    CODES[0] += 0.0  # the caller's own array can be written to as before


def test_a_score_knows_its_metric():
    names = {"dci-d": ("dci", "d"), "mig": ("mig", ""), "pair-low": ("pair", "low")}
    found = dict(evaluate_codes(CODES, FACTORS, metrics=["mig", "dci"], baselines=False))
    found |= evaluate_codes(CODES, FACTORS, metrics=[two_of_them], protocol=ACME)
    assert {name: (found[name].metric, found[name].short) for name in names} == names
    saved = json.loads(json.dumps(Scores(found).to_dict()))
    assert Scores.from_dict(saved)["pair-low"] == found["pair-low"]
    assert scores_of("pair", saved["scores"]) == ["pair-low", "pair-high"]
    assert metric_of(ACME, "pair-low") is None  # so the name alone would not say it


def test_scores_of_version_0_1_say_it_by_their_names():
    keys = {
        "clustering": ["nmi[k-means]", "nmi[assigned]"],
        "locatello2019": [
            "dci-d",
            "dci-c",
            "dci-mig",
            "mig",
            "mig-sup",
            "logistic-accuracy-100",
            "active-units",
        ],
        "generation": ["frechet[classifier:digits]-samples"],
        "likelihood": ["nll", "nll-per-word", "active-units-posterior"],
    }
    tables = {
        protocol: {key: {"score": 0.5, "protocol": protocol} for key in names}
        for protocol, names in keys.items()
    }
    assert scores_of("dci", tables["locatello2019"]) == ["dci-d", "dci-c"]
    assert scores_of("mig", tables["locatello2019"]) == ["mig"]
    assert scores_of("logistic-accuracy", tables["locatello2019"]) == ["logistic-accuracy-100"]
    assert scores_of("nmi", tables["clustering"]) == keys["clustering"]
    assert scores_of("frechet", tables["generation"]) == keys["generation"]
    assert scores_of("nll", tables["likelihood"]) == ["nll"]
    assert scores_of("active-units-posterior", tables["likelihood"]) == ["active-units-posterior"]


@pytest.fixture(scope="module")
def model():
    return pr.Autoencoder("vae", 3, net="mlp:width=16", steps=20, batch=32).fit(pr.world("pulses"))


def test_a_model_is_scored_by_a_function(model):
    world = pr.world("pulses")
    found = pr.evaluate(model, world, metrics=[widest, correlation], baselines=False)
    assert found["widest"].score == pytest.approx(model.transform(world).std(axis=0).max(), rel=1e-5)
    assert found["corr"].protocol == ACME


def test_a_run_is_scored_by_a_function(model, tmp_path):
    world = pr.world("pulses")
    folder = Run.open(model.save(tmp_path / "run", world).path)
    score(folder, metrics=[widest, two_of_them, correlation], data=world, protocols=("locatello2019",))
    saved = json.loads((folder.path / "scores.json").read_text())["protocols"]
    assert {name: list(table) for name, table in saved.items()} == {
        "locatello2019": ["widest", "two-low", "two-high"],
        ACME: ["corr"],
    }
    assert saved["locatello2019"]["two-high"]["metric"] == "two"
    assert pr.report.write_report(folder.path).exists()


def test_an_installed_metric_and_its_protocol_are_found(model, tmp_path, monkeypatch, capfd):
    point = EntryPoint("correlation", f"{__name__}:correlation", "prismae.metrics")
    monkeypatch.setattr(
        "prismae._discovery.entry_points", lambda group: [point] if "metrics" in group else []
    )
    all_metrics.cache_clear()
    try:
        assert list(evaluate_codes(CODES, FACTORS, protocol=ACME)) == ["corr"]
        assert list(evaluate_codes(CODES, FACTORS, metrics="corr", protocol=ACME)) == ["corr"]
        assert "corr" not in evaluate_codes(CODES, FACTORS, metrics="all", baselines=False)
        with pytest.raises(InputError, match="Unknown protocol 'acme2025': did you mean 'acme2026'"):
            evaluate_codes(CODES, FACTORS, protocol="acme2025")
        with pytest.raises(Unavailable, match="corr: The metric needs the factors"):
            evaluate_codes(CODES, metrics=["corr"], protocol=ACME)
        path = model.save(tmp_path / "run", pr.world("pulses")).path
        monkeypatch.setattr(sys, "argv", ["prismae", "evaluate", str(path), "--protocol", ACME])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        assert "protocol acme2026" in capfd.readouterr().out
        plan = tmp_path / "plan.yaml"
        plan.write_text(
            "title: t\nworlds: pulses\nseeds: [0]\nbudget: {steps: 3}\nmethods: {vae: {}}\n"
            f"metrics: {{{ACME}: [corr]}}\nprofiles: {{paper: {{}}}}\n"
        )
        assert pr.studies.Plan.load(plan).metrics == {ACME: ["corr"]}
    finally:
        all_metrics.cache_clear()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "given: Its score is NaN, so it says nothing of these codes"),
        (None, "given: It gives NoneType, expected a number or a prismae.metrics.Result"),
        ({"a": 0.5}, "given: It gives dict, expected a number"),
        (np.zeros(3), "given: It gives ndarray, expected a number"),
        ("good", "given: It gives str, expected a number"),
    ],
)
def test_a_score_that_is_none_is_refused(value, said):
    @metric()
    def given(codes, factors):
        return value

    with pytest.raises(InputError, match=re.escape(said)):
        evaluate_codes(CODES, FACTORS, metrics=[given])


def test_a_score_outside_the_declared_bounds_is_warned_of():
    @metric()
    def given(codes, factors):
        return 7.0

    with pytest.warns(DataWarning, match="given: its score is 7, outside the bounds 0 to 1 that it declares"):
        assert evaluate_codes(CODES, FACTORS, metrics=[given])["given"].score == 7


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"needs": "point"}, "needs is 'point', expected one of points, split"),
        ({"bounds": (1, 0)}, "bounds are (1, 0), expected the least and the greatest"),
        ({"better": "best"}, "better is 'best', expected"),
        ({"known": {"identity"}}, "known is {'identity'}, expected a dictionary"),
        ({"invariant": "scale_codes"}, "invariant is 'scale_codes', expected a tuple of texts"),
        ({"protocol": 3}, "protocol is 3, expected a tuple of texts"),
        ({"needs": "codes"}, "its function takes codes, factors, and is given 1 array"),
        (
            {"bounds": 0, "better": ""},
            "bounds are 0, expected the least and the greatest score; better is ''",
        ),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(declared, said):
    with pytest.raises(InputError, match="^Metric odd: .*" + re.escape(said)):

        @metric(**declared)
        def odd(codes, factors):
            return 0.0


def test_a_metric_that_depends_on_the_order_of_rows_fails_the_common_checks():
    @metric(bounds=(0.0, np.inf), better="neither")
    def wandering(codes, factors):
        """Mean step from a point to the next."""
        z, v = as_codes(codes), as_labels(factors, n=len(codes))
        return float(np.abs(np.diff(np.argsort(v[:, 0]))).mean() + 0 * z[0, 0])

    with pytest.raises(AssertionError, match="With rows in another order: the score is"):
        check_metric(wandering)
