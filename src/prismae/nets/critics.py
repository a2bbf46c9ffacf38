"""Critics of conditional densities: one per latent, or heads on a shared backbone (Yeats et al. 2023; ED-GCAE Eq. 1).

A critic i is asked for its logit on *swapped* rows: a code with its i-th column replaced. There are tens of
thousands of such rows in a step, so they are never built. The first layer of a swapped row is
``W z + b - W[:, i] z_i + W[:, i] u``, a sum of one vector per sample and one per value u; and what the loss needs of
them (its value, and its gradient with respect to the codes or the weights) is computed chunk by chunk in the
forward pass, so that activations stay in cache. `dependence` and `fake_loss` are the two users of that engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod
from sys import maxsize
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prismae.latent.density_ratio import highest_log_density, node_sums, uniform_nodes
from prismae.latent.gaussian import widened

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
LOG2_E = 1.4426950408889634
ROWS_IN_CACHE = 2560  # rows of a chunk on a CPU: larger chunks spill activations of width 256 out of cache


def joint_critic(n_inputs: int, layers: int, width: int) -> nn.Module:
    """Critic of whole codes, [batch, n_inputs] → one logit each [batch]: leaky ReLUs of slope 0.2 (Kim & Mnih 2018)."""
    hidden = [
        layer
        for a, b in pairwise([n_inputs, *[width] * layers])
        for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))
    ]
    return nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0))


class GroupedLinear(nn.Module):
    """Linear layer with one set of weights for all latents (groups = 1) or one for each (groups = m)."""

    def __init__(self, groups: int, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(groups, fan_out, fan_in))
        self.bias = nn.Parameter(torch.zeros(groups, fan_out))
        for matrix in self.weight.data:
            nn.init.kaiming_normal_(matrix, nonlinearity="linear")

    def forward(self, rows: Tensor) -> Tensor:
        """[groups or 1, rows, fan_in] → [groups, rows, fan_out]."""
        return torch.matmul(rows, self.weight.transpose(1, 2)) + self.bias.unsqueeze(1)


class ConditionalCritics(nn.Module):
    """m critics, m-width-width-1 with SELU: D_i tells codes from copies with a fresh uniform in column i.

    Parameters
    ----------
    n_latents
        m.
    width
        Units of each of the two hidden layers.
    shared
        True: the hidden layers are a backbone that all critics share and each has a head of its own
        (D_i(z) = H_i(F(z)), ED-GCAE Eq. 1). False: m independent critics (GCAE).
    head_width
        Hidden units of each head; 0 makes a head one linear unit.
    copies
        Fake rows per real row, c.
    bound
        The reference density is Uniform(-bound, bound).
    """

    WIDTH, COPIES, BOUND, NODES = (
        256,
        8,
        4.0,
        50,
    )  # the GCAE authors', and the defaults of methods that have critics

    def __init__(
        self,
        n_latents: int,
        *,
        width: int = WIDTH,
        shared: bool = False,
        head_width: int = 0,
        copies: int = COPIES,
        bound: float = BOUND,
    ) -> None:
        super().__init__()
        m, backbone = n_latents, 1 if shared else n_latents
        self.n_latents, self.copies, self.bound = m, copies, bound
        hidden = [GroupedLinear(backbone, m, width), GroupedLinear(backbone, width, width)]
        if head_width:
            hidden.append(GroupedLinear(m, width, head_width))
        self.hidden = nn.ModuleList(hidden)
        self.head = GroupedLinear(m, head_width or width, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Logits of all critics on codes as they are: [batch, m] → [m, batch]. A shared backbone is passed once."""
        rows = z.unsqueeze(0)
        for layer in self.hidden:
            rows = F.selu(layer(rows))
        return self.head(rows).squeeze(-1)

    def critic_loss(self, z: Tensor) -> Tensor:
        """Binary cross-entropy of real rows z [batch, m] against fresh swapped copies, summed over critics.

        Scalar, nats, divided by batch (1 + copies).
        """
        m, batch = self.n_latents, len(z)
        swaps = self.bound * (2 * torch.rand(m, self.copies, batch, dtype=z.dtype, device=z.device) - 1)
        real = F.softplus(-widened(self(z))).sum()
        fake = _FakeLoss.apply(self, z, swaps, *self.parameters())
        return (real + fake) / (batch * (1 + self.copies))

    def dependence(
        self,
        z: Tensor,
        n_nodes: int = 50,
        nodes: Literal["independent", "stratified"] = "independent",
        sigma: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """How much each latent of z [batch, m] depends on the others, by the critics' densities.

        `sigma` [m] is the deviation of the noise on the codes that the critics were trained on, which limits their
        densities.

        Returns
        -------
        information
            [m], nats: mutual information between z_i and the rest. The gradient reaches z only.
        entropy
            [m], nats: marginal entropy of z_i, without gradient.
        """
        u = uniform_nodes(self.n_latents, n_nodes, self.bound, nodes, z)
        highest = None if sigma is None else highest_log_density(sigma)
        return _Dependence.apply(self, z, u, highest)

    @property
    def layers(self) -> list[GroupedLinear]:
        """All layers, from the first hidden one to the heads."""
        return [*self.hidden, self.head]


def _blocks(n: int, size: int) -> Iterator[slice]:
    size = max(1, size)
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _most_rows(z: Tensor) -> int:
    """Rows of a chunk: what stays in a CPU's cache; a GPU takes all latents and values at once."""
    return ROWS_IN_CACHE if z.device.type == "cpu" else maxsize


def _compute_dtype(z: Tensor) -> torch.dtype:
    """bf16 inside a bf16 run, else the dtype of the codes."""
    kind = z.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else z.dtype


class _Workspace:
    """Buffers that chunks of the same size use in turn: fresh ones of megabytes cost page faults at each use."""

    def __init__(self, like: Tensor, dtype: torch.dtype) -> None:
        self.empty = torch.empty(0, dtype=dtype, device=like.device)
        self.buffers: dict[str, Tensor] = {}

    def __call__(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """An uninitialised tensor of `shape`; the same memory whenever the same name is asked for."""
        if name not in self.buffers or self.buffers[name].numel() < prod(shape):
            self.buffers[name] = self.empty.new_empty(prod(shape))
        return self.buffers[name][: prod(shape)].view(shape)


class _SwappedRows:
    """Swapped rows of the latents in one block: forward to their logits, and back."""

    def __init__(self, critics: ConditionalCritics, z: Tensor, latents: slice, work: _Workspace) -> None:
        n, dtype = latents.stop - latents.start, work.empty.dtype
        layers = []
        for layer in critics.layers:
            own = slice(None) if len(layer.weight) == 1 else latents
            layers.append((layer.weight[own].expand(n, -1, -1), layer.bias[own].expand(n, -1).unsqueeze(1)))
        (self.first_weight, first_bias), *above = layers  # [g, width, m], [g, 1, width]
        self.above = [(weight.to(dtype), bias.to(dtype)) for weight, bias in above]
        self.z, self.work = z, work
        column = self.first_weight.diagonal(offset=latents.start, dim1=0, dim2=2).T
        common = torch.baddbmm(first_bias, z.expand(n, -1, -1), self.first_weight.transpose(1, 2))
        common.addcmul_(z.T[latents].unsqueeze(2), column.unsqueeze(1), value=-1)
        self.column = column.to(dtype)[:, None, None]  # [g, 1, 1, width]
        self.common = common.to(dtype).unsqueeze(1)  # [g, 1, batch, width]

    def logits(self, u: Tensor) -> Tensor:
        """Logits [g, s, batch] for the values u put in the swapped column: [g, s, 1] or [g, s, batch]."""
        u = u.to(self.column.dtype).unsqueeze(3)
        shape = (u.shape[0], u.shape[1], *self.common.shape[2:])
        first = torch.addcmul(self.common, u, self.column, out=self.work("rows 0", shape)).flatten(1, 2)
        self.rows = [self._selu_(first)]
        for place, (weight, bias) in enumerate(self.above[:-1], 1):
            units = self.work(f"rows {place}", (*first.shape[:2], weight.shape[1]))
            torch.baddbmm(bias, self.rows[-1], weight.transpose(1, 2), out=units)
            self.rows.append(self._selu_(units))
        weight, bias = self.above[-1]
        logits = torch.baddbmm(bias, self.rows[-1], weight.transpose(1, 2))
        return logits.view(shape[:3]).to(self.z.dtype)

    def back(self, slope: Tensor) -> Iterator[Tensor]:
        """From d loss / d logits [g, s, batch], the gradient at each layer's output: head first, [g, rows, units]."""
        gradient = slope.to(self.column.dtype).flatten(1).unsqueeze(2)
        yield gradient
        for place in reversed(range(len(self.rows))):
            rows, weight = self.rows[place], self.above[place][0]
            upstream = self.work(f"gradient {place}", tuple(rows.shape))
            if gradient.shape[2] == 1:
                torch.mul(gradient, weight, out=upstream)
            else:
                torch.bmm(gradient, weight, out=upstream)
            gradient = torch.ops.aten.elu_backward.grad_input(
                upstream, SELU_ALPHA, SELU_SCALE, 1.0, True, rows, grad_input=upstream
            )
            yield gradient

    def _selu_(self, x: Tensor) -> Tensor:
        """SELU in place. On a CPU in fp32 by exp2, four times as fast there as the expm1 of torch's own."""
        if x.device.type != "cpu" or x.dtype != torch.float32:
            return torch.selu_(x)
        below = torch.clamp(x, max=0, out=self.work("below", tuple(x.shape))).mul_(LOG2_E).exp2_().sub_(1)
        return x.clamp_(min=0).add_(below, alpha=SELU_ALPHA).mul_(SELU_SCALE)


class _Dependence(torch.autograd.Function):
    """(critics, z, u) → (information, entropy); the gradient with respect to z is made in the forward pass.

    `highest` [m] limits the log densities.
    """

    @staticmethod
    def forward(
        ctx: Any, critics: ConditionalCritics, z: Tensor, u: Tensor, highest: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        (batch, m), n_nodes = z.shape, u.shape[1]
        work = _Workspace(z, _compute_dtype(z))
        most = _most_rows(z)
        information, entropy = z.new_zeros(m), z.new_zeros(m)
        gradient = z.new_zeros(m, batch, m)
        with torch.autocast(z.device.type, enabled=False):
            for latents in _blocks(m, most // (n_nodes * batch)):
                rows = _SwappedRows(critics, z, latents, work)
                total = z.new_zeros(latents.stop - latents.start, batch, rows.column.shape[-1])
                limit = None if highest is None else highest[latents, None, None]
                for part in _blocks(n_nodes, most // batch):
                    logits = rows.logits(u[latents, part, None])
                    sums = node_sums(logits, critics.copies, critics.bound, limit)
                    information[latents] += sums.information
                    entropy[latents] += sums.entropy
                    *_, first = rows.back(sums.slope)
                    total += first.unflatten(1, (-1, batch)).sum(1, dtype=z.dtype)
                gradient[latents] = torch.bmm(total, rows.first_weight)
            gradient.diagonal(dim1=0, dim2=2).zero_()  # the swapped column does not depend on z
        ctx.save_for_backward(gradient / n_nodes)
        entropy /= n_nodes
        ctx.mark_non_differentiable(entropy)
        return information / n_nodes, entropy

    @staticmethod
    def backward(ctx: Any, grad_information: Tensor, grad_entropy: Tensor) -> tuple[None, Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return None, torch.einsum("i,ibj->bj", grad_information, gradient), None, None


class _FakeLoss(torch.autograd.Function):
    """(critics, z, swaps [m, copies, batch], weights) → sum of softplus(logit); weight gradients made forward."""

    @staticmethod
    def forward(
        ctx: Any, critics: ConditionalCritics, z: Tensor, swaps: Tensor, *parameters: Tensor
    ) -> Tensor:
        m, copies, batch = swaps.shape
        work = _Workspace(z, _compute_dtype(z))
        most = _most_rows(z)
        loss = z.new_zeros(())
        gradients = [torch.zeros_like(parameter) for parameter in parameters]
        with torch.autocast(z.device.type, enabled=False):
            for latents in _blocks(m, most // (copies * batch)):
                rows = _SwappedRows(critics, z, latents, work)
                others = z.expand(latents.stop - latents.start, -1, -1).clone()
                others.diagonal(offset=latents.start, dim1=0, dim2=2).zero_()
                for part in _blocks(copies, most // batch):
                    u = swaps[latents, part]
                    logits = rows.logits(u)
                    loss += F.softplus(logits).sum()
                    *above, first = rows.back(torch.sigmoid(logits))
                    for layer, (gradient, inputs) in enumerate(
                        zip(reversed(above), rows.rows, strict=True), 1
                    ):
                        _add(
                            gradients,
                            layer,
                            latents,
                            torch.bmm(gradient.transpose(1, 2), inputs),
                            gradient.sum(1),
                        )
                    own = torch.bmm(u.flatten(1).to(first.dtype).unsqueeze(1), first).squeeze(1)
                    per_sample = first.unflatten(1, (-1, batch)).sum(1, dtype=z.dtype)
                    weight = torch.bmm(per_sample.transpose(1, 2), others)
                    weight.diagonal(offset=latents.start, dim1=0, dim2=2).add_(own.T)
                    _add(gradients, 0, latents, weight, per_sample.sum(1))
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, *(grad_loss * gradient for gradient in ctx.saved_tensors)


def _add(gradients: list[Tensor], layer: int, latents: slice, weight: Tensor, bias: Tensor) -> None:
    """Add a block's gradients [g, ...] to those of a layer: per latent, or summed where the layer is shared."""
    for total, part in ((gradients[2 * layer], weight), (gradients[2 * layer + 1], bias)):
        if len(total) == 1:
            total += part.sum(0, keepdim=True)
        else:
            total[latents] += part
