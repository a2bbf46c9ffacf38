import numpy as np
import pytest
import torch
from flat import train
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from prismae.control import EntropyNoise
from prismae.data import world
from prismae.methods.ed_gcae import EDGCAE


def stepped(controller, sigma, entropy, t=0):
    start, state = controller.init({"noise": torch.tensor(sigma)})
    assert start["noise"].tolist() == torch.tensor(sigma).tolist()
    values, _ = controller.step(state, {"entropy": torch.tensor(entropy)}, t, None)
    return values["noise"].tolist()


def test_where_noise_falls_with_the_entropy_high_entropy_gives_small_noise():
    # Eq. 2: scaled entropies 0, 1/2, 1; targets 0.4, 0.3, 0.2; Eq. 3 with alpha 0.1
    sigma = stepped(EntropyNoise(gamma=1.0, direction="falling"), [0.4, 0.4, 0.4], [0.0, 1.0, 2.0])
    assert sigma == pytest.approx([0.4, 0.1 * 0.4 + 0.9 * 0.3, 0.1 * 0.4 + 0.9 * 0.2])


def test_literal_rule_is_equation_4_as_printed():
    sigma = stepped(
        EntropyNoise(gamma=1.0, rule="literal", sigma_min=0.1, direction="falling"), [0.4, 0.3], [0.0, 1.0]
    )
    assert sigma == pytest.approx([(0.1 * 0.4 + 0.9) * 0.4, max(0.1, (0.1 * 0.3 + 0.9) * 0.1)])


def test_where_noise_rises_with_the_entropy_it_is_the_other_way_round():
    # Section 4.3 of ED-GCAE: targets 0.2, 0.3, 0.4
    rising = EntropyNoise(gamma=1.0, direction="rising")
    sigma = stepped(rising, [0.4, 0.4, 0.4], [0.0, 1.0, 2.0])
    assert sigma == pytest.approx([0.1 * 0.4 + 0.9 * 0.2, 0.1 * 0.4 + 0.9 * 0.3, 0.4])


@pytest.mark.parametrize(("direction", "sign"), [("falling", -1), ("rising", 1)])
@pytest.mark.parametrize("seed", range(3))
def test_the_noise_of_a_training_goes_with_or_against_the_entropies(direction, sign, seed):
    chosen = EDGCAE(
        direction=direction, gamma=1.0, critic_warmup=5, critic_width=8, n_nodes=8, nodes="stratified"
    )
    small = {"net": "mlp:width=16", "n_latents": 5, "batch": 16, "device": "cpu"}
    found = train(chosen, world("pulses"), steps=8, seed=seed, **small).history.iloc[-2:]
    # The entropies of one step move the noise of the next.
    entropy = found.iloc[0].filter(like="entropy[").to_numpy(dtype=float)
    sigma = found.iloc[1].filter(like="sigma[").to_numpy(dtype=float)
    assert np.isclose(spearmanr(entropy, sigma).statistic, sign)


def test_equal_entropies_count_as_a_half():
    assert stepped(EntropyNoise(alpha=0.0, gamma=1.0), [0.4, 0.4], [1.0, 1.0]) == pytest.approx([0.3, 0.3])


def test_annealing_counts_groups_of_steps():
    controller = EntropyNoise(alpha=0.0, gamma=0.5, sigma_min=0.0, group=20, direction="falling")
    assert stepped(controller, [0.4, 0.4], [0.0, 1.0], t=19)[0] == pytest.approx(0.4)
    assert stepped(controller, [0.4, 0.4], [0.0, 1.0], t=40)[0] == pytest.approx(0.1)


def test_alpha_1_keeps_the_noise():
    assert stepped(EntropyNoise(alpha=1.0), [0.3, 0.25], [0.0, 1.0], t=10_000) == pytest.approx([0.3, 0.25])


@settings(deadline=None, max_examples=50)
@given(
    entropy=st.lists(st.floats(-5, 3), min_size=2, max_size=10),
    rule=st.sampled_from(["ema", "literal"]),
    t=st.integers(0, 100_000),
)
def test_noise_stays_between_its_bounds(entropy, rule, t):
    controller = EntropyNoise(rule=rule)
    sigma = stepped(controller, [0.4] * len(entropy), entropy, t)
    assert all(controller.sigma_min - 1e-6 <= each <= controller.sigma_max + 1e-6 for each in sigma)
