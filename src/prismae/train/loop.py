"""The training loop: one for all methods, with an autoencoder player and, where a method has one, a critic."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import Tensor, nn

from prismae.control import Controller
from prismae.data import World
from prismae.errors import InputError, unknown_name
from prismae.methods import Adversarial, Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.train.batches import Batches
from prismae.train.build import build
from prismae.train.checkpoint import generator_state, load_state, restore_generator, save_state
from prismae.train.history import FLUSH_EVERY, History
from prismae.train.progress import Progress

PROBE = 256  # observations that the monitored errors are measured on
MONITORED = 100  # times in a run

Precision = Literal["32", "bf16"]


class Interrupted(Exception):
    """Training was stopped by Ctrl-C after a checkpoint was written; the message says how to go on."""


@dataclass(frozen=True)
class Trained:
    """What training returns.

    Parameters
    ----------
    ae
        The trained autoencoder, on the CPU.
    critic
        The critic, on the CPU; None for methods without one.
    history
        One row per logged step, as `prismae.train.history.History.frame` describes.
    seconds
        Wall time of the training, over all its pieces if it was resumed.
    """

    ae: AutoencoderNet
    critic: nn.Module | None
    history: pd.DataFrame
    seconds: float


def train(
    method: Method,
    world: World,
    *,
    n_latents: int,
    net: str,
    likelihood: str,
    steps: int,
    batch: int,
    lr: float | None = None,
    seed: int = 0,
    precision: Precision = "32",
    device: str = "auto",
    checkpoint: Path | None = None,
    checkpoint_every: int = 500,
    controllers: Sequence[Controller] = (),
    at_step: Mapping[int, Callable[[AutoencoderNet], None]] | None = None,
    progress: bool = False,
) -> Trained:
    """Train a method on a world. Same arguments, same machine, same result to the bit, also when resumed.

    Parameters
    ----------
    n_latents, net, likelihood
        Size of the code, and names of network and likelihood (not "auto").
    steps, batch
        Autoencoder updates, and observations in each.
    lr
        Learning rate of the autoencoder; None: the method's.
    precision
        "32", or "bf16" for matrix products in bfloat16 with float32 weights.
    checkpoint
        File to continue from if it exists, written every `checkpoint_every` steps and on Ctrl-C; None: no file.
    controllers
        Move weights of the method, beside the method's own controllers.
    at_step
        Called with the autoencoder, in evaluation mode, after that many steps.

    Raises
    ------
    NotFinite
        A term became NaN or infinite.
    Interrupted
        Ctrl-C; the run can be resumed from the checkpoint.
    """
    fabric = Fabric(accelerator=device, devices=1)
    if precision == "bf16":  # as a plugin: asked for by name, Fabric prints a line about it
        plugin = MixedPrecision("bf16-mixed", fabric.device.type)
        fabric = Fabric(accelerator=device, devices=1, plugins=[plugin])
    devices = [fabric.device] if fabric.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        ae = build(method, world.shape, world.summary, n_latents=n_latents, net=net, likelihood=likelihood)
        run = Run(
            fabric, method, world, ae, n_latents, controllers, batch=batch, lr=lr, seed=seed, steps=steps
        )
        if checkpoint is not None and checkpoint.exists():
            run.restore(load_state(checkpoint))
        with _interrupts() as stop, Progress(steps, done=run.step, enabled=progress) as bar:
            run.warm_up(bar.warm_up)
            while run.step < steps:
                run.advance()
                last = run.step == steps
                if run.step % FLUSH_EVERY == 0 or last:
                    bar.update(run.step, run.history.flush())
                if run.step % max(1, steps // MONITORED) == 0 or last:
                    run.monitor()
                if at_step and run.step in at_step:
                    run.history.flush()
                    ae.eval()
                    at_step[run.step](ae)
                    ae.train()
                if (
                    checkpoint is not None
                    and not last
                    and (run.step % checkpoint_every == 0 or stop.is_set())
                ):
                    run.history.flush()
                    save_state(checkpoint, run.state())
                if stop.is_set() and not last:
                    raise Interrupted(
                        f"Stopped after step {run.step} of {steps}; "
                        + ("the same command goes on from there." if checkpoint else "nothing was kept.")
                    )
    return Trained(ae.cpu().eval(), run.critic and run.critic.cpu().eval(), run.history.frame(), run.seconds)


class Run:
    """The moving parts of one training: players, controlled values, random numbers, history."""

    def __init__(
        self,
        fabric: Fabric,
        method: Method,
        world: World,
        ae: AutoencoderNet,
        n_latents: int,
        controllers: Sequence[Controller],
        *,
        batch: int,
        lr: float | None,
        seed: int,
        steps: int,
    ) -> None:
        self.fabric, self.method = fabric, method
        self.world = world.to(fabric.device)
        fabric.to_device(ae)
        self.ae = ae.train()
        self.critic: nn.Module | None = None
        self.step, self.critic_updates, self.spent = 0, 0, 0.0
        self.started = time.perf_counter()
        self.history = History(every=-(-steps // 5000))

        settings = method.optimizer() | ({} if lr is None else {"lr": lr})
        self.optimizer = _adam(self.ae, settings)
        self.batches = Batches(len(world), batch, seed, 0, fabric.device)
        if isinstance(method, Adversarial):
            self.critic = fabric.to_device(method.critic(n_latents)).train()
            self.critic_optimizer = _adam(self.critic, method.critic_optimizer())
            self.critic_batches = Batches(len(world), batch, seed, 1, fabric.device)

        self.values: dict[str, float | Tensor] = dict(method.weights())
        noise = method.noise()
        if noise is not None:
            self.values["noise"] = torch.full((n_latents,), noise, device=fabric.device)
        self.controllers = (*method.controllers(), *controllers)
        check_moves(method, controllers)
        self.controller_states = [fabric.to_device(each.init(self.values)) for each in self.controllers]
        for controller, state in zip(self.controllers, self.controller_states, strict=True):
            self.values[controller.moves] = state[controller.moves]
        self.probe = self._observations(PROBE)

    @property
    def context(self) -> Context:
        weights = {name: value for name, value in self.values.items() if name != "noise"}
        noise = torch.as_tensor(self.values.get("noise", ()))
        return Context(len(self.world), weights, noise, self.critic, self.step)

    def _observations(self, n: int) -> Tensor:
        rows = torch.linspace(0, len(self.world) - 1, min(n, len(self.world))).long()
        return self.world.data[rows.to(self.fabric.device)]

    @property
    def seconds(self) -> float:
        return self.spent + time.perf_counter() - self.started

    def warm_up(self, tick: Callable[[int, int], None]) -> None:
        """Train the critic alone before the first step."""
        if isinstance(self.method, Adversarial) and self.step == 0:
            for i in range(self.method.critic_warmup):
                self._update_critic(self.method)
                tick(i + 1, self.method.critic_warmup)

    def advance(self) -> None:
        """One step: the critic's updates, the autoencoder's, and the controllers."""
        noted: dict[str, float | Tensor] = {}
        with torch.no_grad():
            self.method.prepare(self.ae, self._observations, self.step)
        if isinstance(self.method, Adversarial):
            for _ in range(self.method.critic_steps):
                noted |= self._update_critic(self.method)
        noted |= self._update_autoencoder()
        moved = [name for name, value in self.values.items() if isinstance(value, Tensor)]
        noted |= {("sigma" if name == "noise" else f"weight:{name}"): self.values[name] for name in moved}
        self.history.add(self.step, noted)
        means = {name: value for name, value in noted.items() if isinstance(value, Tensor)}
        for place, controller in enumerate(self.controllers):
            values, state = controller.step(self.controller_states[place], means, self.step)
            self.values |= values
            self.controller_states[place] = state
        self.step += 1

    def _update_autoencoder(self) -> Terms:
        x = self.world.data[self.batches[self.step]]
        if self.critic is not None:
            self.critic.requires_grad_(False)
        with self.fabric.autocast():
            terms = self.method.terms(self.ae, x, self.context)
        # observations keep their shape; losses are averaged over the batch
        means = {k: v.float().mean() if k in self.values else v.detach() for k, v in terms.items()}
        weighted = [self.values[name] * mean for name, mean in means.items() if name in self.values]
        self._descend(torch.stack(weighted).sum(), self.optimizer)
        if self.critic is not None:
            self.critic.requires_grad_(True)
        return {name: mean.detach() for name, mean in means.items()}

    def _update_critic(self, method: Adversarial) -> Terms:
        assert self.critic is not None
        x = self.world.data[self.critic_batches[self.critic_updates]]
        with self.fabric.autocast():
            with torch.no_grad():  # the critic's loss must not reach the encoder
                q = self.ae.encode(x)
            terms = method.critic_terms(self.critic, q, replace(self.context, critic=None))
        means = {name: value.float().mean() for name, value in terms.items()}
        self._descend(torch.stack(list(means.values())).sum(), self.critic_optimizer)
        self.critic_updates += 1
        return {name: mean.detach() for name, mean in means.items()}

    def _descend(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        self.fabric.backward(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def monitor(self) -> None:
        """Measure the errors and the codes' spread on the probe."""
        self.ae.eval()
        with torch.no_grad():
            mse, nats = self.ae.errors(self.probe)
            spread = self.ae.encode(self.probe).mean.std(0)
        self.ae.train()
        values = {"mse": float(mse), "nats": float(nats)}
        values |= {f"spread[{i}]": value for i, value in enumerate(spread.tolist())}
        self.history.monitor(self.step - 1, values)

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs to go on to the bit."""
        state: dict[str, Any] = {
            "step": self.step,
            "critic_updates": self.critic_updates,
            "seconds": self.seconds,
            "ae": self.ae.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "values": self.values,
            "controllers": self.controller_states,
            "generator": generator_state(self.fabric.device),
            "history": self.history.state(),
        }
        if self.critic is not None:
            state |= {
                "critic": self.critic.state_dict(),
                "critic_optimizer": self.critic_optimizer.state_dict(),
            }
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken."""
        self.step, self.critic_updates, self.spent = state["step"], state["critic_updates"], state["seconds"]
        self.ae.load_state_dict(state["ae"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.values = self.fabric.to_device(state["values"])
        self.controller_states = self.fabric.to_device(state["controllers"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])
        self.history.restore(state["history"])
        restore_generator(state["generator"], self.fabric.device)


def check_moves(method: Method, controllers: Sequence[Controller]) -> None:
    """Refuse controllers that move what the method does not have, or the same value twice."""
    values = [*method.weights(), *([] if method.noise() is None else ["noise"])]
    moved = [controller.moves for controller in (*method.controllers(), *controllers)]
    for place, name in enumerate(moved):
        if name not in values:
            raise unknown_name(f"weight of {method.name()}", name, values)
        if name in moved[:place]:
            raise InputError(f"Two controllers move the {name!r} of {method.name()}: expected at most one.")


def _adam(module: nn.Module, settings: dict[str, Any]) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), fused=True, **settings)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event that is looked at between steps; the second one interrupts at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def note(signum: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous)
