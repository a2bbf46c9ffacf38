from math import log

import pytest
import torch

from prismae import world
from prismae.data import Summary
from prismae.errors import InputError
from prismae.methods.vae import VAE
from prismae.nets.conv import conv
from prismae.nets.conv1d import conv1d
from prismae.nets.conv5 import conv5
from prismae.nets.likelihood import LIKELIHOODS, Gaussian, LearnedGaussian
from prismae.train import build, train
from prismae.train.build import NETS, choose_likelihood, choose_net

IMAGES = [(channels, side, side) for side in (28, 32, 64, 128) for channels in (1, 3)]


def there_and_back(net, shape):
    torch.manual_seed(0)
    encoder, decoder = net(shape, 8, 4)
    x = torch.randn(2, *shape)
    codes = encoder(x)
    back = decoder(torch.randn(2, 4))
    (codes.sum() + back.sum()).backward()
    assert all(p.grad.abs().sum() > 0 for part in (encoder, decoder) for p in part.parameters())
    return codes.shape, back.shape


@pytest.mark.parametrize("shape", [*IMAGES, (1, 8, 8), (2, 33, 50)])
@pytest.mark.parametrize("net", [conv, conv5])
def test_convolutions_map_images_of_any_size_to_codes_and_back(net, shape):
    assert there_and_back(net, shape) == ((2, 8), (2, *shape))


@pytest.mark.parametrize("length", [16, 17, 100, 360, 1000, 1023])
def test_conv1d_maps_series_of_any_length_to_codes_and_back(length):
    assert there_and_back(conv1d, (length,)) == ((2, 8), (2, length))


@pytest.mark.parametrize("shape", [(3, 16), (1, 37), (12, 100)])
def test_conv1d_maps_series_of_several_channels_to_codes_and_back(shape):
    assert there_and_back(conv1d, shape) == ((2, 8), (2, *shape))


def test_conv_at_64_pixels_is_the_literature_s_architecture():
    encoder, _ = conv((3, 64, 64), 20, 10)
    shapes = [tuple(p.shape) for p in encoder.parameters() if p.ndim > 1]
    assert shapes == [(32, 3, 4, 4), (32, 32, 4, 4), (64, 32, 4, 4), (64, 64, 4, 4), (256, 1024), (20, 256)]


@pytest.mark.parametrize("side", [8, 28, 32, 64, 128])
def test_conv5_has_five_convolutions_of_kernel_3_and_two_dense_layers_each_way(side):
    encoder, decoder = conv5((1, side, side), 20, 10)
    shapes = [tuple(p.shape) for p in encoder.parameters() if p.ndim > 1]
    assert [s[2:] for s in shapes] == [(3, 3)] * 5 + [(), ()]
    mirrored = [tuple(p.shape) for p in decoder.parameters() if p.ndim > 1]
    assert mirrored[2:] == [s for s in reversed(shapes) if len(s) == 4]
    assert shapes[5] == (256, 64 * 4 * 4)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (conv, (1, 4, 9)),
        (conv, (30,)),
        (conv5, (1, 7, 9)),
        (conv5, (30,)),
        (conv1d, (15,)),
        (conv1d, (1, 28, 28)),
    ],
)
def test_shapes_that_a_network_is_not_for_are_refused(net, shape):
    with pytest.raises(InputError, match=net.__name__):
        net(shape, 8, 4)


def test_every_network_can_be_named():
    assert set(NETS) == {"mlp", "conv", "conv5", "conv1d"}
    assert choose_net("conv1d", VAE(), (100,)) == "conv1d"
    assert choose_net("auto", VAE(), (100,)) == "mlp"
    assert choose_net("auto", VAE(), (21,)) == "mlp:width=256"
    assert choose_net("auto", VAE(), (1, 28, 28)) == "conv"


@pytest.mark.parametrize(
    ("shape", "low", "high", "expected"),
    [
        ((1, 28, 28), 0.0, 1.0, "bernoulli"),
        ((1, 28, 28), -1.0, 1.0, "gaussian"),
        ((1, 28, 28), 0.0, 255.0, "gaussian"),
        ((100,), 0.0, 1.0, "gaussian"),
    ],
)
def test_the_likelihood_is_chosen_by_the_data(shape, low, high, expected):
    assert choose_likelihood("auto", VAE(), shape, Summary(0.5, 0.3, low, high)) == expected


def test_bernoulli_outside_0_and_1_is_refused():
    # public implementations return NaN there
    with pytest.raises(InputError, match=r"data in \[0, 1\], but they range from -1 to 1"):
        choose_likelihood("bernoulli", VAE(), (1, 28, 28), Summary(0.0, 1.0, -1.0, 1.0))


@pytest.mark.parametrize("name", sorted(set(LIKELIHOODS) - {"mse", "categorical"}))
def test_likelihoods_in_nats_sum_over_elements(name):
    # a public defect: the mean in one method and the sum in another, so that beta means nothing
    torch.manual_seed(0)
    likelihood = LIKELIHOODS[name]()
    x, output = torch.rand(3, 1, 4, 4), torch.randn(3, 1, 4, 4)
    parts = [likelihood.nll(output[..., i : i + 1], x[..., i : i + 1]) for i in range(4)]
    torch.testing.assert_close(likelihood.nll(output, x), sum(parts))


def test_a_learned_scale_of_1_is_the_fixed_one():
    x, output = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(LearnedGaussian().nll(output, x), Gaussian().nll(output, x))


def test_a_learned_scale_s_optimum_is_the_error():
    likelihood = LearnedGaussian()
    torch.manual_seed(0)
    x = 0.3 * torch.randn(500, 10)
    with torch.no_grad():
        likelihood.log_scale.fill_(0.5 * log(float(x.square().mean())))
    (gradient,) = torch.autograd.grad(likelihood.nll(torch.zeros_like(x), x).mean(), likelihood.log_scale)
    assert abs(gradient) < 1e-4


def test_a_learned_scale_is_trained_and_kept_with_the_weights():
    done = train(
        VAE(),
        world("pulses"),
        n_latents=3,
        net="conv1d",
        likelihood="gaussian-learned",
        steps=5,
        batch=8,
        device="cpu",
    )
    assert "likelihood.log_scale" in done.ae.state_dict()
    assert done.ae.likelihood.log_scale != 0
    new = build(
        VAE(), (1000,), world("pulses").summary, n_latents=3, net="conv1d", likelihood="gaussian-learned"
    )
    new.load_state_dict(done.ae.state_dict())
