"""Time of one GCAE step (k = 5) and one ED-GCAE step (k = 1) beside a plain loop of the same maths.

    python benchmarks/gcae_step.py [--repeats 5] [--markdown]

Both sides run in the same process, interleaved, with one thread; figures are process time, the minimum over the
repeats. The plain side does what a first implementation does: it builds every swapped row and loops over the latents,
leaves the critics' gradients on in the autoencoder update, passes the decoder and keeps the encoder's graph in each
critic update, and steps an unfused Adam.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from lightning_fabric import Fabric

import plain_gcae
from prismae._random import Draws
from prismae.data import World
from prismae.data.storage import Dense
from prismae.latent.channel import through_channel
from prismae.latent.density_ratio import excess_entropy_power, uniform_nodes
from prismae.methods.ed_gcae import EDGCAE
from prismae.methods.gcae import GCAE
from prismae.nets.critics import ConditionalCritics
from prismae.settings import Training
from prismae.train.build import build
from prismae.train.ongoing import Ongoing

M = 10
Precision = Literal["32-true", "bf16-mixed"]
CASES = {"series of 1000, batch 64": ((1000,), 64), "images 64x64, batch 256": ((1, 64, 64), 256)}


def plain_step(method: GCAE | EDGCAE, world: World, batch: int, device: str = "cpu") -> Callable[[], None]:
    """One step of the plain loop."""
    torch.manual_seed(0)
    world = world.to(device)
    ae = build(method, world.kind, world.shape, world.summary, n_latents=M, net="mlp", likelihood="mse").to(
        device
    )
    critics = method.critic(M).to(device)
    assert isinstance(critics, ConditionalCritics)
    sigma = torch.full((M,), float(method.noise()), device=device)
    ae_adam = torch.optim.Adam(ae.parameters(), lr=5e-5)
    critic_adam = torch.optim.Adam(critics.parameters(), lr=2e-4, betas=(0.5, 0.9))

    def draw() -> torch.Tensor:
        return world.data[torch.randint(len(world), (batch,), device=device)]

    def step() -> None:
        for _ in range(method.critic_steps):
            x = draw()
            z = through_channel(ae.encode(x).mean, sigma)
            ae.decode(z)
            swaps = method.bound * (2 * torch.rand(M, method.copies, batch, device=device) - 1)
            loss = plain_gcae.critic_loss(critics, z.detach(), swaps)
            critic_adam.zero_grad()
            loss.backward()
            critic_adam.step()
        x = draw()
        z = ae.encode(x).mean
        nodes = uniform_nodes(M, method.n_nodes, method.bound, method.nodes, z)
        information, entropy = plain_gcae.dependence(critics, z, nodes)
        dependence = excess_entropy_power(information, entropy).sum()
        loss = ae.nll(x, through_channel(z, sigma)).mean() + method.weight * dependence
        ae_adam.zero_grad()
        loss.backward()
        ae_adam.step()

    return step


def prismae_run(
    method: GCAE | EDGCAE, world: World, batch: int, precision: Precision, device: str = "cpu"
) -> Ongoing:
    """A training of the library's own loop, before its first step."""
    torch.manual_seed(0)
    fabric = Fabric(accelerator=device, devices=1, precision=precision)
    ae = build(method, world.kind, world.shape, world.summary, n_latents=M, net="mlp", likelihood="mse")
    return Ongoing(fabric, method, world, ae, Training(n_latents=M, steps=1, batch=batch), (), Draws(0))


def prismae_step(method: GCAE | EDGCAE, world: World, batch: int, precision: Precision) -> Callable[[], None]:
    """One step of the library's own loop."""
    run = prismae_run(method, world, batch, precision)

    def step() -> None:
        run.advance()
        run.history.flush()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    print(
        "| case | step | plain, ms | fp32, ms (ratio) | bf16, ms (ratio) | stratified S = 16, bf16, ms (ratio) |"
    )
    print("|---|---|---|---|---|---|")
    for case, (shape, batch) in CASES.items():
        values = torch.from_numpy(np.random.default_rng(0).random((1024, *shape), dtype=np.float32))
        world = World("noise", Dense(values))
        for label, method in (("GCAE, k = 5", GCAE()), ("ED-GCAE, k = 1", EDGCAE())):
            fewer = replace(method, nodes="stratified", n_nodes=16)
            steps = [
                plain_step(method, world, batch),
                prismae_step(method, world, batch, "32-true"),
                prismae_step(method, world, batch, "bf16-mixed"),
                prismae_step(fewer, world, batch, "bf16-mixed"),
            ]
            best = [float("inf")] * len(steps)
            for repeat in range(repeats + 1):
                for i, step in enumerate(steps):
                    start = time.process_time()
                    step()
                    if repeat:  # the first round warms up
                        best[i] = min(best[i], time.process_time() - start)
            cells = [f"{1e3 * t:.0f} ({best[0] / t:.2f}x)" for t in best[1:]]
            print(f"| {case} | {label} | {1e3 * best[0]:.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
