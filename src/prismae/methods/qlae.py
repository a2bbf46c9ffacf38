"""QLAE: an autoencoder each of whose latents takes one of few learned values, with strong weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from torch import Tensor, nn

from prismae.fields import AtLeastTwo, NonNegative
from prismae.latent.gaussian import Discrete
from prismae.latent.quantization import nearest, picked
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.codebook import Codebook
from prismae.optimizer import Group, Optimizer


@dataclass(frozen=True)
class QLAE(Method):
    """Each latent takes one of a few learned values.

    Quantised-latent autoencoder. Hsu, Dorrell, Whittington, Wu & Finn 2023, "Disentanglement via latent
    quantization", arXiv:2305.18378, Eqs. 1 to 6.

    The encoder gives z; latent j of the code is the value nearest to z_j of its own `levels` learned ones, with the
    decoder's gradient passed straight to z.

    Terms  recon: [batch], the likelihood's unit. quantization: [batch], d mean_j (sg(z_j) - q_j)^2, d the number of
           elements of an observation, which moves the values alone; commitment: [batch], d mean_j (z_j - sg(q_j))^2,
           which moves the encoder alone.
    Limits  levels to infinity, on an interval that holds all codes, is the autoencoder. quantization = 0 keeps the
           values where they start.
    Authors' code  averages over elements where terms here are sums: d brings its weights to that size, and gradients
           are clipped per element of an observation. Weights decay, biases and values do not, and these two are not
           clipped.
    Ours  The networks are the run's; the authors' decoder starts from a learned constant and is modulated by the code.
           Rate, decay, clip and weights are the authors'; on MPI3D their decay is 0.001.
    """

    family: ClassVar[str] = "codes of few values"
    has_prior: ClassVar[bool] = False

    levels: AtLeastTwo = 10
    quantization: NonNegative = 0.01
    commitment: NonNegative = 0.01
    weight_decay: NonNegative = 0.1

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def modules(self, n_latents: int) -> nn.ModuleDict:
        return nn.ModuleDict({"codebook": Codebook(n_latents, self.levels)})

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Discrete:
        return nearest(parameters, parts["codebook"]())

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "quantization": self.quantization, "commitment": self.commitment}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        z = ae.encoded(x)
        q = self.posterior(z, ae.parts)
        chosen, elements = picked(q.values, q.index), x[0].numel()
        return {
            "recon": ae.nll(x, q.mean),
            "quantization": elements * (z.detach() - chosen).square().mean(1),
            "commitment": elements * (z - chosen.detach()).square().mean(1),
        }

    def optimizer(self) -> Optimizer:
        spared = Group(names=("bias", "codebook"), weight_decay=0.0, max_element=inf)
        return Optimizer(
            lr=1e-3, weight_decay=self.weight_decay, decoupled=True, max_element=1.0, groups=(spared,)
        )
