"""One training from step to step: its players, controlled values, random numbers and history."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from prismae._random import Draws
from prismae.control import Controller
from prismae.control._base import Values
from prismae.data import World
from prismae.data.storage import spaced
from prismae.errors import InputError
from prismae.latent.gaussian import widened
from prismae.latent.labels import told
from prismae.methods import Adversarial, Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.settings import Training
from prismae.train.answers import NOISE, began, check_critic_terms, check_terms, stepped
from prismae.train.attached import attached
from prismae.train.batches import batches_of
from prismae.train.build import choose_lr
from prismae.train.descent import adam, follow
from prismae.train.history import History
from prismae.train.known import Known
from prismae.train.stopping import HeldOut, averaged
from prismae.train.team import ALONE, Team
from prismae.train.trial import CopyTrial

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PROBE = 256  # observations that the monitored errors are measured on,
PROBED = 2**24  # of large ones as many as have so many elements together, though no fewer than
LEAST = 32
GIVEN = "given"  # the term that is added where something is given


class Ongoing:
    """The moving parts of one training: players, controlled values, random numbers, history."""

    def __init__(
        self,
        fabric: Fabric,
        method: Method,
        world: World,
        ae: AutoencoderNet,
        training: Training,
        controllers: Sequence[Controller],
        draws: Draws,
        held: World | None = None,
        team: Team = ALONE,
    ) -> None:
        self.fabric, self.method, self.draws, self.seed = fabric, method, draws, training.seed
        self.team = team
        self.given, self.world = world, world.to(fabric.device)
        fabric.to_device(ae)
        self.ae = ae.train()
        self.critic: nn.Module | None = None
        self.step, self.critic_updates, self.trial_updates = 0, 0, 0
        self.m, self.unseen = training.n_latents, {check_terms, check_critic_terms}  # not yet looked at
        self.spent, self.warmed = 0.0, 0.0  # seconds: before this piece of the training, and in the warm-up
        self.started = time.perf_counter()
        self.history = History(every=-(-training.limit // 5000))
        self.held = None if held is None else HeldOut(held, training.batch, fabric.device)
        self.patient = training.steps == "auto"

        own = method.optimizer()
        self.settings = replace(own, max_norm=min(own.max_norm, ae.max_norm))
        self.lr = choose_lr(training.lr, method, world.kind)
        self.optimizer = adam(self.ae, self.settings, self.lr)
        # in the order: the autoencoder's, the critic's, and those of both in trials
        self.batches, self.critic_batches, *self.trial_batches = (
            batches_of(world, training.batch, training.seed, stream, fabric.device) for stream in range(4)
        )
        self.known = Known(method, world, training.batch, training.seed, fabric.device)
        if isinstance(method, Adversarial):
            self.critic = fabric.to_device(method.critic(training.n_latents)).train()
            self.critic_settings = method.critic_optimizer()
            self.critic_optimizer = adam(self.critic, self.critic_settings, self.critic_settings.lr)

        self.losses = method.weights()
        if ae.given:  # as much as all that is rebuilt can gain
            self.losses |= {GIVEN: float(prod(world.shape) - len(ae.given)) if ae.likelihood.nats else 1.0}
        self.values: dict[str, float | Tensor] = dict(self.losses)
        noise = method.noise()
        self.channel = None if noise is None else NOISE  # the one value that is no term's weight
        if noise is not None:
            self.values[NOISE] = torch.full((training.n_latents,), noise, device=fabric.device)
        self.controllers = attached(method, controllers)
        started = [fabric.to_device(began(each, self.values)) for each in self.controllers]
        self.controller_states = [state for _, state in started]
        for values, _ in started:
            self.values |= values
        self.probe = self._observations(max(LEAST, min(PROBE, PROBED // prod(world.shape))))

    @property
    def context(self) -> Context:
        weights = {name: value for name, value in self.values.items() if name != self.channel}
        noise = torch.as_tensor(self.values[self.channel] if self.channel else ())
        return Context(len(self.world), weights, noise, self.critic, self.step)

    def _observations(self, n: int) -> Tensor:
        rows = spaced(len(self.world), n)
        return self.world.data[rows.to(self.fabric.device)]

    @property
    def seconds(self) -> float:
        return self.spent + time.perf_counter() - self.started

    def warm_up(self, tick: Callable[[int, int], None]) -> None:
        """Train the critic alone before the first step."""
        if isinstance(self.method, Adversarial) and self.step == 0:
            start = self.seconds
            for i in range(self.method.critic_warmup):
                self._update_critic(self.method)
                tick(i + 1, self.method.critic_warmup)
            self.warmed = self.seconds - start

    def advance(self) -> None:
        """One step: the critic's updates, the autoencoder's, and the controllers."""
        with torch.no_grad():
            self.method.prepare(self.ae, self._observations, self.step)
        means = self.update_players()
        noted: dict[str, float | Tensor] = {**means}
        moved = [name for name, value in self.values.items() if isinstance(value, Tensor)]
        noted |= {
            ("sigma" if name == self.channel else f"weight:{name}"): self.values[name] for name in moved
        }
        self.history.add(self.step, noted)
        for place, controller in enumerate(self.controllers):
            values, state = stepped(
                controller, self.controller_states[place], means, self.step, CopyTrial(self), self.values
            )
            self.values |= values
            self.controller_states[place] = state
        self.step += 1

    def update_players(self) -> Terms:
        """The critic's updates and the autoencoder's; returns their terms."""
        noted: Terms = {}
        if isinstance(self.method, Adversarial):
            for _ in range(self.method.critic_steps):
                noted |= self._update_critic(self.method)
        return noted | self._update_autoencoder()

    def _update_autoencoder(self) -> Terms:
        if self.critic is not None:
            self.critic.requires_grad_(False)
        with self.fabric.autocast():
            terms = self._terms(self.team.dealt(self.ae, self.draws), *self.batch(self.step))
        means = self._means(terms)
        weighted = [self.values[name] * mean for name, mean in means.items() if name in self.values]
        self.fabric.backward(torch.stack(weighted).sum())
        self.team.average(self.ae, means)
        follow(self.optimizer, self.settings, self.lr, self.step, prod(self.world.shape))
        if self.critic is not None:
            self.critic.requires_grad_(True)
        return {name: mean.detach() for name, mean in means.items()}

    def batch(self, number: int) -> tuple[Tensor, Context]:
        """Observations of a batch, and the context with what is known of them."""
        rows, data, context = self.batches[number], self.world.data, self.context
        if self.known:
            rows, known = self.known.of(rows, number, data)
            context = replace(context, **known)
        return data[rows], context

    def _terms(self, ae: AutoencoderNet, x: Tensor, context: Context) -> Terms:
        """The method's terms, and that of what is given."""
        terms = self.method.terms(ae, x, context)
        self._look_at(check_terms, terms, x)
        return terms | {GIVEN: told(ae.encode(x).mean, ae.told_of(x))} if ae.given else terms

    def _look_at(self, check: Callable[..., None], terms: Any, x: Tensor) -> None:
        """Look once at what the method gives."""
        if check in self.unseen:
            check(self.method, terms, len(x), self.m)
            self.unseen = self.unseen - {check}  # another set, since a twin shares this one

    def _means(self, terms: Terms) -> Terms:
        """Losses are averaged over the batch; observations keep their shape."""
        return {k: widened(v).mean() if k in self.values else v.detach() for k, v in terms.items()}

    def _update_critic(self, method: Adversarial) -> Terms:
        assert self.critic is not None
        x = self.world.data[self.critic_batches[self.critic_updates]]
        with self.fabric.autocast():
            with torch.no_grad():  # the critic's loss must not reach the encoder
                q = self.team.dealt(self.ae, self.draws).encode(x)
            terms = method.critic_terms(self.critic, q, replace(self.context, critic=None))
        self._look_at(check_critic_terms, terms, x)
        means = {name: widened(value).mean() for name, value in terms.items()}
        self.fabric.backward(torch.stack(list(means.values())).sum())
        self.team.average(self.critic, means)
        settings = self.critic_settings
        follow(self.critic_optimizer, settings, settings.lr, self.critic_updates)
        self.critic_updates += 1
        return {name: mean.detach() for name, mean in means.items()}

    def twin(self, values: Values) -> Ongoing:
        """A run that stands where this one does, with some values replaced and batches of its own.

        Nothing that it does reaches this run until it is adopted.
        """
        twin = copy.copy(self)
        twin.values = self.values | values
        twin.batches, twin.critic_batches = self.trial_batches
        twin.ae, twin.optimizer, *critic = copy.deepcopy(self._players)  # together: optimisers hold weights
        if critic:
            twin.critic, twin.critic_optimizer = critic
        return twin

    def adopt(self, twin: Ongoing) -> None:
        """Go on with the players of `twin`."""
        for mine, its in zip(self._players, twin._players, strict=True):
            mine.load_state_dict(its.state_dict())

    @property
    def _players(self) -> list[Any]:
        players = [self.ae, self.optimizer]
        return players if self.critic is None else [*players, self.critic, self.critic_optimizer]

    def measure(self, x: Tensor, context: Context) -> Terms:
        """Terms and observations of a batch, without training on it."""
        self.ae.eval()
        with torch.no_grad(), self.fabric.autocast():
            means = self._means(self._terms(self.ae, x, context))
        self.ae.train()
        return means

    def monitor(self) -> None:
        """Measure the errors and the codes' spread on the probe, and the loss on what is held out."""
        self.ae.eval()
        with torch.no_grad():
            mse, nats, codes = self.ae.looked(self.probe)
        self.ae.train()
        values = {"mse": float(mse), "nats": float(nats)}
        values |= {f"spread[{i}]": value for i, value in enumerate(codes.std(0).tolist())}
        self.history.monitor(self.step - 1, values)
        if self.held is not None:
            self._look(self.held)

    def _look(self, held: HeldOut) -> None:
        """Measure the terms on what is held out, with the same random numbers every time; keep the best."""
        with self.draws.rewound(fresh=True):
            terms = [self.measure(part, self.context) for part in held.parts]
        found = averaged(terms, held.sizes, [*self.losses])
        loss = sum(float(self.values[name]) * value for name, value in found.items())
        unseen = {f"unseen:{name}": value for name, value in found.items()}
        self.history.monitor(self.step - 1, {**unseen, "unseen_loss": loss})
        if self.patient and self.step > self.method.settled():
            held.note(self.step, found)
            if held.lowest(self.values):
                players = {"ae": self.ae, **({} if self.critic is None else {"critic": self.critic})}
                weights = {name: player.state_dict() for name, player in players.items()}
                held.kept = {"step": self.step, **copy.deepcopy(weights)}

    @property
    def over(self) -> bool:
        """Whether the loss on what is held out has stopped falling, where the training waits for that."""
        return self.patient and self.held is not None and self.held.over(self.values)

    def take_kept(self) -> int | None:
        """Go back to the weights of the lowest held-out loss, if any are kept; returns of which step they are."""
        kept = None if self.held is None else self.held.kept
        if kept is None:
            return self.step if self.patient else None
        self.ae.load_state_dict(kept["ae"])
        if self.critic is not None:
            self.critic.load_state_dict(kept["critic"])
        return int(kept["step"])

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs to go on to the bit."""
        state: dict[str, Any] = {
            "step": self.step,
            "critic_updates": self.critic_updates,
            "trial_updates": self.trial_updates,
            "seconds": self.seconds,
            "warmed": self.warmed,
            "ae": self.ae.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "values": self.values,
            "controllers": self.controller_states,
            "generator": self.draws.state(self.fabric.device),
            "history": self.history.state(),
        }
        if self.held is not None:
            state["held"] = self.held.state()
        if self.critic is not None:
            state |= {
                "critic": self.critic.state_dict(),
                "critic_optimizer": self.critic_optimizer.state_dict(),
            }
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken.

        Raises
        ------
        InputError
            If the controllers of `state` kept other things than those of this run.
        """
        if [set(each) for each in state["controllers"]] != [set(each) for each in self.controller_states]:
            raise InputError(
                "The checkpoint cannot be continued, since its controllers kept another state: an earlier version of "
                "prismae wrote it, or other controllers were attached. Delete it to train from the start, or go on "
                "with the version that wrote it."
            )
        self.trial_updates = state.get("trial_updates", 0)  # earlier versions did not count them
        self.warmed = state.get("warmed", 0.0)
        self.step, self.critic_updates, self.spent = state["step"], state["critic_updates"], state["seconds"]
        self.ae.load_state_dict(state["ae"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.values = self.fabric.to_device(state["values"])
        self.controller_states = self.fabric.to_device(state["controllers"])
        if self.critic is not None:
            self.critic.load_state_dict(state["critic"])
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])
        self.history.restore(state["history"])
        if self.held is not None and "held" in state:  # earlier versions did not look at what is held out
            self.held.restore(self.fabric.to_device(state["held"]))
        self.draws.restore(state["generator"], self.fabric.device)
