"""What every metric of images declares, checked for each that is found: values, bounds, invariances, bad input."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch
from torch import nn

from prismae.errors import InputError
from prismae.metrics import Metric, Result, all_metrics

METRICS = {
    name: each for name, each in all_metrics().items() if each.needs in ("pairs", "features", "images")
}
PAIRS = {name: each for name, each in METRICS.items() if each.needs == "pairs"}
OFFICIAL = {"fid", "kid", "lpips"}

torch_rng = torch.Generator().manual_seed(0)
COARSE = torch.rand(40, 1, 7, 7, generator=torch_rng)
IMAGES = nn.functional.interpolate(COARSE, scale_factor=4, mode="bilinear")
BLURRED = nn.functional.avg_pool2d(IMAGES, 5, stride=1, padding=2)

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


def scores(metric: Metric, images, generated) -> dict[str, float]:
    """Scores of a metric by short name; features are eight numbers of each image."""
    if metric.needs == "features":
        images, generated = (each[:, 0, 3::7][..., [3, 24]].flatten(1) for each in (images, generated))
    result = metric(images, generated)
    return result.scores if isinstance(result, Result) else {"": result}


@pytest.mark.usefixtures("official")
@pytest.mark.parametrize("metric", [m for m in METRICS.values() if m.known], ids=lambda m: m.name)
def test_identical_images_have_the_declared_value(metric):
    declared = metric.known["identity"]
    assert scores(metric, IMAGES, IMAGES)[""] == pytest.approx(declared, abs=1e-5)


@pytest.mark.usefixtures("official")
@every_metric
def test_scores_get_worse_with_blur_and_stay_within_the_bounds(metric):
    blurred, very = scores(metric, IMAGES, BLURRED)[""], scores(metric, IMAGES, 0.5 * BLURRED)[""]
    for value in (blurred, very):
        assert type(value) is float
        assert metric.bounds[0] <= value <= metric.bounds[1]
    assert metric.better.beats(blurred, very)


def permute_images():
    order = np.random.default_rng(0).permutation(len(IMAGES))
    return IMAGES[order], BLURRED[order]


def flip_images():
    return IMAGES.flip(3), BLURRED.flip(3)


def swap_images():
    return BLURRED, IMAGES


CHANGES = (permute_images, flip_images, swap_images)


@pytest.mark.usefixtures("official")
@pytest.mark.parametrize(
    ("metric", "change"),
    [(m, change) for m in METRICS.values() for change in CHANGES if change.__name__ in m.invariant],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_declared_invariance(metric, change):
    assert scores(metric, *change())[""] == pytest.approx(scores(metric, IMAGES, BLURRED)[""], rel=1e-4)


@pytest.mark.usefixtures("official")
@every_metric
def test_the_same_input_gives_the_same_scores_and_no_global_state_is_touched(metric):
    before = torch.get_rng_state()
    assert scores(metric, IMAGES, BLURRED) == scores(metric, IMAGES, BLURRED)
    assert torch.equal(before, torch.get_rng_state())


@every_metric
def test_declarations_are_complete(metric):
    assert set(metric.invariant) <= {change.__name__ for change in CHANGES}
    assert set(metric.known) <= {"identity"}
    text = inspect.getdoc(metric.function)
    assert re.search(r"arXiv:|doi:", text), "the source is missing"
    assert "better" in text, "the direction is missing"
    assert metric.protocol == "generation"


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
