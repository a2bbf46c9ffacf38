"""Method: hyper-parameters, and the loss terms of a batch that follow from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from prismae._discovery import entry_name, kebab
from prismae.control import Controller
from prismae.fields import Settings
from prismae.latent.gaussian import Gaussian, Posterior
from prismae.nets.autoencoder import AutoencoderNet
from prismae.optimizer import Optimizer

Terms = dict[str, Tensor]
GROUP = "prismae.methods"  # of entry points


@dataclass(frozen=True)
class Pairs:
    """A partner for each observation of a batch.

    Parameters
    ----------
    x
        The partners, [batch, *shape].
    differ
        [batch, k] whether a pair differs in each of the world's factors.
    """

    x: Tensor
    differ: Tensor


@dataclass(frozen=True)
class Labelled:
    """Observations whose factors are known; another batch than the one that `terms` is given.

    Parameters
    ----------
    x
        [batch of labels, *shape].
    factors
        [batch of labels, k] the world's factors: class indices, or values of continuous ones, as float32.
    scaled
        [batch of labels, k] the same from 0 to 1, by the range of all that are known.
    values
        For each factor all the values of these that are known, [v], in their order.
    """

    x: Tensor
    factors: Tensor
    scaled: Tensor
    values: tuple[Tensor, ...]


@dataclass(frozen=True)
class Context:
    """What a method may know of the run beside the batch.

    Parameters
    ----------
    n_data
        Number of observations in the world.
    weights
        The terms' weights at this step: floats, or 0-d tensors where a controller moves them.
    noise
        Standard deviation of the channel, [m]; empty for methods without one.
    critic
        The critic with its weights frozen; None for methods without one.
    step
        Autoencoder updates done so far.
    pairs
        Partners of the batch, for a method that asks for `Method.pairs`.
    labels
        Observations with factors, for a method that asks for `Method.labelled`.
    """

    n_data: int
    weights: Mapping[str, float | Tensor]
    noise: Tensor = field(default_factory=lambda: torch.empty(0))
    critic: Any = None
    step: int = 0
    pairs: Pairs | None = None
    labels: Labelled | None = None


class Method(Settings, ABC):
    """A frozen dataclass whose fields are its hyper-parameters: its JSON, its CLI options and its sweep axes.

    One file in `prismae.methods` (or an entry point of group ``prismae.methods``) holds one method; its name on the
    command line is the class's (``HingeVAE``: hinge-vae) or the entry point's, unless it declares `variants`: names,
    and the fields that each of them fixes. Fields are annotated with their range (see `prismae.fields`).
    """

    family: ClassVar[str] = ""  # under which it is listed
    net: ClassVar[str] = "auto"
    likelihood: ClassVar[str] = "auto"
    smallest_batch: ClassVar[int] = 1  # 2 where terms compare a batch's codes with each other
    reconstruction: ClassVar[str] = "recon"  # the term that is the likelihood's, in its unit
    kl: ClassVar[
        tuple[str, ...]
    ] = ()  # terms whose sum is KL(q(z|x) || p(z)), nats, in expectation; (): it has none
    has_prior: ClassVar[bool] = True  # whether codes are drawn to a prior, whose samples can be decoded
    gives_way: ClassVar[
        tuple[str, ...]
    ] = ()  # weights whose own controller is a default: the user's replaces it
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    def name(cls) -> str:
        """Name on the command line: the entry point's that declares the class, else the class's in kebab-case."""
        return entry_name(cls, GROUP) or kebab(cls.__name__)

    def called(self) -> str:
        """Name on the command line of the method as it is set: its variant's, where it has variants."""
        own = self.fields().items()
        return next((name for name, fixed in self.variants.items() if fixed.items() <= own), self.name())

    def fields(self) -> dict[str, Any]:
        """The hyper-parameters as plain data."""
        return asdict(cast(Any, self))

    def n_outputs(self, n_latents: int) -> int:
        """Outputs that the encoder needs for `n_latents` codes."""
        return 2 * n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        """Read the encoder's output [batch, n_outputs]; a diagonal Gaussian unless the method says otherwise.

        `parts` are the method's own `modules`: a codebook, say, from which a discrete posterior takes its values.
        """
        return Gaussian.from_parameters(parameters)

    @abstractmethod
    def weights(self) -> dict[str, float]:
        """Weight of each loss term at the start. Terms without a weight are observations: logged, not minimised."""

    @abstractmethod
    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        """Unweighted terms of a batch x [batch, *shape]: each [batch] or scalar; observations scalar or [m]."""

    def observations(self) -> tuple[str, ...]:
        """Names of what `terms` gives beside the terms that have a weight."""
        return ()

    def modules(self, n_latents: int) -> nn.ModuleDict:
        """Networks beyond encoder and decoder, trained with them; found in `ae.parts`."""
        return nn.ModuleDict()

    def pairs(self) -> int | Literal["any", "laplace", "next"] | None:
        """In how many factors the two observations of a pair differ: "any" is a number drawn from 1 to all but one for
        each pair; "laplace": all may, most by small steps. A method with such pairs is refused where a world has no
        factors. "next" is the observation that follows in the data, which needs none. None: the method sees no pairs.
        """
        return None

    def labelled(self) -> int:
        """How many observations, drawn by the seed, are known with their factors; 0: none. Otherwise as `pairs`."""
        return 0

    def prepare(self, ae: AutoencoderNet, observations: Callable[[int], Tensor], step: int) -> None:
        """Change the autoencoder before a step, without a graph: for what no gradient does, such as starting a
        mixture from the codes. `observations(n)` gives up to n of them, evenly spaced; called before every step."""

    def prior_sample(self, ae: AutoencoderNet, n_latents: int, n: int) -> Tensor:
        """n codes [n, n_latents] from the prior: N(0, I) unless the method says otherwise."""
        return torch.randn(n, n_latents, device=ae.mean.device)

    def settled(self) -> int:
        """Steps after which the loss means the same at each: ``steps="auto"`` compares it from there on."""
        return 0

    def noise(self) -> float | None:
        """Standard deviation of the channel at the start; None: no channel."""
        return None

    def controllers(self) -> tuple[Controller, ...]:
        """What moves the weights or the noise; one of a user's for the same is refused, unless it `gives_way`."""
        return ()

    def optimizer(self) -> Optimizer:
        """How the autoencoder's weights follow their gradient: Adam unless the method says otherwise. The learning rate
        of one that says nothing is that of the kind of data (`prismae.data.Kind.default_lr`)."""
        return Optimizer()


class Clustering(Method):
    """A method that assigns each observation to one of its components."""

    n_components: int

    @abstractmethod
    def responsibilities(self, ae: AutoencoderNet, x: Tensor) -> Tensor:
        """Share of each component in each observation, [batch, n_components]; rows sum to 1, the largest is the
        observation's cluster. Without randomness."""


class Adversarial(Method):
    """A method with a second player: a critic that is trained on the codes, between the autoencoder's steps."""

    estimates: ClassVar[str] = ""  # the term of the loss that the critic is there for

    critic_steps: int
    critic_warmup: int

    @abstractmethod
    def critic(self, n_latents: int) -> nn.Module:
        """A new critic."""

    @abstractmethod
    def critic_terms(self, critic: Any, q: Any, ctx: Context) -> Terms:
        """Terms that the critic minimises (all of weight 1), from the posterior q of a fresh batch.

        The loop computes `q` without a graph, so a critic's loss cannot reach the encoder.
        """

    def critic_optimizer(self) -> Optimizer:
        """The same for the critic."""
        return Optimizer(betas=(0.5, 0.9))
