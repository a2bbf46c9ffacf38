"""Pairs and labels of batches: what they are, that they are functions of the batch's number, and who is refused."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from flat import train

from prismae import Autoencoder, Hook, world
from prismae.data import World
from prismae.data.storage import Dense
from prismae.errors import InputError
from prismae.methods import Method
from prismae.methods.slow_vae import SlowVAE
from prismae.methods.vae import VAE
from prismae.train.known import Known, Partners

SIZES = (3, 4, 1, 5)


def grid(sizes=SIZES, kept=1.0, copies=1):
    factors = np.repeat(np.indices(sizes).reshape(len(sizes), -1).T, copies, axis=0)
    chosen = np.sort(np.random.default_rng(0).permutation(len(factors))[: round(kept * len(factors))])
    factors = factors[chosen] + 10  # classes need not begin at 0
    names = tuple(f"f{i}" for i in range(len(sizes)))
    x = torch.from_numpy(np.concatenate([factors, chosen[:, None]], 1).astype(np.float32))
    return World(
        "grid", Dense(x), factors=factors, factor_names=names, factor_kinds=("categorical",) * len(sizes)
    )


@dataclass(frozen=True)
class Paired(Method):
    """An autoencoder whose pairs should have the same code where they are alike."""

    differing: object = 1

    def weights(self):
        return {"recon": 1.0, "apart": 1.0, "labels": 1.0}

    def pairs(self):
        return self.differing

    def labelled(self):
        return 12

    def terms(self, ae, x, ctx):
        z, other = ae.encode(x).mean, ae.encode(ctx.pairs.x).mean
        known = ae.encode(ctx.labels.x).mean[:, 0] - ctx.labels.factors[:, 0]
        return {
            "recon": ae.nll(x, z),
            "apart": (z - other).square().sum(1) * (~ctx.pairs.differ).float().mean(1),
            "labels": known.square().mean(),
        }


@pytest.mark.parametrize("differing", [1, 2, 3])
def test_partners_differ_in_that_many_factors_and_in_no_other(differing):
    factors = grid().factors
    partners = Partners(factors, differing, seed=0)
    rows, other, differ = partners.of(np.arange(60), 0)
    assert rows.tolist() == list(range(60))
    assert ((factors[rows] != factors[other]) == differ).all()
    assert (differ.sum(1) == differing).all()
    assert not differ[:, 2].any()  # it has one value


def test_laplace_partners_are_near_by_the_law_and_another_at_least_once():
    factors = np.repeat(np.arange(5), 40)[:, None]
    moved = Partners(factors, "laplace", seed=0).of(np.arange(200), 0)[1] // 40
    assert (moved != factors[:, 0]).all()  # of one factor, which moves always
    cells = np.indices((4, 5)).reshape(2, -1).T
    partners = Partners(cells, "laplace", seed=0)
    drawn = np.concatenate([cells[partners.of(np.arange(20), i)[1]] for i in range(500)]).reshape(500, 20, 2)
    at = drawn[:, 7]  # of (1, 2)
    weights = [np.exp(-np.abs(np.arange(k) - i) / np.log(k)) for k, i in ((4, 1), (5, 2))]
    p, q = (each / each.sum() for each in weights)
    once = {i: p[i] * q[2] for i in (0, 2, 3)}  # the first alone has moved, by itself or since none had
    chance = {i: once[i] + 0.5 * p[1] * q[2] * p[i] / (1 - p[1]) for i in once}
    for i, expected in chance.items():
        found = ((at[:, 0] == i) & (at[:, 1] == 2)).mean()
        assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / 500))
    assert not (at == [1, 2]).all(1).any()


def test_what_follows_needs_no_factors():
    data = world(np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32))
    method = SlowVAE(differing="next")
    rows, found = Known(method, data, 3, 0, torch.device("cpu")).of(torch.tensor([0, 4, 5]), 0, data.data)
    assert rows.tolist() == [0, 4, 5]
    assert torch.equal(found["pairs"].x, data.data[torch.tensor([1, 5, 4])])
    assert found["pairs"].differ.shape == (3, 0)
    history = train(method, data, n_latents=2, net="mlp:width=8", steps=3, batch=3, device="cpu").history
    assert history["slow"].notna().all()


def test_any_number_is_from_1_to_all_but_one_equally_often_and_values_are_too():
    factors = grid().factors
    partners = Partners(factors, "any", seed=0)
    drawn = [partners.of(np.arange(60), i) for i in range(300)]
    numbers = np.bincount(np.concatenate([differ.sum(1) for *_, differ in drawn]))
    assert numbers[0] == 0
    assert len(numbers) == 3
    assert numbers[1] == pytest.approx(9000, abs=300)
    first = np.concatenate([factors[other][(factors[rows] == 10)[:, 3], 3] for rows, other, _ in drawn])
    counts = np.bincount(first - 10, minlength=5)[1:]
    assert counts == pytest.approx(np.full(4, counts.mean()), rel=0.15)


def test_of_several_observations_with_the_same_factors_each_is_drawn():
    data = grid(sizes=(2, 2), copies=3)
    partners = Partners(data.factors, 2, seed=0)
    seen = {
        tuple(pair) for i in range(100) for pair in np.stack(partners.of(np.arange(12), i)[:2], 1).tolist()
    }
    assert {b for a, b in seen if a == 0} == {9, 10, 11}


def test_partners_of_a_batch_are_a_function_of_its_number():
    factors = grid().factors

    def drawn(i, seed=0):
        return Partners(factors, "any", seed).of(np.arange(60), i)[1].tolist()

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    assert drawn(3) != drawn(3, seed=1)


def test_where_a_part_of_the_world_is_gone_pairs_are_still_pairs():
    data = grid(kept=0.5)
    rows, other, differ = Partners(data.factors, 1, seed=0).of(np.arange(30), 0)
    assert (differ.sum(1) == 1).all()
    assert ((data.factors[rows] != data.factors[other]) == differ).all()


def test_an_observation_without_a_partner_gives_its_place_away():
    factors = np.array([[0, 0], [0, 1], [2, 2]])  # the last one has nobody
    rows, other, differ = Partners(factors, 1, seed=0).of(np.array([2, 0, 1]), 0)
    assert rows.tolist() == [0, 0, 1]
    assert other.tolist() == [1, 1, 0]
    assert differ.tolist() == [[False, True]] * 3


def test_labels_are_of_the_same_few_observations():
    data = grid()
    known = Known(Paired(), data, 8, 0, torch.device("cpu"))
    seen = set()
    for i in range(20):
        rows, found = known.of(torch.arange(5), i, data.data)
        assert rows.tolist() == [0, 1, 2, 3, 4]
        labels = found["labels"]
        assert torch.equal(labels.x[:, :4], labels.factors)
        assert len(labels.x) == 8
        seen |= set(labels.x[:, 4].tolist())
    assert len(seen) == 12


def trained(**given):
    settings = {"n_latents": 2, "net": "mlp:width=8", "likelihood": "gaussian", "batch": 16, "device": "cpu"}
    return train(Paired(differing="any"), grid(), steps=8, **settings | given)


def test_a_stopped_training_with_pairs_and_labels_goes_on_to_the_bit(tmp_path):
    def stop(now):
        raise KeyboardInterrupt

    kept = {"checkpoint": tmp_path / "state.safetensors", "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        trained(hooks=[Hook(on_step=stop, at=[5])], **kept)
    whole, resumed = trained(), trained(**kept)
    for a, b in zip(whole.ae.parameters(), resumed.ae.parameters(), strict=True):
        assert torch.equal(a, b)


def test_worlds_without_factors_are_refused_in_one_sentence():
    with pytest.raises(
        InputError, match="paired learns from pairs of observations by their factors, and world 'few'"
    ):
        train(Paired(), replace(grid(), name="few", factors=None, factor_names=(), factor_kinds=()), steps=1)
    with pytest.raises(InputError, match="expected a world with factors"):
        Autoencoder(Paired(), steps=2).fit(np.random.default_rng(0).normal(size=(20, 3)))


def test_what_is_held_out_does_not_stop_a_training_with_pairs():
    with pytest.raises(
        InputError, match=r"paired learns from pairs or labels, .* so steps='auto' cannot stop it"
    ):
        train(Paired(), grid(), steps="auto", held=grid(), device="cpu")
    history = trained(held=grid()).history
    assert "unseen_loss" not in history


def test_worlds_without_partners_are_refused():
    values = np.arange(40.0).reshape(20, 2)  # no two alike in a factor
    lonely = World("lonely", Dense(torch.zeros(20, 3)), values, ("a", "b"), ("continuous", "continuous"))
    with pytest.raises(
        InputError, match="in world 'lonely' 0% have a partner: expected a world in which factors"
    ):
        train(Paired(), lonely, steps=1, device="cpu")
    with pytest.raises(InputError, match="differ in 4 factors, and world 'grid' has 3 that vary"):
        train(Paired(differing=4), grid(), steps=1, device="cpu")


def test_a_method_that_asks_for_nothing_is_given_nothing():
    assert not Known(VAE(), world("digits"), 8, 0, torch.device("cpu"))
