"""Several processes that train one model, each on a device of its own.

Each of them holds the whole model, takes every batch whole and computes the terms of all its observations, with the
same random numbers. Only what the encoder and the decoder make of a batch is dealt out, a part of its rows to each, and
gathered again, with its gradient. So a method need not know of it: means over the batch and statistics of its codes are
those of one process that has all of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any, cast

import cloudpickle
import torch
import torch.distributed as dist
from torch import Tensor, nn

from prismae._random import Draws
from prismae.errors import InputError
from prismae.nets.autoencoder import AutoencoderNet

TIMEOUT = timedelta(
    hours=1
)  # that a helper waits for the first process, which has hooks and files beside the steps
HELPER = "import pickle, sys; call, given = pickle.load(sys.stdin.buffer); call(**given)"


@dataclass(frozen=True)
class Team:
    """The processes of a training, as one of them sees it; by itself, one that trains alone.

    Parameters
    ----------
    rank
        Number of this process; 0 is the one that was asked for the training, the others help it.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    def dealt(self, ae: AutoencoderNet, draws: Draws) -> AutoencoderNet:
        """The autoencoder, whose networks compute the rows of a batch in all processes, for a method that sees all."""
        return ae if self.size == 1 else cast(AutoencoderNet, _Dealt(ae, self, draws))

    def shared(self, compute: Callable[..., Tensor], *whole: Tensor, draws: Draws) -> Tensor:
        """What `compute` makes of each row, [batch, ...], computed in parts; rows that cannot be dealt out evenly are
        computed by each process."""
        if len(whole[0]) % self.size:
            return compute(*whole)
        with draws.part(self.rank, self.size, len(whole[0]) // self.size):
            part = compute(*(each.chunk(self.size)[self.rank] for each in whole))
        return _Gathered.apply(part, self)

    def check(self, ae: AutoencoderNet) -> None:
        """Refuse networks that look at several rows of a batch together."""
        if self.size == 1:
            return
        for name, each in ae.named_modules():
            if isinstance(each, nn.modules.batchnorm._BatchNorm):
                raise InputError(
                    f"{type(each).__name__} ({name}) normalises by all rows of a batch, which several devices share: "
                    "expected GroupNorm or LayerNorm, or devices=1."
                )

    def average(self, module: nn.Module, means: Mapping[str, Tensor]) -> None:
        """Give the gradients of a module, and what a step is judged by, their means over all processes, in place.

        A gathered row's gradient comes once from each process, so that the mean is the gradient of the whole batch.
        """
        if self.size == 1:
            return
        every = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
        every += [mean.detach() for mean in means.values()]
        flat = torch.cat([each.reshape(-1) for each in every])
        dist.all_reduce(flat)
        for each, mean in zip(every, (flat / self.size).split([e.numel() for e in every]), strict=True):
            each.copy_(mean.view_as(each))


ALONE = Team()


class _Gathered(torch.autograd.Function):
    """(rows of this process, team) → rows of all; the gradient of rows is the sum of what all processes have for it."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, team: Team) -> Tensor:
        ctx.team = team
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(team.size)]
        dist.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(ctx.team.size)[ctx.team.rank], None


class _Dealt:
    """Stands for an autoencoder before a method; what is not a network's is the autoencoder's own."""

    def __init__(self, ae: AutoencoderNet, team: Team, draws: Draws) -> None:
        self._ae, self._team, self._draws = ae, team, draws

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ae, name)

    def encode(self, x: Tensor) -> Any:
        return self._ae.posterior(self.encoded(x), self._ae.parts)

    def encoded(self, x: Tensor) -> Tensor:
        return self._shared(self._ae.encoded, x)

    def decode(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        return self._shared(self._ae.decode, z, *(() if x is None else (x,)))

    def nll(self, x: Tensor, z: Tensor) -> Tensor:
        return self._shared(self._ae.nll, x, z)

    def _shared(self, compute: Callable[..., Tensor], *whole: Tensor) -> Tensor:
        return self._team.shared(compute, *whole, draws=self._draws)


@contextmanager
def gathered(size: int, gpus: bool, work: Callable[..., None], **given: Any) -> Iterator[Team]:
    """This process and, until it leaves, those that help it, each of which calls ``work(team=…, **given)``.

    They end with this one, however it ends. On the CPU they share its threads.

    Raises
    ------
    InputError
        Where one of them ends before its time.
    """
    if size == 1:
        yield Team()
        return
    if dist.is_initialized():
        raise InputError(
            "A training on several devices goes on in this process: expected one after the other."
        )
    threads = torch.get_num_threads()
    each = threads if gpus else max(1, threads // size)
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]
    backend = "nccl" if gpus else "gloo"
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    helpers: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as said:
        try:
            torch.set_num_threads(each)
            for rank in range(1, size):
                about = {"team": Team(rank, size), "port": store.port, "backend": backend, "threads": each}
                helper = subprocess.Popen(
                    [sys.executable, "-c", HELPER],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    env=os.environ | {"PYTHONPATH": paths},
                    start_new_session=True,  # signals of the terminal are for the first process
                )
                helpers.append(helper)
                assert helper.stdin is not None
                with suppress(BrokenPipeError):  # what it died of is said below
                    cloudpickle.dump((_help, about | {"work": work, "given": given}), helper.stdin)
                    helper.stdin.flush()
            while not store.check([f"{rank}" for rank in range(1, size)]):
                if any(helper.poll() is not None for helper in helpers):
                    raise RuntimeError("A helper did not start.")
                time.sleep(0.02)
            dist.init_process_group(backend, store=store, rank=0, world_size=size, timeout=TIMEOUT)
            yield Team(0, size)
        except RuntimeError:
            if why := _ended(helpers, said):
                raise InputError(
                    f"A process of this training {why}; the same command goes on from the last checkpoint."
                ) from None
            raise
        finally:
            for helper in helpers:
                helper.kill()
                helper.communicate()
            if dist.is_initialized():
                dist.destroy_process_group()
            torch.set_num_threads(threads)


def _help(
    team: Team, port: int, backend: str, threads: int, work: Callable[..., None], given: dict[str, Any]
) -> None:
    """What a helper does; it ends when the first process closes its input, if only by being killed."""

    def end() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    torch.set_num_threads(threads)
    store = dist.TCPStore("127.0.0.1", port, is_master=False)  # type: ignore[attr-defined]
    store.set(f"{team.rank}", "")
    dist.init_process_group(backend, store=store, rank=team.rank, world_size=team.size, timeout=TIMEOUT)
    work(team=team, **given)


def _ended(helpers: Sequence[subprocess.Popen[bytes]], said: IO[bytes]) -> str:
    """How a helper that is not well has ended; "" where none has, within the moment that an end takes to be seen."""
    for _ in range(100):
        codes = [helper.poll() for helper in helpers]
        if any(codes):
            code = next(code for code in codes if code)
            if code < 0:
                return f"was ended by {signal.Signals(-code).name}, perhaps because memory ran out"
            said.seek(0)
            lines = said.read().decode(errors="replace").split("\n")
            return f"failed ({next((line for line in reversed(lines) if line.strip()), 'without a word')})"
        time.sleep(0.02)
    return ""
