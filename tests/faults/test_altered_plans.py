"""A plan with anything altered, in its values or in its text: one sentence, or jobs; never a traceback."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prismae.errors import InputError
from prismae.studies import Plan

TEXT = """\
title: two methods
worlds: {digits: {n_latents: 3}}
methods:
  vae: {}
  heavier: {method: beta-vae, grid: {β = beta: [2.0, 4.0]}, lr: 0.001, trials: [{net: mlp}, {net: conv}]}
seeds: [0, 1]
budget: {epochs: 2, batch: 16, controls: [{controller: cyclical, moves: kl, period: 500}]}
grid: {precision: ["32"]}
search: {n_latents: {low: 2, high: 9}}
metrics: {locatello2019: [mig, dci], likelihood: [nll]}
samples: 20
published: {source: a paper, scores: ["locatello2019:mig"], rows: {vae: [[0.1, 0.01]], heavier: [0.2]}, at: {β: 2}}
claims: [{claim: it is better, score: mse, profile: paper, of: {arm: vae}, why: because}]
baselines: [pca, untrained]
notes: as it is
profiles:
  paper: {}
  small: {seeds: [0], budget: {epochs: null, steps: 3}}
"""
HUGE = [10**10, 2**63, 2**64, -(2**64), 10**30, 1e308, -1e308, float("inf"), float("nan"), "x" * 10_000]
plain = st.none() | st.booleans() | st.integers(-3, 70) | st.floats(-5, 5) | st.text(max_size=5)
plain |= st.sampled_from(HUGE) | st.sampled_from(
    ["\0", "<script>", "[/x]", "=", "a = b = c", "vae", "digits"]
)
values = plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=4) | plain, plain, max_size=2)
characters = st.characters(codec="utf-8") | st.sampled_from("{}[]:,&*!|>'\"%@#-?\n\t ")


def tried(examples):
    """How often an altered plan is read."""
    checks = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=checks)


def read_altered(path, data):
    """Read a plan of which a value, at any depth, is altered or missing, or some of its text is."""
    if data.draw(st.booleans()):
        plan = yaml.safe_load(TEXT)
        inside, key = plan, data.draw(st.sampled_from(sorted(plan)))
        while isinstance(inside[key], dict | list) and inside[key] and data.draw(st.booleans()):
            inside = inside[key]
            key = data.draw(
                st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside)))
            )
        how = data.draw(st.sampled_from(["value", "value", "name", "none"]))
        if how == "value":
            inside[key] = data.draw(values)
        else:
            value = inside.pop(key)
            if how == "name" and isinstance(inside, dict):
                inside[data.draw(plain)] = value
        path.write_text(yaml.safe_dump(plan, allow_unicode=True))
    else:
        start = data.draw(st.integers(0, len(TEXT)))
        end = start + data.draw(st.integers(0, 9))
        path.write_bytes((TEXT[:start] + data.draw(st.text(characters, max_size=6)) + TEXT[end:]).encode())
    for profile in ("paper", "small"):
        with suppress(InputError):
            plan = Plan.load(path, profile)
            plan.jobs()
            plan.baseline_jobs()


@tried(20)
@given(data=st.data())
def test_an_altered_plan_is_one_sentence_or_jobs(tmp_path, data):
    read_altered(tmp_path / "plan.yaml", data)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@tried(2_500)
@given(data=st.data())
def test_thousands_of_altered_plans_are_one_sentence_or_jobs(tmp_path, data):
    read_altered(tmp_path / "plan.yaml", data)


def test_what_is_not_altered_is_read(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT)
    assert len(Plan.load(path, "small").jobs()) == 2 * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("samples: 20", "samples: 20\nsamples: 30"), "line 12: samples stands in line 11 already"),
        (("{epochs: 2,", "{epochs: 2, epochs: 3,"), "line 7: budget.epochs stands in line 7 already"),
        (("[2.0, 4.0]", ".nan"), "grid"),
        (("lr: 0.001", "lr: .nan"), "lr should be a finite number"),
        (("lr: 0.001", "lr: .inf"), "lr should be a finite number"),
        (("[2.0, 4.0]", "[.inf]"), "beta should be a finite number"),
        (("samples: 20", "samples: 1" + "0" * 30), "samples"),
        (("samples: 20", "sample: 20"), "did you mean 'samples'"),
        (("seeds: [0, 1]", "seeds: [-1]"), "seeds"),
        (("seeds: [0, 1]", "seeds: [0x" + "f" * 5000 + "]"), "is no int .Exceeds the limit"),
        (("seeds: [0, 1]", "seeds: [2026-99-99]"), "is not YAML"),
        (("notes: as", "notes: \x00as"), "is not YAML"),
        (("samples: 20", "samples: !!float ''"), "'' is no float"),
        (("samples: 20", "samples: !!bool perhaps"), "'perhaps' is no bool"),
        (("samples: 20", "samples: !!timestamp soon"), "'soon' is no timestamp"),
        (("samples: 20", "? !!int {a: 1}\n: 20"), "a mapping is no int"),
        (("notes: as", 'notes: "\\ud800"\nsample: as'), r"is no str .*surrogates not allowed.* line 15"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_mistakes_are_named_with_their_place(change, said, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT.replace(*change))
    with pytest.raises(InputError, match=said):
        Plan.load(path).jobs()


def test_texts_that_unfold_or_are_nested_or_no_utf8_are_refused(tmp_path):
    path = tmp_path / "plan.yaml"
    unfolding = "a0: &a0 [x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    for content, said in (
        (unfolding.encode(), "more than 100,000 keys"),
        (b"a: &a " + b"x" * 1_000_000 + b"\nb: [" + b"*a, " * 10 + b"*a]\n", "more than 10,000,000 letters"),
        (b"title: " + b"[" * 5000, "in each other without end"),
        ("title: größe".encode("latin-1"), "is not YAML"),
        (
            b"title: t\nworlds: digits\nmethods: vae\nseeds: [0]\ngrid: {"
            + ", ".join(f"f{i}: {[*range(10)]}" for i in range(9)).encode()
            + b"}",
            "has 1,000,000,000 jobs",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=said):
            Plan.load(path).jobs()
