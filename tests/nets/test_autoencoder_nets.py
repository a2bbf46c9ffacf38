from math import inf, log, prod

import pytest
import torch
from flat import train
from torch import nn

from prismae import Autoencoder, world
from prismae.data import Images, Series, Summary, Table
from prismae.errors import InputError
from prismae.latent.gaussian import Point
from prismae.methods import method
from prismae.methods.vae import VAE
from prismae.nets import all_likelihoods, all_nets, net
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.conv import Conv
from prismae.nets.conv1d import Conv1d
from prismae.nets.conv5 import Conv5
from prismae.nets.likelihood import MSE, Bernoulli, Gaussian, GaussianLearned, Likelihood
from prismae.nets.mlp import MLP
from prismae.runs.decoder import describe_decoder
from prismae.train import build
from prismae.train.build import choose_likelihood, choose_lr, choose_net

IMAGES = [(channels, side, side) for side in (28, 32, 64, 128) for channels in (1, 3)]


def there_and_back(architecture, shape):
    torch.manual_seed(0)
    encoder, decoder = architecture.build(shape, 8, 4)
    x = torch.randn(2, *shape)
    codes = encoder(x)
    back = decoder(torch.randn(2, 4))
    (codes.sum() + back.sum()).backward()
    assert all(p.grad.abs().sum() > 0 for part in (encoder, decoder) for p in part.parameters())
    return codes.shape, back.shape


@pytest.mark.parametrize("shape", [*IMAGES, (1, 8, 8), (2, 33, 50)])
@pytest.mark.parametrize("architecture", [Conv(), Conv5()])
def test_convolutions_map_images_of_any_size_to_codes_and_back(architecture, shape):
    assert there_and_back(architecture, shape) == ((2, 8), (2, *shape))


@pytest.mark.parametrize("length", [16, 17, 100, 360, 1000, 1023])
def test_conv1d_maps_series_of_any_length_to_codes_and_back(length):
    assert there_and_back(Conv1d(), (length,)) == ((2, 8), (2, length))


@pytest.mark.parametrize("shape", [(3, 16), (1, 37), (12, 100)])
def test_conv1d_maps_series_of_several_channels_to_codes_and_back(shape):
    assert there_and_back(Conv1d(), shape) == ((2, 8), (2, *shape))


def test_conv_at_64_pixels_is_the_literature_s_architecture():
    encoder, _ = Conv().build((3, 64, 64), 20, 10)
    shapes = [tuple(p.shape) for p in encoder.parameters() if p.ndim > 1]
    assert shapes == [(32, 3, 4, 4), (32, 32, 4, 4), (64, 32, 4, 4), (64, 64, 4, 4), (256, 1024), (20, 256)]


@pytest.mark.parametrize("side", [8, 28, 32, 64, 128])
def test_conv5_has_five_convolutions_of_kernel_3_and_two_dense_layers_each_way(side):
    encoder, decoder = Conv5().build((1, side, side), 20, 10)
    shapes = [tuple(p.shape) for p in encoder.parameters() if p.ndim > 1]
    assert [s[2:] for s in shapes] == [(3, 3)] * 5 + [(), ()]
    mirrored = [tuple(p.shape) for p in decoder.parameters() if p.ndim > 1]
    assert mirrored[2:] == [s for s in reversed(shapes) if len(s) == 4]
    assert shapes[5] == (256, 64 * 4 * 4)


@pytest.mark.parametrize(
    ("cls", "shape"),
    [
        (Conv, (1, 4, 9)),
        (Conv, (30,)),
        (Conv5, (1, 7, 9)),
        (Conv5, (30,)),
        (Conv1d, (15,)),
        (Conv1d, (1, 28, 28)),
    ],
)
def test_shapes_that_a_network_is_not_for_are_refused(cls, shape):
    with pytest.raises(InputError, match=cls.name()):
        cls().build(shape, 8, 4)


