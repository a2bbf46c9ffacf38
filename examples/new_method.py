"""A method of your own: loss terms, their weights, and nothing else. Here a VAE whose KL has a hinge.

In a package of your own the class stands in one file and is registered under the entry point group
``prismae.methods``; then the command line lists it, trains it and sweeps its fields.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

import prismae as pr
from prismae.fields import NonNegative
from prismae.methods import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet


@dataclass(frozen=True)
class HingeVAE(Method):
    """A VAE that pays for information only beyond a free budget.

    Terms  recon, excess: [batch], nats; rate: scalar, nats, observed only.
    Limit  budget = 0, weight = 1 is the VAE.
    """

    kl: ClassVar[tuple[str, ...]] = ("rate",)  # whose sum is the KL, for what reads it

    weight: NonNegative = 10.0  # of the excess
    budget: NonNegative = 6.0  # nats per observation

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "excess": self.weight}

    def observations(self) -> tuple[str, ...]:
        return ("rate",)

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q = ae.encode(x)
        rate = q.kl_to_standard().sum(1)
        return {"recon": ae.nll(x, q.rsample()), "excess": (rate - self.budget).relu(), "rate": rate.mean()}


def main(steps: int = 1000) -> float:
    """Train it on the digits, and return the rate that it ends with, in nats."""
    model = pr.Autoencoder(HingeVAE(), n_latents=6, steps=steps, lr=1e-3).fit(pr.world("digits"))
    rate = float(model.history_["rate"].dropna().tail(20).mean())
    print("verdict:", model.verdict_)
    print(f"rate at the end: {rate:.2f} nats (budget 6)")
    print(f"share of the variance explained: {model.score(pr.world('digits')):.2f}")
    return rate


if __name__ == "__main__":
    main()
