"""FSQ: an autoencoder whose codes are rounded to a fixed grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from prismae.fields import AtLeastTwo
from prismae.latent.gaussian import Posterior
from prismae.latent.quantization import fixed_grid
from prismae.methods._base import Context, Method, Terms
from prismae.nets.autoencoder import AutoencoderNet
from prismae.optimizer import Optimizer


@dataclass(frozen=True)
class FSQ(Method):
    """Each latent is rounded to a fixed grid.

    Finite scalar quantisation. Mentzer, Minnen, Agustsson & Tschannen 2023, "Finite scalar quantization: VQ-VAE made
    simple", arXiv:2309.15505, Sec. 3.1.

    z_j = tanh(encoder(x)_j) at the nearest of `levels` equally spaced values from -1 to 1, straight through.

    Terms  recon: [batch], the likelihood's unit.
    Limit  levels to infinity is the autoencoder with codes tanh(encoder(x)).
    Ours  One scalar for each latent, where the paper has a vector of them at each place of an image; the grid that is
           symmetric for even numbers of levels too; the same number for all latents, by default Tripod's 12. Adam's
           rate of 1e-3 is that of QLAE.
    """

    family: ClassVar[str] = "codes of few values"
    has_prior: ClassVar[bool] = False

    levels: AtLeastTwo = 12

    def n_outputs(self, n_latents: int) -> int:
        return n_latents

    def posterior(self, parameters: Tensor, parts: nn.ModuleDict) -> Posterior:
        return fixed_grid(parameters, self.levels)

    def weights(self) -> dict[str, float]:
        return {"recon": 1.0}

    def terms(self, ae: AutoencoderNet, x: Tensor, ctx: Context) -> Terms:
        return {"recon": ae.nll(x, ae.encode(x).mean)}

    def optimizer(self) -> Optimizer:
        return Optimizer(lr=1e-3)
