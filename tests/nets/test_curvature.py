"""The normalised Hessian penalty: 0 for what adds up, 1 for a product, and the share of a known Hessian."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from prismae.nets import curvature
from prismae.nets.curvature import activations, mixed_curvature


class Form(nn.Module):
    """One output z' A z / 2."""

    def __init__(self, a: list[list[float]], scale: float = 1.0) -> None:
        super().__init__()
        self.a = scale * torch.tensor(a, dtype=torch.float64)

    def forward(self, z: Tensor) -> Tensor:
        return torch.einsum("ni,ij,nj->n", z, self.a, z)[:, None] / 2


@pytest.fixture
def codes() -> Tensor:
    torch.manual_seed(0)
    z = torch.randn(400, 2, dtype=torch.float64)
    return z / z.std(0, correction=0)


def test_latents_that_add_up_cost_nothing(codes: Tensor) -> None:
    bent = nn.Sequential(nn.Linear(1, 8), nn.GELU(), nn.Linear(8, 3)).double()

    class Added(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return torch.as_tensor(bent(z[:, :1]) + bent(z[:, 1:]))

    assert float(mixed_curvature(Added(), codes)) < 1e-9
    assert float(mixed_curvature(bent, codes[:, :1])) < 1e-9 * 2  # one latent


@pytest.mark.parametrize(
    ("form", "share"),
    [([[0, 1], [1, 0]], 1.0), ([[1, 1], [1, 1]], 0.5), ([[2, 1], [1, 0]], 1 / 3), ([[1, 0], [0, 3]], 0)],
)
def test_it_is_the_share_of_the_hessian_off_its_diagonal(
    form: list[list[float]], share: float, codes: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curvature, "PROBES", 50)
    assert float(mixed_curvature(Form(form), codes)) == pytest.approx(share, abs=0.02)


def test_the_size_of_activations_does_not_matter(codes: Tensor) -> None:
    found = []
    for scale in (1.0, 1e3):
        torch.manual_seed(1)
        found.append(float(mixed_curvature(Form([[1, 2], [2, 1]], scale), codes)))
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_layers_are_what_activation_functions_give() -> None:
    decoder = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 1))
    z = torch.randn(4, 2)
    first, second = activations(decoder, z)
    torch.testing.assert_close(first, decoder[:2](z))
    torch.testing.assert_close(second, decoder[:4](z))
    (only,) = activations(nn.Linear(2, 3), z)
    assert only.shape == (4, 3)
    assert not any(each._forward_hooks for each in decoder.modules())
