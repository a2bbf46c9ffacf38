"""The genetic algorithm on functions with known optima, and `evolve` with trials that are made up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from prismae.control import Evolve, Outcome, controllers_from_text
from prismae.control._genetics import cross, first_generation, mutate, next_generation, reflect, tournament
from prismae.errors import InputError

LOW, HIGH = -3.0, 3.0
GENERATIONS, SIZE = 10, 6
TOYS = {  # optimum 0; number of genes
    "one bowl": (lambda g: -((g - 0.7) ** 2).sum(-1), 1),
    "three bowls": (lambda g: -((g - 0.7) ** 2).sum(-1), 3),
    "two kinks": (lambda g: -np.abs(g - 0.7).sum(-1), 2),
}


def evolved(fitness, k, seed, generations=GENERATIONS):
    """Best fitness in generations * SIZE evaluations."""
    rng = np.random.default_rng(seed)
    low, high = np.full(k, LOW), np.full(k, HIGH)
    genes, best = first_generation(rng.uniform(low, high), SIZE, low, high, rng), -np.inf
    for generation in range(generations):
        found = fitness(genes)
        best = max(best, found.max())
        genes = next_generation(genes, found, 0.5 / np.sqrt(1 + generation), low, high, rng)
        assert ((genes >= low) & (genes <= high)).all()
    return best


@pytest.mark.parametrize("toy", TOYS)
def test_evolution_beats_random_search_with_as_many_evaluations(toy):
    fitness, k = TOYS[toy]
    found = [evolved(fitness, k, seed) for seed in range(50)]
    drawn = [
        fitness(np.random.default_rng([seed, 1]).uniform(LOW, HIGH, (GENERATIONS * SIZE, k))).max()
        for seed in range(50)
    ]
    assert mannwhitneyu(found, drawn, alternative="greater").pvalue < 1e-3


def test_the_optimum_is_found_in_180_evaluations():
    fitness, k = TOYS["three bowls"]
    assert np.median([evolved(fitness, k, seed, generations=30) for seed in range(20)]) > -0.02


def test_the_fittest_goes_on_as_it_is():
    genes = np.random.default_rng(0).normal(size=(6, 2))
    fitness = np.array([0.0, 3.0, 1.0, 2.0, -np.inf, 0.5])
    after = next_generation(genes, fitness, 0.1, np.full(2, LOW), np.full(2, HIGH), np.random.default_rng(1))
    np.testing.assert_array_equal(after[0], genes[1])
    assert len(np.unique(after[:, 0])) > 1


def test_a_tournament_is_won_as_often_as_two_draws_say():
    winners = tournament(np.array([1.0, 2.0, 3.0]), 30_000, np.random.default_rng(0))
    shares = np.bincount(winners, minlength=3) / len(winners)
    np.testing.assert_allclose(shares, [1 / 9, 3 / 9, 5 / 9], atol=0.01)


def test_crossover_keeps_the_parents_middle_and_the_published_spread():
    mothers, fathers = np.full((40_000, 1), 2.0), np.full((40_000, 1), 1.0)
    children = cross(mothers, fathers, np.random.default_rng(0))[:, 0]
    spread = 2 * (children - 1.5)  # b of each child; 1 where only the mother counts
    # density (eta + 1) / 2 b^eta below 1, as likely as beyond: a tenth has no father
    assert np.mean(spread < 1 - 1e-9) == pytest.approx(0.45, abs=0.01)
    assert np.mean(spread < 0.5) == pytest.approx(0.45 * 0.5**6, abs=0.003)
    assert np.median(spread) == pytest.approx(1.0)


def test_mutations_are_cauchy_and_every_child_has_one():
    moved = mutate(np.zeros((40_000, 1)), 0.5, np.random.default_rng(0))[:, 0]
    assert (moved != 0).all()
    np.testing.assert_allclose(np.quantile(moved, [0.25, 0.5, 0.75]), [-0.5, 0, 0.5], atol=0.02)
    many = mutate(np.zeros((20_000, 4)), 0.5, np.random.default_rng(1)) != 0
    assert many.any(1).all()
    assert many.mean() == pytest.approx(0.25 + 0.75 * 0.3, abs=0.01)


def test_walls_are_mirrors():
    inside = reflect(np.array([0.5, -1.25, 1.5, 3.25, 9.0]), np.array(-1.0), np.array(1.0))
    np.testing.assert_allclose(inside, [0.5, -0.75, 0.5, -0.75, 1.0])


def test_a_box_without_width_is_its_only_point():
    low, high = np.array([2.0, -1.0]), np.array([2.0, 1.0])
    np.testing.assert_array_equal(reflect(np.array([[2.5, 0.5], [2.0, 3.0]]), low, high), [[2, 0.5], [2, -1]])


class MadeUp:
    """Trials whose copies have the KL 12 / weight and lose ELBO with the distance to weight 1."""

    seed = 0
    in_force = 1.0  # the weight of the model that a trial starts from

    def __init__(self):
        self.noted, self.adopted, self.steps = {}, [], []

    def __call__(self, values, steps):
        weight = float(values.get("kl", self.in_force))
        self.steps.append(steps)
        kl = torch.tensor(12 / weight)
        nll = 50 - kl + abs(np.log(weight))
        return Outcome({"kl": kl, "recon": nll}, float(nll), float(kl), lambda: self.adopted.append(weight))

    def note(self, values):
        self.noted = values


def generations(controller, n, kl=1.0):
    trial, (values, state) = MadeUp(), controller.init({"recon": 1.0, "kl": kl})
    in_force, course = values, []
    for t in range(n * controller.every):
        trial.in_force = in_force["kl"]
        values, state = controller.step(
            state, {"recon": torch.tensor(1.0), "kl": torch.tensor(1.0)}, t, trial
        )
        in_force = in_force | values
        course.append(in_force["kl"].item())
    return course, trial, state


def test_the_weight_goes_where_the_kl_is_the_rate_and_no_faster_than_its_reach():
    controller = Evolve("kl", rate=2.0, every=24, population=6, trial_steps=1)
    course, trial, _ = generations(controller, 12)
    assert 12 / course[-1] == pytest.approx(2.0, rel=0.05)
    ratios = np.array(course[1:]) / np.array(course[:-1])
    assert ratios.max() <= 2.0 + 1e-6
    assert course[22] == course[0] == 1.0  # moved after a generation only
    assert trial.adopted[-1] == pytest.approx(course[-1])
    assert trial.steps == 12 * [0, 1, 1, 1, 1, 1, 1]
    assert trial.noted["evolve:rate"] == 2.0
    assert trial.noted["evolve:fitness[3]"] < 0


def test_without_a_pull_of_the_rate_the_elbo_leads_to_weight_1():
    course, *_ = generations(Evolve("kl", rate=2.0, kappa=0.0, every=24, trial_steps=1), 12, kl=20.0)
    assert course[-1] == pytest.approx(1.0, rel=0.1)


def test_the_rate_is_half_of_the_kl_once_that_grows_no_more():
    controller = Evolve("kl", every=24, trial_steps=1)
    course, trial, state = generations(controller, 2)
    assert state["rate"].item() == 6.0
    assert course[46] == 1.0  # the first generation only looks
    assert trial.steps == [0, 0, *[1] * 6]


def test_a_diverged_copy_is_never_chosen():
    class Diverging(MadeUp):
        def __call__(self, values, steps):
            outcome = super().__call__(values, steps)
            if steps and float(values.get("kl", 1.0)) != 1.0:
                return replace(outcome, nll=float("nan"))
            return outcome

    trial, controller = Diverging(), Evolve("kl", rate=2.0, every=24, trial_steps=1)
    trial.in_force = 1.0
    _, state = controller.init({"kl": 1.0})
    values, after = controller.step(state, {"recon": torch.ones(()), "kl": torch.ones(())}, 23, trial)
    assert values == {}
    assert trial.adopted == [1.0]
    assert after["weights"].tolist() == [1.0]


def test_texts_name_all_weights_of_one_evolution():
    (both,) = controllers_from_text("kl, tc=evolve:every=300,rate=12")
    assert both == Evolve("kl,tc", every=300, rate=12.0) == Evolve(("kl", "tc"), every=300, rate=12.0)
    assert both.moves == ("kl", "tc")
    assert both.fields()["moves"] == "kl,tc"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"population": 7}, r"at most 25% of every = 250 steps in trials \(62\), got population 7 x .* = 70"),
        ({"every": 100}, "at most 25% of every = 100"),
        ({"reach": 1.0}, "reach should be greater than 1"),
        ({"reach": float("inf")}, "reach should be a finite number"),
        ({"rate": 0.0}, "rate should be greater than 0"),
    ],
)
def test_bad_settings_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        Evolve("kl", **fields)


@pytest.mark.parametrize("value", [0.0, 1e-4, 2000.0, torch.tensor([0.1, 0.2])])
def test_a_weight_without_a_place_in_the_box_is_refused(value):
    with pytest.raises(InputError, match=r"'tc' should start as one number within 0.001 and 1000 .*, got"):
        Evolve("tc").init({"tc": value})
