"""Draws of one's own, held against PyTorch's generator seeded the same, also while other threads draw."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from torch import Tensor, nn
from torch.nn import functional as F

import prismae as pr
from prismae._random import Draws
from prismae.errors import InputError

LIKE = torch.full((5, 7), 0.4)
DRAWN = {
    "rand": lambda: torch.rand(3, 4),
    "randn": lambda: torch.randn(3, 4, dtype=torch.float64),
    "randint": lambda: torch.randint(9, (20,)),
    "randperm": lambda: torch.randperm(20),
    "normal": lambda: torch.normal(LIKE, LIKE),
    "sizes": lambda: torch.normal(0.0, 1.0, (4,)),
    "bernoulli": lambda: torch.bernoulli(LIKE),
    "multinomial": lambda: torch.multinomial(LIKE, 3),
    "poisson": lambda: torch.poisson(LIKE),
    "rand_like": lambda: torch.rand_like(LIKE),
    "randn_like": lambda: torch.randn_like(LIKE, dtype=torch.float64),
    "randint_like": lambda: torch.randint_like(LIKE, 50),
    "uniform_": lambda: LIKE.clone().uniform_(2, 3),
    "exponential_": lambda: LIKE.clone().exponential_(),
    "distribution": lambda: torch.distributions.Gamma(LIKE, LIKE).sample(),
    "linear": lambda: nn.Linear(4, 3).weight.detach(),
    "orthogonal": lambda: nn.init.orthogonal_(torch.empty(4, 4)),
    "dropout": lambda: F.dropout(LIKE, 0.3),
    "dropout in place": lambda: F.dropout(LIKE.clone(), 0.3, inplace=True),
    "dropout layer": lambda: nn.Dropout(0.7)(LIKE),
    "channels": lambda: nn.Dropout2d(0.5)(torch.ones(3, 4, 2, 2)),
    "alpha dropout": lambda: nn.AlphaDropout(0.5)(LIKE),
    "gumbel": lambda: F.gumbel_softmax(LIKE),
    "two layers": lambda: nn.LSTM(7, 4, 2, dropout=0.5)(LIKE.unsqueeze(0))[0].detach(),
    "attention": lambda: F.scaled_dot_product_attention(*[LIKE.view(1, 1, 5, 7)] * 3, dropout_p=0.5),  # type: ignore[misc]
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_numbers_are_those_of_a_seeded_generator_which_stays_where_it_was(name: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = [DRAWN[name]() for _ in range(2)]
    before = torch.get_rng_state()
    with Draws(7):
        found = [DRAWN[name]() for _ in range(2)]
    assert torch.equal(before, torch.get_rng_state())
    for mine, its in zip(found, expected, strict=True):
        assert torch.equal(mine, its)
    assert name == "orthogonal" or not torch.equal(*found)


def test_draws_are_taken_back_and_go_on_where_they_stood() -> None:
    cpu = torch.device("cpu")
    with Draws(1) as draws:
        torch.randn(3)
        state = draws.state(cpu)
        with draws.rewound():
            first = torch.randn(3)
        assert torch.equal(first, torch.randn(3))
    with Draws(2) as other:
        other.restore(state, cpu)
        assert torch.equal(first, torch.randn(3))


def fitted(seed: int) -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    model = pr.Autoencoder("vae", 3, net="mlp:width=16", steps=20, batch=32, random_state=seed, device="cpu")
    return model.fit_transform(X)


@pytest.fixture(scope="module")
def alone() -> list[np.ndarray]:
    return [fitted(seed) for seed in range(3)]


def test_threads_fit_as_one_after_the_other(alone: list[np.ndarray]) -> None:
    threads = Parallel(n_jobs=3, backend="threading")(delayed(fitted)(seed) for seed in range(3))
    with ThreadPoolExecutor(3) as pool:
        again = list(pool.map(fitted, range(3)))
    for found in (threads, again):
        for mine, its in zip(found, alone, strict=True):
            np.testing.assert_array_equal(mine, its)


def test_a_thread_that_draws_changes_no_fit_and_is_not_changed(alone: list[np.ndarray]) -> None:
    done, drawn = threading.Event(), list[Tensor]()

    def draw() -> None:
        while not done.is_set() or len(drawn) < 10:
            drawn.append(torch.randn(4))

    with torch.random.fork_rng():
        torch.manual_seed(11)
        thread = threading.Thread(target=draw)
        thread.start()
        np.testing.assert_array_equal(fitted(1), alone[1])
        done.set()
        thread.join()
        torch.manual_seed(11)
        for each in drawn:
            assert torch.equal(each, torch.randn(4))


@pytest.mark.parametrize("name", ["gcae", "vade", "info-vae", "swae", "beta-tcvae", "hgmvae-g"])
def test_training_leaves_the_process_its_generator(name: str) -> None:
    before = torch.get_rng_state()
    given = pr.GCAE(critic_warmup=2, critic_width=16, n_nodes=4) if name == "gcae" else name
    pr.Autoencoder(given, 2, steps=3, batch=32, device="cpu").fit(pr.world("digits"))
    assert torch.equal(before, torch.get_rng_state())


BY_ROWS = {
    "rand": lambda x: torch.rand(x.shape),
    "randn": lambda x: torch.randn(len(x), 3, dtype=torch.float64),
    "randn_like": lambda x: torch.randn_like(x),
    "dropout": lambda x: F.dropout(x, 0.3),
    "dropout of what lies otherwise": lambda x: F.dropout(x.T.contiguous().T, 0.3),
    "channels": lambda x: nn.Dropout2d(0.5)(x.unsqueeze(2).unsqueeze(3)),
    "alpha dropout": lambda x: nn.AlphaDropout(0.5)(x),
}


@pytest.mark.parametrize("name", BY_ROWS)
def test_parts_of_a_batch_draw_what_the_whole_draws_for_them(name: str) -> None:
    x = torch.arange(48.0).view(12, 4) + 1
    with Draws(3):
        whole = [BY_ROWS[name](x) for _ in range(2)]
    for rank, part in enumerate(x.chunk(3)):
        with Draws(3) as draws, draws.part(rank, 3, 4):
            found = [BY_ROWS[name](part) for _ in range(2)]
        for mine, its in zip(found, whole, strict=True):
            assert torch.equal(mine, its.chunk(3)[rank])


def test_what_cannot_be_drawn_for_a_part_is_refused() -> None:
    with Draws(3) as draws, draws.part(0, 2, 4):
        assert torch.equal(F.dropout(torch.ones(4), training=False), torch.ones(4))
        for draw in (lambda: torch.rand(3), lambda: torch.randperm(4), lambda: torch.randn(())):
            with pytest.raises(InputError, match="several devices"):
                draw()