def test_every_network_can_be_named():
    assert set(all_nets()) == {"additive", "conv", "conv1d", "conv3d", "conv5", "lstm", "mlp"}
    assert choose_net("conv1d", VAE(), Series(), (100,)) == Conv1d()
    assert choose_net("auto", VAE(), Series(), (100,)) == MLP()
    assert choose_net("auto", VAE(), Table(), (21,)) == MLP(width=256)
    assert choose_net("auto", VAE(), Images(), (1, 28, 28)) == Conv()
    for name, cls in all_nets().items():
        assert cls.__module__ == f"prismae.nets.{name}"  # one stem: file, class and name
        assert net(name) == cls()


@pytest.mark.parametrize(
    "text", ["mlp", "mlp:width=512", "lstm:width=128,word-dropout=0.3", "lstm:dropout=0.1", "conv"]
)
def test_a_network_reads_what_it_says_of_itself(text):
    assert net(text).described() == text
    assert net(net(text).described()) == net(text)


def test_settings_that_are_the_defaults_are_the_same_network():
    assert net("mlp:width=1024").described() == "mlp"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("mpl", "Unknown network 'mpl': did you mean 'mlp'"),
        ("mlp:width=0", "mlp: width should be greater than or equal to 2, got '0'"),
        ("mlp:widht=3", "Unknown field of mlp 'widht': did you mean 'width'"),
        ("conv:width=4", "conv has no field 'width': it has no settings"),
        ("function:mine", "a function of the user's"),
        (3, "or a function"),
        (MLP, "or a function"),
    ],
)
def test_what_is_no_network_is_refused_in_one_sentence(given, said):
    with pytest.raises(InputError, match=said):
        net(given)


def two_layers(shape, n_outputs, n_latents):
    """A network of a user's."""
    size = prod(shape)
    return (
        nn.Sequential(nn.Flatten(), nn.Linear(size, n_outputs)),
        nn.Sequential(nn.Linear(n_latents, size), nn.Unflatten(1, shape)),
    )


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda shape, n_outputs, n_latents: nn.Identity(), "expected two torch modules"),
        (
            lambda shape, n_outputs, n_latents: two_layers(shape, n_latents, n_latents),
            "encoder makes .2, 2., expected",
        ),
        (
            lambda shape, n_outputs, n_latents: two_layers((3,), n_outputs, n_latents),
            r"encoder makes an error \((addmm: )?mat1 and mat2",  # the first word from PyTorch 2.15 on
        ),
    ],
)
def test_a_network_of_one_s_own_that_does_not_fit_is_refused_before_training(function, said):
    with pytest.raises(InputError, match=said):
        Autoencoder("vae", n_latents=2, net=function, steps=3).fit(world("digits"))


@pytest.mark.parametrize("own", [two_layers, MLP(width=6)])
def test_a_network_of_one_s_own_is_trained(own):
    model = Autoencoder("vae", n_latents=2, net=own, steps=3).fit(world("digits"))
    assert model.transform(world("digits")).shape == (1797, 2)
    assert model.about_["net"] == ("mlp:width=6" if isinstance(own, MLP) else "function:two_layers")


@pytest.mark.parametrize(
    ("kind", "low", "high", "expected"),
    [
        (Images(), 0.0, 1.0, "bernoulli"),
        (Images(), -1.0, 1.0, "gaussian"),
        (Images(), 0.0, 255.0, "gaussian"),
        (Series(), 0.0, 1.0, "gaussian"),
        (Table(), 0.0, 1.0, "gaussian-learned"),
    ],
)
def test_the_likelihood_is_chosen_by_the_data(kind, low, high, expected):
    assert choose_likelihood("auto", VAE(), kind, Summary(0.5, 0.3, low, high)).name() == expected


