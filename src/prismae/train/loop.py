"""The training loop: one for all methods, with an autoencoder player and, where a method has one, a critic."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import torch

from prismae._random import Draws
from prismae.control import as_controller
from prismae.data import World
from prismae.data.summary import means_of_seen, moments_of_seen
from prismae.errors import InputError, Interrupted
from prismae.methods import Clustering, Method
from prismae.settings import Training
from prismae.train.attached import check_controllers
from prismae.train.build import build, choices
from prismae.train.checkpoint import load_state, save_state
from prismae.train.history import FLUSH_EVERY
from prismae.train.hooks import Hook, check_hooks, stopped_by
from prismae.train.known import check_known, needs_factors
from prismae.train.ongoing import Ongoing
from prismae.train.progress import Progress
from prismae.train.team import Team, gathered
from prismae.train.trained import Trained

MONITORED = 100  # times in a run
ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def train(
    method: Method,
    world: World,
    training: Training,
    *,
    device: str = "auto",
    devices: int = 1,
    checkpoint: Path | None = None,
    checkpoint_every: int = 500,
    called: str = "",
    hooks: Sequence[Hook] = (),
    progress: bool = False,
    start: dict[str, Any] | None = None,
    held: World | None = None,
) -> Trained:
    """Train a method on a world. Same arguments, same machine, same result to the bit, also when resumed.

    Parameters
    ----------
    training
        Size of the code, network, likelihood, budget, seed, controllers; its snapshots are left to `hooks`.
    devices
        How many GPUs, or processes on the CPU, compute each batch together: see `prismae.train.team`.
    checkpoint
        File to continue from if it exists, written every `checkpoint_every` steps, on Ctrl-C, and on SIGTERM and SIGHUP
        before these do what they do; None: no file.
    called
        Name of this training, as a job's id: by it a checkpoint of another one, though it fits, is told.
    hooks
        What is called after steps and at the end; see `prismae.train.Hook`.
    start
        State of a shorter training, alike but for its `steps`, to go on from: `Trained.state`.
    held
        Observations that are not trained on, to measure the loss on along the way; ``steps="auto"`` stops by it (see
        `prismae.train.stopping`) and keeps the weights of its lowest. It changes nothing else.

    Raises
    ------
    InputError
        For settings that do not go together, ``steps="auto"`` without `held`, and a checkpoint that is damaged or of
        another training.
    NotFinite
        A term became NaN or infinite.
    Interrupted
        Ctrl-C; the run can be resumed from the checkpoint.
    """
    from lightning_fabric.utilities import (
        move_data_to_device,  # here: importing it takes as long as PyTorch itself
    )

    net, likelihood = choices(method, world, training)
    check_controllers(method, [as_controller(each) for each in training.controls], likelihood)
    check_device(device)
    if training.steps == "auto" and held is None:
        raise InputError(
            "steps='auto' stops by observations that are not trained on: expected some, or a number."
        )
    check_sizes(method, len(world), training.batch)
    check_devices(devices, device, training.batch)
    if method.pairs() is not None or method.labelled():
        if needs_factors(method):
            check_known(method, world)
        if training.steps == "auto":
            raise InputError(
                f"{method.called()} learns from pairs or labels, which are not drawn of what is held out, so "
                "steps='auto' cannot stop it: expected a number."
            )
        held = None
    check_hooks(hooks)
    saved = _continued(checkpoint, called) if checkpoint is not None and checkpoint.is_file() else None
    work: dict[str, Any] = {
        "method": method,
        "world": world,
        "training": replace(training, net=net, likelihood=likelihood),
        "device": device,
        "start": deepcopy(start) if saved is None else saved,  # the optimiser takes over these tensors
    }
    with gathered(devices, on_gpu(device), _help, **work) as team, Draws(training.seed) as draws:
        run = _begun(team, draws, **work, held=held)
        steps = training.limit
        with (
            _interrupts(kept=checkpoint is not None) as stop,
            Progress(steps, done=run.step, enabled=progress) as bar,
        ):
            run.warm_up(bar.warm_up)
            last = False
            while run.step < steps and not (last or run.over):
                run.advance()
                last = run.step == steps
                if run.step % FLUSH_EVERY == 0 or last:
                    bar.update(run.step, run.history.flush())
                monitored = run.step % max(1, steps // MONITORED) == 0 or last
                if monitored:
                    run.monitor()
                    last = last or run.over
                if stopped_by(hooks, run, steps):
                    last = True
                    run.history.flush()
                    if not monitored:
                        run.monitor()
                if (
                    checkpoint is not None
                    and not last
                    and (run.step % checkpoint_every == 0 or stop.is_set())
                ):
                    run.history.flush()
                    save_state(checkpoint, run.state() | {"called": called})
                if stop.is_set() and not last:
                    raise Interrupted(
                        f"Stopped after step {run.step} of {'at most ' * run.patient}{steps}; "
                        + ("the same command goes on from there." if checkpoint else "nothing was kept.")
                    )
        run.history.flush()
        state = move_data_to_device(run.state(), torch.device("cpu"))
        kept = run.take_kept()
    trained = Trained(
        run.ae.cpu().eval(),
        run.critic and run.critic.cpu().eval(),
        run.history.frame(),
        run.seconds,
        run.trial_updates,
        run.step,
        state,
        kept,
        run.warmed,
    )
    for hook in hooks:
        if hook.on_end is not None:
            hook.on_end(trained)
    return trained


def _continued(checkpoint: Path, called: str) -> dict[str, Any]:
    """The state to go on from, if it is of the training of that name; earlier versions wrote no name."""
    state = load_state(checkpoint)
    its = state.pop("called", called)
    if its != called:
        raise InputError(
            f"{str(checkpoint)!r} is the checkpoint of another training, {its!r}: delete it to train from the start, "
            "or put this one's own there."
        )
    return state


def _begun(
    team: Team,
    draws: Draws,
    method: Method,
    world: World,
    training: Training,
    device: str,
    start: dict[str, Any] | None,
    held: World | None = None,
) -> Ongoing:
    """A training as it starts, or goes on, in one of the processes of a team."""
    from lightning_fabric import Fabric  # here: importing it takes as long as PyTorch itself, twice
    from lightning_fabric.plugins import MixedPrecision

    place: dict[str, Any] = {"accelerator": device, "devices": [team.rank] if on_gpu(device) else 1}
    fabric = Fabric(**place)
    if training.precision == "bf16":  # as a plugin: asked for by name, Fabric prints a line about it
        fabric = Fabric(**place, plugins=[MixedPrecision("bf16-mixed", fabric.device.type)])
    ae = build(
        method,
        world.kind,
        world.shape,
        world.summary,
        n_latents=training.n_latents,
        net=training.net,
        likelihood=training.likelihood,
    )
    team.check(ae)
    if ae.lacking is not None:
        ae.fill.copy_(means_of_seen(world.data))
    if ae.given:
        mean, std = moments_of_seen(world.data)
        ae.know(mean, std, world.kind.usual(mean))
    controllers = [as_controller(each) for each in training.controls]
    run = Ongoing(fabric, method, world, ae, training, controllers, draws, held, team)
    if start is not None:
        try:
            run.restore(start)
        except InputError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise InputError(
                f"The checkpoint does not fit this training ({type(error).__name__}: "
                f"{str(error).partition(chr(10))[0]}): delete it to train from the start."
            ) from error
    return run


def _help(team: Team, training: Training, **work: Any) -> None:
    """What the other processes of a team do: each step with the first one, which looks, keeps and ends."""
    with Draws(training.seed) as draws:
        run = _begun(team, draws, training=training, **work)
        run.warm_up(lambda done, of: None)
        while run.step < training.limit:
            run.advance()
            if run.step % FLUSH_EVERY == 0:
                run.history.flush()


def on_gpu(device: str) -> bool:
    """Whether that is a GPU of CUDA."""
    return device == "cuda" or (device == "auto" and torch.cuda.is_available())


def check_devices(devices: int, device: str, batch: int) -> None:
    """Refuse more devices than there are, and batches that they cannot share."""
    there = torch.cuda.device_count() if on_gpu(device) else inf
    if not (isinstance(devices, int) and 1 <= devices <= there):
        most = "" if there == inf else f" and at most {there}, the GPUs that PyTorch can use here"
        raise InputError(f"devices should be a whole number, at least 1{most}, got {devices!r}.")
    if devices > 1 and (device == "mps" or (device == "auto" and torch.backends.mps.is_available())):
        raise InputError("Several devices are GPUs of CUDA, or processes on the CPU: expected devices=1.")
    if batch % devices:
        raise InputError(f"{devices} devices share each batch evenly, and it has {batch} observations.")


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device, True):
        raise InputError(
            f"There is no device {device!r} that PyTorch {torch.__version__} can use here: expected 'cpu', or 'auto', "
            "which takes what there is."
        )


def check_sizes(method: Method, n: int, batch: int) -> None:
    """Refuse batches that are too small for a method's terms, and fewer of n observations than clusters."""
    if batch < method.smallest_batch:
        raise InputError(
            f"{method.called()} compares the codes of a batch with each other: batch should be at least "
            f"{method.smallest_batch}, got {batch}."
        )
    if isinstance(method, Clustering) and n < method.n_components:
        raise InputError(
            f"{method.called()} has {method.n_components} components for {n} observations: n_components should be at "
            f"most {n}."
        )


@contextmanager
def _interrupts(kept: bool) -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event that is looked at between steps; the second one interrupts at once.

    Where the state is `kept`, so are the signals that end a process: each is sent again once its handler is back.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    noted: list[int] = []

    def note(signum: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        noted.append(signum)

    taken = [signal.SIGINT]
    if kept:  # but not where one is ignored, or another program's
        taken += [each for each in ENDS if signal.getsignal(each) not in (signal.SIG_IGN, None)]
    previous = {each: signal.signal(each, note) for each in taken}
    try:
        yield stop
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
        for signum in noted:
            if signum != signal.SIGINT:
                signal.raise_signal(signum)
