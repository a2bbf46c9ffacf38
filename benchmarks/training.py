"""Training speed of VAE, beta-TCVAE and FactorVAE beside a bare loop of the same network, batch and optimiser.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--repeats 5] [--precision 32|bf16]

Both sides run in the same process, in turns of 50 steps, with one thread; figures are process time, the minimum over
the turns. Ours has all that a run does while it trains: batches by index, a row of history per step, the monitored
errors after each 50 steps. The bare loop has none of it. Peak memory is each side's own, from a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from prismae._random import Draws
from prismae.data import World
from prismae.data.storage import Dense
from prismae.methods import Adversarial, Method, method
from prismae.nets import net
from prismae.settings import Training
from prismae.train.build import build
from prismae.train.ongoing import Ongoing

M = 10
TURN = 50  # steps; as many as a run of 5,000 steps takes between two of its monitored errors


@dataclass(frozen=True)
class Case:
    """Network, observations and batch."""

    net: str
    shape: tuple[int, ...]
    batch: int

    def __str__(self) -> str:
        return f"{self.net}, {self.shape[1]}x{self.shape[2]}, batch {self.batch}"

    def world(self) -> World:
        """Binary noise: what is drawn does not change the time."""
        rng = torch.Generator().manual_seed(0)
        return World("noise", Dense((torch.rand(4096, *self.shape, generator=rng) > 0.8).float()))


CASES = (Case("mlp", (1, 28, 28), 100), Case("conv", (1, 64, 64), 64))
METHODS = ("vae", "beta-tcvae", "factor-vae")


def bare(case: Case, chosen: Method, precision: str) -> Callable[[], None]:
    """One turn of steps as one would write them by hand: network, loss, fused Adam, nothing else."""
    torch.manual_seed(0)
    data = case.world().data[torch.arange(4096)]
    encoder, decoder = net(case.net).build(case.shape, 2 * M, M)
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-4, fused=True)
    critic = chosen.critic(M) if isinstance(chosen, Adversarial) else nn.Identity()
    if isinstance(chosen, Adversarial):
        critic_adam = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.5, 0.9), fused=True)

    def sample(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = encoder(x).float().chunk(2, 1)
        return mean + torch.exp(0.5 * log_var) * torch.randn_like(mean), mean, log_var

    def loss(x: Tensor) -> tuple[Tensor, Tensor]:
        z, mean, log_var = sample(x)
        recon = F.binary_cross_entropy_with_logits(decoder(z).float(), x, reduction="sum") / len(x)
        if chosen.name() == "beta-tcvae":
            return recon + decomposed(z, mean, log_var), z
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(1).mean()
        return (recon + kl + 35 * critic(z).float().mean() if adversarial else recon + kl), z

    adversarial = isinstance(chosen, Adversarial)

    def step() -> None:
        x = data[torch.randint(len(data), (case.batch,))]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            total, z = loss(x)
        total.backward()
        adam.step()
        adam.zero_grad()
        if adversarial:  # as in the paper: these codes, and shuffled codes of a second batch
            x = data[torch.randint(len(data), (case.batch,))]
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                with torch.no_grad():
                    other = sample(x)[0]
                other = torch.stack([column[torch.randperm(case.batch)] for column in other.T], 1)
                real, shuffled = critic(z.detach()).float(), critic(other).float()
                wrong = 0.5 * (F.softplus(-real).mean() + F.softplus(shuffled).mean())
            critic_adam.zero_grad()
            wrong.backward()
            critic_adam.step()

    def turn() -> None:
        for _ in range(TURN):
            step()

    return turn


def decomposed(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """beta-TCVAE's weighted KL with minibatch-weighted sampling, which needs no matrix of weights."""
    pairs = -0.5 * (
        (z[:, None] - mean[None]).square() / log_var.exp()[None] + log_var[None] + 1.8378770664093453
    )
    own = -0.5 * ((z - mean).square() / log_var.exp() + log_var + 1.8378770664093453).sum(1)
    scale = torch.tensor(float(len(z) * 4096)).log()
    joint = pairs.sum(2).logsumexp(1) - scale
    marginals = (pairs.logsumexp(1) - scale).sum(1)
    prior = -0.5 * (z.square() + 1.8378770664093453).sum(1)
    return (own - joint + 6 * (joint - marginals) + marginals - prior).mean()


def ours(case: Case, chosen: Method, precision: str) -> Callable[[], None]:
    """One turn of the library's loop, with history and monitored errors."""
    torch.manual_seed(0)
    world = case.world()
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if precision == "bf16" else None)
    ae = build(
        chosen, world.kind, world.shape, world.summary, n_latents=M, net=case.net, likelihood="bernoulli"
    )
    training = Training(n_latents=M, batch=case.batch, lr=1e-4, steps=100 * TURN)
    run = Ongoing(fabric, chosen, world, ae, training, (), Draws(0))

    def turn() -> None:
        for _ in range(TURN):
            run.advance()
        run.history.flush()
        run.monitor()

    return turn


def peak(side: str, case: Case, name: str, precision: str) -> int:
    """Peak memory of one turn, in MB above what the imports take; runs in a process of its own."""
    torch.set_num_threads(1)
    before = _high_water()
    {"bare": bare, "ours": ours}[side](case, method(name), precision)()
    return _high_water() - before


def _high_water() -> int:
    """Greatest resident memory of this process so far, MB (Linux; getrusage would inherit the parent's)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", choices=["32", "bf16"], default="32")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"precision {given.precision}\n")
    print("| case | method | bare, samples/s | ours, samples/s | ratio | peak MB, bare | peak MB, ours |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        for name in METHODS:
            turns = [bare(case, method(name), given.precision), ours(case, method(name), given.precision)]
            best = [float("inf")] * 2
            for repeat in range(given.repeats + 1):
                for i in (0, 1) if repeat % 2 else (1, 0):
                    start = time.process_time()
                    turns[i]()
                    if repeat:  # the first round warms up
                        best[i] = min(best[i], time.process_time() - start)
            rates = [TURN * case.batch / seconds for seconds in best]
            with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
                memory = [pool.apply(peak, (side, case, name, given.precision)) for side in ("bare", "ours")]
            print(
                f"| {case} | {name} | {rates[0]:.0f} | {rates[1]:.0f} | {rates[1] / rates[0]:.2f} "
                f"| {memory[0]} | {memory[1]} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
