from dataclasses import dataclass

import numpy as np
import pytest
import torch
from flat import train

from prismae import world
from prismae.data.storage import spaced
from prismae.errors import InputError
from prismae.methods import Method
from prismae.methods.vae import VAE
from prismae.nets.autoencoder import AutoencoderNet
from prismae.nets.conv import Conv
from prismae.nets.mlp import MLP
from prismae.train import NotFinite
from prismae.train.batches import Batches
from prismae.train.build import build, choose_likelihood, choose_net
from prismae.train.history import History
from prismae.train.ongoing import PROBE


def quick(method, steps=12, **kwargs):
    settings = {"n_latents": 3, "net": "conv", "likelihood": "bernoulli", "batch": 16, "device": "cpu"}
    return train(method, world("digits"), steps=steps, **settings | kwargs)


@dataclass(frozen=True)
class Broken(Method):
    """A VAE whose KL becomes NaN when the data of batch number 60 come."""

    def weights(self):
        return {"recon": 1.0, "kl": 1.0}

    def terms(self, ae, x, ctx):
        q = ae.encode(x)
        calls.append(1)
        kl = q.kl_to_standard().sum(1)
        return {"recon": ae.nll(x, q.rsample()), "kl": kl * (float("nan") if len(calls) == 61 else 1.0)}


calls: list[int] = []


def test_nan_is_stopped_with_the_term_and_the_step_and_nothing_is_saved(tmp_path):
    calls.clear()
    checkpoint = tmp_path / "state.safetensors"
    with pytest.raises(NotFinite, match=r"^kl became nan at step 60: "):
        quick(Broken(), steps=200, checkpoint=checkpoint, checkpoint_every=70)
    assert not checkpoint.exists()


def test_history_has_every_term_at_every_step_and_errors_in_common_units():
    history = quick(VAE(), steps=30).history
    assert history["step"].tolist() == list(range(30))
    assert {"recon", "kl", "monitor:mse", "monitor:nats", "monitor:spread[2]"} <= set(history.columns)
    assert history[["recon", "kl"]].notna().all(axis=None)
    final = history.iloc[-1]
    assert final["monitor:mse"] > 0
    assert final["monitor:nats"] < history["monitor:nats"].dropna().iloc[0]


def test_what_is_monitored_is_of_one_encoding(monkeypatch):
    encode, sizes = AutoencoderNet.encode, []
    monkeypatch.setattr(AutoencoderNet, "encode", lambda ae, x: sizes.append(len(x)) or encode(ae, x))
    done = quick(VAE(), steps=30)
    seen = done.history[[name for name in done.history if name.startswith("monitor:")]].dropna()
    assert sizes.count(PROBE) == len(seen) > 1
    digits = world("digits")
    probe = digits.data[spaced(len(digits), PROBE)]
    with torch.no_grad():
        errors, codes = done.ae.eval().errors(probe), done.ae.encode(probe).mean
    assert seen.iloc[-1].tolist() == torch.stack([*errors, *codes.std(0)]).double().tolist()


def test_long_histories_are_thinned_but_every_step_is_checked():
    history = History(every=10)
    for step in range(40):
        history.add(step, {"a": torch.tensor(float(step)), "v": torch.zeros(2)})
    assert history.flush() == {"a": 39.0, "v[0]": 0.0, "v[1]": 0.0}
    history.monitor(29, {"mse": 0.5})
    assert history.frame()["step"].tolist() == [0, 10, 20, 30]
    assert history.frame()["monitor:mse"].dropna().to_dict() == {2: 0.5}
    assert history.frame().notna().all()["a"]
    history.add(40, {"a": torch.tensor(1.0), "v": torch.zeros(2)})
    history.add(41, {"a": torch.tensor(1.0), "v": torch.tensor([0.0, float("inf")])})
    with pytest.raises(NotFinite, match=r"v\[1\] became inf at step 41"):
        history.flush()


def test_batches_shuffle_each_epoch_and_are_always_full():
    batches = Batches(10, 4, seed=0, player=0, device=torch.device("cpu"))
    stream = torch.cat([batches[i] for i in range(15)])
    for epoch in stream.view(-1, 10):
        assert sorted(epoch.tolist()) == list(range(10))
    assert not torch.equal(stream[:10], stream[10:20])


def test_a_batch_is_a_function_of_its_number():
    def new(player=0, seed=0):
        return Batches(7, 20, seed=seed, player=player, device=torch.device("cpu"))

    forward = [new()[i] for i in range(5)]
    one = new()
    assert all(torch.equal(one[i], forward[i]) for i in (4, 1, 3, 0, 2))
    assert not torch.equal(new(player=1)[0], new()[0])
    assert not torch.equal(new(seed=1)[0], new()[0])


def test_bf16_learns_with_float32_weights():
    done = quick(VAE(), steps=60, precision="bf16", lr=2e-3)
    assert all(parameter.dtype == torch.float32 for parameter in done.ae.parameters())
    error = done.history["monitor:mse"].dropna()
    assert error.iloc[-1] < 0.8 * error.iloc[0]


@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 64, 64), (3, 45, 60), (1, 9, 128)]
)
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_decoders_give_back_the_shape(net, shape):
    data = world(np.random.default_rng(0).random((4, *shape), dtype=np.float32))
    ae = build(VAE(), data.kind, data.shape, data.summary, n_latents=3, net=net, likelihood="gaussian")
    x = data.data[torch.arange(4)]
    assert ae.encode(x).mean.shape == (4, 3)
    assert ae.decode(torch.zeros(4, 3)).shape == x.shape


def test_networks_and_likelihoods_follow_the_data():
    images, series = world("digits"), world("pulses")
    assert choose_net("auto", VAE(), images.kind, images.shape) == Conv()
    assert choose_net("auto", VAE(), series.kind, series.shape) == MLP()
    assert choose_likelihood("auto", VAE(), images.kind, images.summary).name() == "bernoulli"
    assert choose_likelihood("auto", VAE(), series.kind, series.summary).name() == "gaussian"
    with pytest.raises(InputError, match=r"'bernoulli' needs data in \[0, 1\], but they range from"):
        choose_likelihood("bernoulli", VAE(), series.kind, series.summary)
    with pytest.raises(InputError, match="Unknown network 'con': did you mean 'conv'"):
        choose_net("con", VAE(), images.kind, images.shape)
    with pytest.raises(InputError, match="needs images of at least 8x8 pixels"):
        build(
            VAE(), series.kind, series.shape, series.summary, n_latents=3, net="conv", likelihood="gaussian"
        )


def test_errors_are_in_the_same_units_for_every_likelihood():
    data = world("digits")
    x = data.data[torch.arange(50)]
    for likelihood in ("bernoulli", "gaussian", "mse"):
        torch.manual_seed(0)
        ae = build(VAE(), data.kind, data.shape, data.summary, n_latents=3, net="conv", likelihood=likelihood)
        with torch.no_grad():
            mse, _ = ae.errors(x)
            z = ae.encode(x).mean
            expected = (ae.generate(z) - x).square().mean() / data.summary.std**2
        assert mse.item() == pytest.approx(expected.item(), rel=1e-4)
