"""What every metric of images declares, checked for each that is found: values, bounds, invariances, bad input."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch
from torch import nn

from prismae.errors import InputError
from prismae.metrics import all_metrics
from prismae.testing import metric_checks
from prismae.testing.image_metrics import IMAGE_CHANGES, example_images

METRICS = {
    name: each for name, each in all_metrics().items() if each.needs in ("pairs", "features", "images")
}
PAIRS = {name: each for name, each in METRICS.items() if each.needs == "pairs"}
OFFICIAL = {"fid", "kid", "lpips"}

IMAGES, BLURRED = example_images()

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


class Network(nn.Module):
    """Stands for an official network: three features of an image."""

    num_features = 3

    def forward(self, x):
        assert x.shape[1] == 3
        return torch.stack([x.mean((1, 2, 3)), x.std((1, 2, 3)), x[:, 0, :9, :9].mean((1, 2))], dim=1)


class Distance:
    """Stands for LPIPS: mean absolute difference."""

    def __init__(self, net_type, normalize):
        assert (net_type, normalize) == ("alex", True)
        self.sum, self.n = 0.0, 0

    def update(self, x, y):
        assert x.shape == y.shape == (len(x), 3, 64, 64)
        self.sum, self.n = self.sum + (x - y).abs().mean((1, 2, 3)).sum(), self.n + len(x)

    def compute(self):
        return self.sum / self.n


@pytest.fixture
def official(monkeypatch):
    """Networks that are always there, in the place of the official ones."""
    from torchmetrics.image.fid import FrechetInceptionDistance as FID
    from torchmetrics.image.kid import KernelInceptionDistance as KID

    monkeypatch.setattr(
        "torchmetrics.image.fid.FrechetInceptionDistance", lambda **how: FID(feature=Network(), **how)
    )
    monkeypatch.setattr(
        "torchmetrics.image.kid.KernelInceptionDistance", lambda **how: KID(feature=Network(), **how)
    )
    monkeypatch.setattr("torchmetrics.image.lpip.LearnedPerceptualImagePatchSimilarity", Distance)


@pytest.mark.usefixtures("official")
@pytest.mark.parametrize(
    ("metric", "check"),
    [(metric, check) for metric in METRICS.values() for check in metric_checks(metric)],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_every_metric_of_images(metric, check):
    check(metric)


@every_metric
def test_declarations_are_complete(metric):
    assert set(metric.invariant) <= set(IMAGE_CHANGES)
    assert set(metric.known) <= {"identity"}
    text = inspect.getdoc(metric.function)
    assert re.search(r"arXiv:|doi:", text), "the source is missing"
    assert "better" in text, "the direction is missing"
    assert set(metric.protocols) == {"generation"}


BAD = {
    "rank 3": (IMAGES[:, 0], BLURRED[:, 0], r"shape \(40, 28, 28\), expected \[images, channels"),
    "two channels": (IMAGES.expand(-1, 2, -1, -1), BLURRED, "1 or 3 channels"),
    "another size": (IMAGES, BLURRED[..., :20], "expected the same"),
    "NaN": (IMAGES.where(IMAGES > 0.5, torch.nan), BLURRED, "must be finite"),
    "pixels of 0 to 255": (255 * IMAGES, BLURRED, r"range from .* to 2\d\d, expected pixels in \[0, 1\]"),
    "none": (IMAGES[:0], BLURRED[:0], "at least"),
}


@pytest.mark.usefixtures("official")
@pytest.mark.parametrize(
    ("metric", "case"),
    [(m, case) for m in METRICS.values() for case in BAD if m.needs != "features"],
    ids=lambda each: str(each),
)
def test_bad_input_gets_one_sentence(metric, case):
    images, generated, message = BAD[case]
    with pytest.raises(InputError, match=message) as error:
        metric(images, generated)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_need_as_many_reconstructions_as_images(name):
    with pytest.raises(InputError, match="expected the same"):
        METRICS[name](IMAGES, BLURRED[:-1])


@pytest.mark.parametrize("name", ["frechet", "kernel-distance"])
def test_features_must_be_the_same(name):
    with pytest.raises(InputError, match="9 features of real images and 8 of generated ones"):
        METRICS[name](np.ones((10, 9)), np.ones((10, 8)))


@pytest.mark.parametrize("name", sorted(OFFICIAL))
def test_a_missing_official_network_is_named_with_the_remedy(name, monkeypatch):
    def absent(*args, **kwargs):
        raise ModuleNotFoundError("metric requires that `Torch-fidelity` is installed.")

    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance", absent)
    monkeypatch.setattr("torchmetrics.image.kid.KernelInceptionDistance", absent)
    monkeypatch.setattr("torchmetrics.image.lpip.LearnedPerceptualImagePatchSimilarity", absent)
    with pytest.raises(InputError, match=rf"{name.upper()} needs .* pip install 'prismae\[perceptual\]'"):
        METRICS[name](IMAGES, BLURRED)


def test_weights_that_cannot_be_fetched_are_one_sentence(monkeypatch):
    def offline(**kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("torchmetrics.image.fid.FrechetInceptionDistance", offline)
    with pytest.raises(InputError, match="weights of FID's network cannot be fetched: no route to host"):
        METRICS["fid"](IMAGES, BLURRED)


@pytest.mark.usefixtures("official")
def test_fid_is_the_frechet_distance_of_the_networks_features():
    features = [Network()(each.expand(-1, 3, -1, -1)).numpy() for each in (IMAGES, BLURRED)]
    expected = float(METRICS["frechet"](*features))
    assert METRICS["fid"](IMAGES, BLURRED) == pytest.approx(expected, rel=1e-4)
