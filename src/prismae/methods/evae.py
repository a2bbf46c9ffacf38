"""eVAE: the KL's weight evolves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt
from pydantic import AllowInfNan
from torch import Tensor

from prismae.control import Controller, Evolve
from prismae.fields import Count, NonNegative, Positive
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class EVAE(Method):
    """The KL's weight evolves: several are tried on copies.

    Evolutionary VAE. Wu, Cao & Qi 2025, "eVAE: Evolutionary variational autoencoder", arXiv:2301.00011.

    The VAE's terms; the KL's weight starts at 1 and follows `prismae.control.Evolve`, which says what is known of the
    paper and what is ours. What to set is `rate`, the KL that the codes should have.

    Terms  recon, kl: each [batch], nats per sample.
    Limit  population = 1 is the VAE.
    """

    family: ClassVar[str] = "a heavier KL"
    kl: ClassVar[tuple[str, ...]] = ("kl",)

    rate: Positive | None = Evolve.rate  # nats, of the batch's mean KL; None: half of what it is at weight 1
    kappa: NonNegative = Evolve.kappa  # nats, for a KL that misses the rate by all of it
    population: Count = Evolve.population
    every: Count = Evolve.every  # steps between generations
    trial_steps: Count = Evolve.trial_steps
    reach: Annotated[float, Gt(1), AllowInfNan(False)] = (
        Evolve.reach
    )  # factor by which the weight may change in one generation

    def __post_init__(self) -> None:
        super().__post_init__()
        self.controllers()  # refuses trials that cost too much

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "kl": 1.0}

    def controllers(self) -> tuple[Controller, ...]:
        return (Evolve("kl", **self.fields()),)

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        return {"recon": ae.nll(x, q.rsample()), "kl": q.kl_to_standard().sum(1)}
