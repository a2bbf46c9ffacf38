"""Several processes that train one model: what one process has of the same batches, for every method.

Most tests have a team of threads, which exchange what the processes of a real one send each other.
"""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import prismae as pr
from prismae._random import Draws
from prismae.control import PI
from prismae.errors import InputError
from prismae.methods import all_methods, method
from prismae.settings import Training
from prismae.testing._hold import few_digits
from prismae.train import Hook, team, train
from prismae.train.build import choices
from prismae.train.loop import _begun
from prismae.train.team import ALONE, Team, gathered

METHODS = sorted(all_methods())
QUICK = {  # where a method has such fields
    "critic_warmup": 1,
    "critic_steps": 1,
    "critic_width": 8,
    "critic_layers": 1,
    "n_nodes": 4,
    "copies": 2,
    "prior_width": 8,
    "width": 8,
    "pretrain_steps": 2,
    "population": 2,
    "trial_steps": 1,
    "every": 8,
}
TRAINING = Training(n_latents=3, net="mlp:width=8", batch=8, steps=4, lr=1e-3)
STEPS = {"evae": 9, "tripod": 2}  # up to a generation; before second differences magnify what rounding leaves
CLOSE = 1e-5


class Threads:
    """What `torch.distributed` is among threads."""

    def __init__(self, size: int) -> None:
        self.size, self.barrier, self.left = (
            size,
            threading.Barrier(size, timeout=60),
            dict[int, torch.Tensor](),
        )
        self.own = threading.local()

    def _exchanged(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        self.left[self.own.rank] = tensor.clone()
        self.barrier.wait()
        everyone = [self.left[rank] for rank in range(self.size)]
        self.barrier.wait()
        return everyone

    def all_reduce(self, tensor: torch.Tensor) -> None:
        tensor.copy_(torch.stack(self._exchanged(tensor)).sum(0))

    def all_gather(self, parts: list[torch.Tensor], tensor: torch.Tensor) -> None:
        for part, each in zip(parts, self._exchanged(tensor), strict=True):
            part.copy_(each)


@pytest.fixture
def together(monkeypatch):
    """Call a function with each member of a team of threads; what it gives to the first."""

    def call(size, function, *given):
        threads = Threads(size)
        monkeypatch.setattr(team, "dist", threads)

        def member(rank):
            threads.own.rank = rank
            try:
                return function(Team(rank, size), *given)
            except BaseException:
                threads.barrier.abort()
                raise

        with ThreadPoolExecutor(size) as pool:
            done = [pool.submit(member, rank) for rank in range(size)]
            errors = [each.exception() for each in done if each.exception() is not None]
            if errors:
                raise next((e for e in errors if not isinstance(e, threading.BrokenBarrierError)), errors[0])
            return done[0].result()

    return call


def quick(name):
    known = {field.name for field in fields(all_methods()[name])}
    return method(name, **{k: v for k, v in QUICK.items() if k in known})


def steps(team, chosen, world, training):
    """History and weights of a training, as one member of a team makes it."""
    net, likelihood = choices(chosen, world, training)
    with Draws(training.seed) as draws:
        run = _begun(
            team, draws, chosen, world, replace(training, net=net, likelihood=likelihood), "cpu", None
        )
        run.warm_up(lambda done, of: None)
        for _ in range(training.steps):
            run.advance()
        run.history.flush()
    return run.history.frame(), [each.detach().clone() for each in run.ae.parameters()]


def close(found, expected):
    """Terms, and so the loss, to 1e-5 of what they are, and weights."""
    (frame, weights), (whole, others) = found, expected
    np.testing.assert_allclose(frame, whole, rtol=CLOSE, atol=CLOSE)
    for mine, its in zip(weights, others, strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_two_have_the_losses_of_one_process_with_the_whole_batch(name, together):
    given = quick(name), few_digits(), replace(TRAINING, steps=STEPS.get(name, TRAINING.steps))
    close(together(2, steps, *given), steps(ALONE, *given))


@pytest.mark.parametrize("size", [2, 4])
def test_what_a_network_drops_is_what_one_process_drops(size, together, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("".join(f"{'a b c d e f '[: 2 * (i % 5 + 2)]}{i % 7}\n" for i in range(40)))
    training = replace(TRAINING, net="lstm:width=8,dropout=0.5,word_dropout=0.3")
    given = method("vae"), pr.world(path), training
    alone = steps(ALONE, *given)
    close(together(size, steps, *given), alone)
    without = replace(training, net="lstm:width=8,dropout=0,word_dropout=0")
    assert not np.allclose(steps(ALONE, given[0], given[1], without)[0]["recon"], alone[0]["recon"])


def test_missing_values_controllers_and_bfloat16(together):
    table = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    table[::7, 2] = np.nan
    training = replace(TRAINING, controls=(PI("kl", target=1.0, kp=0.5, ki=0.01),))
    given = method("beta-vae"), pr.world(table), training
    close(together(2, steps, *given), steps(ALONE, *given))
    frame, _ = together(2, steps, given[0], given[1], replace(training, precision="bf16"))
    whole, _ = steps(ALONE, given[0], given[1], replace(training, precision="bf16"))
    np.testing.assert_allclose(frame["recon"], whole["recon"], rtol=1e-2)


def test_each_computes_only_its_rows(together):
    seen = []

    class Counting(nn.Linear):
        def forward(self, x):
            seen.extend([len(x)] * torch.is_grad_enabled())
            return super().forward(x)

    def net(shape, n_outputs, n_latents):
        wide = shape[0] * shape[1] * shape[2]
        encoder = nn.Sequential(nn.Flatten(), Counting(wide, n_outputs))
        return encoder, nn.Sequential(Counting(n_latents, wide), nn.Unflatten(1, shape))

    together(4, steps, method("beta-tcvae"), few_digits(), replace(TRAINING, net=net, steps=1))
    assert seen == [2] * 8  # an encoder and a decoder in each of four


def test_a_batch_is_shared_evenly_and_devices_are_there():
    given = method("vae"), few_digits(), TRAINING
    with pytest.raises(InputError, match="3 devices share each batch evenly, and it has 8 observations"):
        train(*given, device="cpu", devices=3)
    with pytest.raises(InputError, match="devices should be a whole number, at least 1, got 0"):
        train(*given, device="cpu", devices=0)


def test_as_many_gpus_as_there_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(
        InputError, match="at least 1 and at most 2, the GPUs that PyTorch can use here, got 4"
    ):
        train(method("vae"), few_digits(), TRAINING, device="cuda", devices=4)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (lambda: nn.BatchNorm1d(3), r"BatchNorm1d \(encoder.2\) normalises by all rows of a batch"),
        (lambda: nn.GRU(3, 3, 2, dropout=0.5), "draws by gru cannot train on several devices"),
    ],
)
def test_networks_that_look_at_several_rows_together_are_refused(layer, expected, together):
    class First(nn.Module):
        def forward(self, x):
            return x if isinstance(x, torch.Tensor) else x[0]

    def net(shape, n_outputs, n_latents):
        encoder = nn.Sequential(nn.Linear(64, 3), layer(), First(), nn.Linear(3, n_outputs))
        return nn.Sequential(nn.Flatten(), *encoder), nn.Sequential(
            nn.Linear(n_latents, 64), nn.Unflatten(1, shape)
        )

    with pytest.raises(InputError, match=expected):
        together(2, steps, method("vae"), few_digits(), replace(TRAINING, net=net))


def test_one_training_of_that_kind_at_a_time(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    with pytest.raises(InputError, match="one after the other"):
        train(method("vae"), few_digits(), TRAINING, device="cpu", devices=2)


# in processes


def every(team, names, training):
    """The trainings of several methods, one after the other."""
    world = few_digits()
    return {
        name: steps(team, quick(name), world, replace(training, steps=STEPS.get(name, training.steps)))
        for name in names
    }


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 4])
def test_processes_have_the_losses_of_one_with_the_whole_batch(size):
    with gathered(size, False, every, names=METHODS, training=TRAINING) as team:
        found = every(team, METHODS, TRAINING)
    expected = every(ALONE, METHODS, TRAINING)
    for name in METHODS:
        close(found[name], expected[name])


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_devices(tmp_path):
    """Begun by two and stopped, gone on by one and stopped, ended by four: the run of one."""
    world, state = few_digits(), tmp_path / "state.safetensors"
    given = method("beta-tcvae"), world, replace(TRAINING, steps=12)
    whole = train(*given, device="cpu")

    class Stop(Exception):
        pass

    def stop(now):
        raise Stop

    for devices, at in ((2, 5), (1, 9)):
        with pytest.raises(Stop):
            train(
                *given, device="cpu", devices=devices, checkpoint=state, checkpoint_every=4,
                hooks=[Hook(on_step=stop, at=[at])],
            )  # fmt: skip
        assert state.exists()
    found = train(*given, device="cpu", devices=4, checkpoint=state)
    pd.testing.assert_frame_equal(found.history, whole.history, rtol=CLOSE, atol=CLOSE, check_exact=False)
    again = train(*given, device="cpu", devices=2)
    for mine, its in zip(
        train(*given, device="cpu", devices=2).ae.parameters(), again.ae.parameters(), strict=True
    ):
        assert torch.equal(mine, its)


@pytest.mark.slow
def test_a_helper_that_is_killed_ends_the_training_in_one_sentence(tmp_path, monkeypatch):
    given = method("vae"), few_digits(), replace(TRAINING, steps=10_000)
    state = tmp_path / "state.safetensors"

    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])

    def kill(now):
        started[0].kill()

    with pytest.raises(InputError, match=r"was ended by SIGKILL.*goes on from the last checkpoint"):
        train(
            *given, device="cpu", devices=2, checkpoint=state, checkpoint_every=10,
            hooks=[Hook(on_step=kill, at=[25])],
        )  # fmt: skip
    assert state.exists()
    assert not torch.distributed.is_initialized()
