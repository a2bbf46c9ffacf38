"""Steps of a training as CUDA graphs: small networks spend most of a step on a GPU in starting its kernels.

The players' updates of a step are captured once and replayed; batches are chosen, controllers move and history is
kept outside, as always. Random numbers are the same as without a graph, so a run is checked against itself before it
goes on: some steps as always, the same steps again by the graph, and the weights compared.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import torch
from torch import Tensor

from prismae.data import Tokens
from prismae.methods import Adversarial, Terms
from prismae.train.ongoing import Ongoing

WARM = 12  # steps without a graph: what is allocated once has been by then
CHECKED = 8  # steps that are taken both ways
ALIKE = 0.25  # largest distance of the weights after these, as a share of the way that they went
READ_THE_STEP = ("annealed-vae", "vade")  # methods whose terms depend on the number of the step


class Unlike(RuntimeError):
    """A graph that does not do what the step does."""


class InTurn:
    """Row indices that lie where they lay when the graph was captured, in the order in which they are asked for."""

    def __init__(self, rows: list[Tensor]) -> None:
        self.rows = rows
        self.next: Iterator[Tensor] = cycle(rows)

    def __getitem__(self, i: int) -> Tensor:
        return next(self.next)


class Graph:
    """The players' updates of one step of a run, captured."""

    def __init__(self, run: Ongoing, stream: torch.cuda.Stream) -> None:
        self.own = InTurn([run.batches[run.step].clone()])
        updates = run.method.critic_steps if isinstance(run.method, Adversarial) else 0
        self.critic = InTurn([self.own.rows[0].clone() for _ in range(updates)])
        for optimizer in optimizers(run):
            for group in optimizer.param_groups:
                group["capturable"] = True
        held = copy.copy(run)
        held.batches, held.critic_batches = self.own, self.critic  # type: ignore[assignment]
        held.values = {k: v.clone() if isinstance(v, Tensor) else v for k, v in run.values.items()}
        self.values = {k: v for k, v in held.values.items() if isinstance(v, Tensor)}
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(
            run.draws.generator(run.fabric.device)
        )  # a run's own is not PyTorch's
        torch.cuda.synchronize()
        with torch.cuda.graph(self.graph, stream=stream):
            self.terms = held.update_players()

    def replay(self, run: Ongoing) -> Terms:
        """Do the updates of the run's next step; returns their terms."""
        self.own.rows[0].copy_(run.batches[run.step])
        for rows in self.critic.rows:
            rows.copy_(run.critic_batches[run.critic_updates])
            run.critic_updates += 1
        for name, value in self.values.items():
            value.copy_(torch.as_tensor(run.values[name]))
        self.graph.replay()
        return {name: value.clone() for name, value in self.terms.items()}


def optimizers(run: Ongoing) -> list[torch.optim.Optimizer]:
    """Of the autoencoder, and of the critic where there is one."""
    return [run.optimizer] if run.critic is None else [run.optimizer, run.critic_optimizer]


def suited(run: Ongoing) -> bool:
    """Whether a graph can hold the steps of a run: they are all alike, and nobody tries others."""
    return (
        run.fabric.device.type == "cuda"
        and run.method.called() not in READ_THE_STEP
        and not any(controller.together for controller in run.controllers)
        and not isinstance(run.world.data, Tokens)
        and not run.known
    )


def start(run: Ongoing) -> float:
    """From now on the run's steps are replayed: checked first, over steps that are taken twice and counted once.

    Returns
    -------
    float
        Distance of the weights by the graph from those without, as a share of the way that they went.

    Raises
    ------
    Unlike
        If that is large.
    """
    spent, before = run.spent, weights(run)
    run.history.flush()
    saved = copy.deepcopy(run.state())
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(CHECKED):
            Ongoing.advance(run)
    torch.cuda.current_stream().wait_stream(stream)
    expected = weights(run)
    run.history.flush()
    run.restore(saved)
    run.spent = spent
    graph = Graph(run, stream)
    run.update_players = lambda: graph.replay(run)  # type: ignore[method-assign]
    for _ in range(CHECKED):
        Ongoing.advance(run)
    way = (expected - before).norm()
    off = float((weights(run) - expected).norm() / way)
    if not off < ALIKE:
        raise Unlike(f"The graph's weights are off by {off:.3f} of the way that they went.")
    return off


def weights(run: Ongoing) -> Tensor:
    """All weights of both players, a copy in one vector."""
    players = [run.ae] if run.critic is None else [run.ae, run.critic]
    return torch.cat([p.detach().flatten() for player in players for p in player.parameters()])


@contextmanager
def graphs(said: Callable[[str], None]) -> Iterator[None]:
    """Inside, every training that is suited for it goes on by a graph after its first steps; `said` hears of it."""
    as_always = Ongoing.advance

    def advance(run: Ongoing) -> None:
        if run.step != WARM or not suited(run):
            as_always(run)
            return
        Ongoing.advance = as_always  # type: ignore[method-assign]
        try:
            off = start(run)
        finally:
            Ongoing.advance = advance  # type: ignore[assignment, method-assign]
        said(
            f"by a graph from step {run.step} on; its weights were off by {off:.1e} of the way that they went"
        )

    Ongoing.advance = advance  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        Ongoing.advance = as_always  # type: ignore[method-assign]
