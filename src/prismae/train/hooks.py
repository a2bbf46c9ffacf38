"""Hooks: what is called while a training goes on, and when it ends. They look, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prismae.errors import InputError
from prismae.nets.autoencoder import AutoencoderNet

if TYPE_CHECKING:
    from prismae.data import World
    from prismae.methods import Method
    from prismae.train.ongoing import Ongoing
    from prismae.train.trained import Trained


class Moment:
    """A training after one of its steps, as a hook sees it."""

    def __init__(self, run: Ongoing, steps: int) -> None:
        self._run = run
        self.step = run.step
        """Updates that are done."""
        self.steps = steps
        """Updates that the training is to make."""

    @property
    def ae(self) -> AutoencoderNet:
        """The autoencoder, in evaluation mode."""
        return self._run.ae

    @property
    def method(self) -> Method:
        """What it is trained by."""
        return self._run.method

    @property
    def world(self) -> World:
        """What it is trained on, where it was given, not on the training's device."""
        return self._run.given

    def values(self) -> dict[str, float]:
        """The newest value of each column of the history: terms at this step, and monitored errors
        ("monitor:mse"), which are measured a hundred times in a training, at their last time.

        Waits for the device: on a GPU a hook that asks at each step slows the training down.

        Raises
        ------
        NotFinite
            A term became NaN or infinite.
        """
        return self._run.history.newest()


@dataclass(frozen=True)
class Hook:
    """What is called while a training goes on, and when it ends.

    What a hook draws from PyTorch, which mode it leaves the autoencoder in, and gradients that it computes do not
    reach the training: one that only looks changes no result.

    Parameters
    ----------
    on_step
        Called with the `Moment` after a step; if it returns True the training ends there.
    on_end
        Called with what the training returns.
    at
        After which steps `on_step` is called, such as ``range(100, 10_000, 100)``; None: after each.

    Examples
    --------
    >>> from prismae.methods.vae import VAE
    >>> from prismae.data import world
    >>> from prismae.settings import Training
    >>> from prismae.train import train
    >>> seen = []
    >>> watch = Hook(on_step=lambda now: seen.append(now.step), at=range(5, 100, 5))
    >>> stop = Hook(on_step=lambda now: now.step == 12)
    >>> trained = train(VAE(), world("digits"), Training(steps=100), hooks=[watch, stop], device="cpu")
    >>> seen, trained.steps
    ([5, 10], 12)
    """

    on_step: Callable[[Moment], object] | None = None
    on_end: Callable[[Trained], object] | None = None
    at: Collection[int] | None = None


def check_hooks(hooks: Sequence[Hook]) -> None:
    """Refuse what is no hook."""
    for each in hooks:
        if not isinstance(each, Hook):
            raise InputError(f"Hooks should be given as [prismae.Hook(on_step=…)], got {each!r} among them.")


def stopped_by(hooks: Sequence[Hook], run: Ongoing, steps: int) -> bool:
    """Call the hooks of this step; whether one of them ends the training."""
    due = [
        each.on_step
        for each in hooks
        if each.on_step is not None and (each.at is None or run.step in each.at)
    ]
    if not due:
        return False
    moment = Moment(run, steps)
    answers = []
    for call in due:
        run.ae.eval()
        with run.draws.rewound():
            answers.append(call(moment))
    run.ae.train()
    run.ae.zero_grad(set_to_none=True)
    return any(answer is True for answer in answers)