def test_the_learning_rate_is_the_given_one_then_the_method_s_then_the_data_s():
    assert choose_lr(0.5, VAE(), Table()) == 0.5
    assert choose_lr(None, method("wae"), Table()) == method("wae").optimizer().lr == 1e-3
    assert choose_lr(None, VAE(), Table()) == 3e-3
    assert choose_lr(None, VAE(), Images()) == choose_lr(None, VAE(), Series()) == 1e-4


def test_bernoulli_outside_0_and_1_is_refused():
    # public implementations return NaN there
    with pytest.raises(InputError, match=r"data in \[0, 1\], but they range from -1 to 1"):
        choose_likelihood("bernoulli", VAE(), Images(), Summary(0.0, 1.0, -1.0, 1.0))


@pytest.mark.parametrize("name", sorted(set(all_likelihoods()) - {"mse", "categorical"}))
def test_likelihoods_in_nats_sum_over_elements(name):
    # a public defect: the mean in one method and the sum in another, so that beta means nothing
    torch.manual_seed(0)
    likelihood = all_likelihoods()[name]()
    x, output = torch.rand(3, 1, 4, 4), torch.randn(3, 1, 4, 4)
    parts = [likelihood.nll(output[..., i : i + 1], x[..., i : i + 1]) for i in range(4)]
    torch.testing.assert_close(likelihood.nll(output, x), sum(parts))


def test_a_learned_scale_of_1_is_the_fixed_one():
    x, output = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(GaussianLearned().nll(output, x), Gaussian().nll(output, x))


def test_a_learned_scale_s_optimum_is_the_error():
    likelihood = GaussianLearned()
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
        VAE(),
        Series(),
        (1000,),
        world("pulses").summary,
        n_latents=3,
        net="conv1d",
        likelihood="gaussian-learned",
    )
    new.load_state_dict(done.ae.state_dict())


class Exponential(Likelihood):
    """Waiting times, with the logarithm of the rate as output."""

    standardised = False
    support = (0.0, inf)

    def nll(self, output, x):
        return (x * output.exp() - output).flatten(1).sum(1)

    def mean(self, output):
        return (-output).exp()


class Absolute(Exponential):
    nats = False

    def nll(self, output, x):
        return (self.mean(output) - x).abs().flatten(1).mean(1)


class Peaked(Bernoulli):
    """A Bernoulli that reads another mean out of its output."""

    def mean(self, output):
        return torch.sigmoid(output).square()


def copying(likelihood, std):
    """A net whose decoder's output is the observation as it sees it."""
    return AutoencoderNet(nn.Identity(), nn.Identity(), lambda z, parts: Point(z), likelihood, 0.0, std)


def test_errors_are_in_the_unit_of_the_likelihood_itself():
    x = 0.1 + torch.rand(50, 3, dtype=torch.float64)
    mse, nats = copying(Exponential(), 2.0).errors(x)
    expected = -torch.distributions.Exponential(x.exp()).log_prob(x).sum(1).mean()
    torch.testing.assert_close(nats, expected)
    torch.testing.assert_close(mse, ((-x).exp() - x).square().mean() / 4)


@pytest.mark.parametrize("likelihood", [Absolute(), MSE(), GaussianLearned()])
def test_errors_without_nats_or_of_one_s_own_scale_are_those_of_unit_gaussians(likelihood):
    x = 0.1 + torch.rand(50, 3)
    if isinstance(likelihood, GaussianLearned):
        likelihood.log_scale.data.fill_(-1.0)
    net = copying(likelihood, 1.0)
    expected = -torch.distributions.Normal(likelihood.mean(x), 1.0).log_prob(x).sum(1).mean()
    torch.testing.assert_close(net.errors(x)[1].detach(), expected)


def test_a_page_computes_only_a_mean_that_it_knows():
    kinds = [describe_decoder(copying(each, 1.0))["layers"][1]["kind"] for each in (Bernoulli(), Peaked())]
    assert kinds == ["sigmoid", "Peaked"]
