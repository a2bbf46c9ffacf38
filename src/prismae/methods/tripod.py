"""Tripod: codes on a fixed grid, drawn to independence, that act on the decoder one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge
from torch import Tensor, nn

from prismae.fields import NonNegative
from prismae.latent.gaussian import Discrete
from prismae.latent.kernel_density import kernel_dependence
from prismae.latent.quantization import fixed_grid
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.curvature import mixed_curvature
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class Tripod(Method):
    """The grid, independent latents, and a decoder that adds them up.

    Tripod. Hsu, Ibn Hamid, Burns, Finn & Wu 2024, "Tripod: three complementary inductive biases for disentangled
    representation learning", arXiv:2404.10282, Sec. 3.

    The code is tanh(encoder(x)) on a grid of `levels` values, straight through; kernel densities of a batch draw its
    latents to independence, and second differences of the decoder's hidden layers keep them from acting together.

    Terms  recon: [batch], the likelihood's unit. dependence: scalar, d KLM, d the number of elements of an observation,
           see `prismae.latent.kernel_density`; its value is no multi-information. curvature: scalar, d times the
           normalised Hessian penalty, see `prismae.nets.curvature`; 0 for an additive decoder.
    Limit  dependence = curvature = 0 is FSQ.
    Authors' code  averages over elements where reconstructions here are sums: d brings its weights to that size.
    Ours  The networks are the run's; the hidden layers are what activation functions give, where the authors take the
           vector that conditions the decoder and three blocks after it. Weights are the authors' for Shapes3D; MPI3D
           has 1e-8 and 1e-4, Falcor3D 1e-10 and 1e-2, Isaac3D 1e-4 and 1e-8.
    """

    family: ClassVar[str] = "codes of few values"
    has_prior: ClassVar[bool] = False
    smallest_batch: ClassVar[int] = 2

    levels: Annotated[int, Ge(2)] = 12
    dependence: NonNegative = 1e-4
    curvature: NonNegative = 1e-2

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Discrete:
        return fixed_grid(parameters, self.levels)

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0, "dependence": self.dependence, "curvature": self.curvature}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        q, elements = ae.encode(x).mean, x[0].numel()
        return {
            "recon": ae.nll(x, q),
            "dependence": elements * kernel_dependence(q),
            "curvature": elements * mixed_curvature(ae.decoder, q, ae.beside(q, x)),
        }

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=2e-4, max_element=1.0)
