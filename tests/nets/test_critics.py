import pytest
import torch
import torch.nn.functional as F

import plain_gcae
from prismae.nets import critics as module
from prismae.nets.critics import ConditionalCritics, _Dependence, _FakeLoss

CASES = [(shared, head) for shared in (False, True) for head in (0, 12)]


def made(shared, head, dtype=torch.float64, m=5, batch=70, width=32):
    torch.manual_seed(0)
    critics = ConditionalCritics(m, width=width, shared=shared, head_width=head).to(dtype)
    for parameter in critics.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    z = torch.randn(batch, m, dtype=dtype)
    u = 8 * torch.rand(m, 50, dtype=dtype) - 4
    swaps = 8 * torch.rand(m, critics.copies, batch, dtype=dtype) - 4
    return critics, z, u, swaps


def close(a, b, dtype):
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5}[dtype]
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "chunk", [10, 2560, 10**9], ids=["small chunks", "usual chunks", "all at once, as on a GPU"]
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["fp64", "fp32"])
@pytest.mark.parametrize(("shared", "head"), CASES)
def test_dependence_and_its_gradient_equal_a_plain_loop(shared, head, dtype, chunk, monkeypatch):
    monkeypatch.setattr(module, "ROWS_IN_CACHE", chunk)
    critics, z, u, _ = made(shared, head, dtype)
    weights = torch.rand(5, dtype=dtype)
    found = []
    for dependence in (_Dependence.apply, plain_gcae.dependence):
        own = z.clone().requires_grad_()
        information, entropy = dependence(critics, own, u)
        found.append(
            (information.detach(), entropy, torch.autograd.grad((weights * information).sum(), own)[0])
        )
    for a, b in zip(*found, strict=True):
        close(a, b, dtype)


@pytest.mark.parametrize(
    "chunk", [10, 2560, 10**9], ids=["small chunks", "usual chunks", "all at once, as on a GPU"]
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["fp64", "fp32"])
@pytest.mark.parametrize(("shared", "head"), CASES)
def test_critic_loss_and_its_gradient_equal_a_plain_loop(shared, head, dtype, chunk, monkeypatch):
    monkeypatch.setattr(module, "ROWS_IN_CACHE", chunk)
    critics, z, _, swaps = made(shared, head, dtype)
    real = F.softplus(-critics(z)).sum()
    loss = (real + _FakeLoss.apply(critics, z, swaps, *critics.parameters())) / (70 * 9)
    expected = plain_gcae.critic_loss(critics, z, swaps)
    close(loss, expected, dtype)
    parameters = list(critics.parameters())
    for a, b in zip(
        torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        close(a, b, dtype)


@pytest.mark.parametrize(("shared", "head"), CASES)
def test_the_method_s_own_critic_loss_keeps_double_precision(shared, head):
    critics, z, *_ = made(shared, head)
    torch.manual_seed(3)
    loss = critics.critic_loss(z)
    torch.manual_seed(3)
    swaps = critics.bound * (2 * torch.rand(5, critics.copies, 70, dtype=z.dtype) - 1)
    torch.testing.assert_close(loss, plain_gcae.critic_loss(critics, z, swaps), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("shared", "head"), CASES)
def test_gradcheck_where_no_log_ratio_is_clamped(shared, head):
    # the log ratio carries no gradient, and none is missed: its terms cancel in the derivative
    critics, z, u, swaps = made(shared, min(head, 4), m=3, batch=6, width=6)
    z, u = 0.3 * z, u[:, :4]
    critics.head.weight.data *= 0.2
    torch.autograd.gradcheck(
        lambda x: _Dependence.apply(critics, x, u)[0], z.clone().requires_grad_(), atol=1e-6
    )
    parameters = [parameter.detach().requires_grad_() for parameter in critics.parameters()]

    def fake(*values):
        with torch.no_grad():
            for parameter, value in zip(critics.parameters(), values, strict=True):
                parameter.copy_(value)
        return _FakeLoss.apply(critics, z, swaps, *values)

    torch.autograd.gradcheck(fake, parameters, atol=1e-6)


@pytest.mark.parametrize("shared", [False, True])
def test_bf16_stays_near_fp32(shared):
    critics, z, u, swaps = made(shared, 0, torch.float32)
    information, entropy = _Dependence.apply(critics, z, u)
    loss = _FakeLoss.apply(critics, z, swaps, *critics.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = _Dependence.apply(critics, z, u)
        rough_loss = _FakeLoss.apply(critics, z, swaps, *critics.parameters())
    assert rough[0].dtype == torch.float32
    torch.testing.assert_close(rough[0], information, rtol=0.05, atol=0.02)
    torch.testing.assert_close(rough[1], entropy, rtol=0.05, atol=0.02)
    torch.testing.assert_close(rough_loss, loss, rtol=0.02, atol=0.0)


def test_a_shared_backbone_has_far_fewer_weights():
    def size(shared):
        return sum(parameter.numel() for parameter in ConditionalCritics(10, shared=shared).parameters())

    assert size(True) < size(False) / 8


@pytest.mark.parametrize("shared", [pytest.param(False, marks=pytest.mark.slow), True])
def test_trained_critics_find_the_density_and_the_information_of_a_gaussian(shared):
    torch.manual_seed(0)
    critics = ConditionalCritics(2, width=64, shared=shared)
    adam = torch.optim.Adam(critics.parameters(), lr=3e-3)
    mix = torch.tensor([[0.7, 0.0], [0.42, 0.56]])  # deviations 0.7, correlation 0.6

    def draw(n):
        return torch.randn(n, 2) @ mix.T

    for _ in range(200):
        adam.zero_grad()
        critics.critic_loss(draw(256)).backward()
        adam.step()
    with torch.no_grad():
        information, entropy = critics.dependence(draw(2000), 64, "stratified")
    torch.testing.assert_close(information, torch.full((2,), 0.2231), atol=0.05, rtol=0)  # -ln(1 - 0.36) / 2
    torch.testing.assert_close(entropy, torch.full((2,), 1.0623), atol=0.06, rtol=0)  # ln(2 pi e 0.49) / 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("shared", "head"), CASES)
def test_a_gpu_gives_the_same(shared, head):
    critics, z, u, swaps = made(shared, head)
    expected = _Dependence.apply(critics, z, u), _FakeLoss.apply(critics, z, swaps, *critics.parameters())
    critics.cuda()
    found = _Dependence.apply(critics, z.cuda(), u.cuda())
    loss = _FakeLoss.apply(critics, z.cuda(), swaps.cuda(), *critics.parameters())
    torch.testing.assert_close([found[0].cpu(), found[1].cpu()], list(expected[0]))
    torch.testing.assert_close(loss.cpu(), expected[1])
