"""Metrics of images against closed forms and plain definitions; features; and which images are compared."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_msssim
import torch
from pytorch_msssim.ssim import _fspecial_gauss_1d, _ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn

from prismae import metrics
from prismae.errors import InputError
from prismae.evaluation import evaluate_images
from prismae.metrics.generation._features import classifier, pixels_pca
from prismae.metrics.generation.frechet import gaussian_distance
from prismae.metrics.generation.ssim import WEIGHTS, scales_of, window_of

RNG = np.random.default_rng(0)


def blobs(n: int, side: int = 12, seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    """Images of one bright quarter each, and which."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    x = 0.2 * rng.random((n, 1, side, side))
    half = side // 2
    for image, label in zip(x, labels, strict=True):
        row, column = divmod(label, 2)
        image[0, row * half : (row + 1) * half, column * half : (column + 1) * half] += 0.7
    return torch.from_numpy(x).float(), labels


def test_frechet_distance_of_two_gaussians():
    d = 5
    a, b = (RNG.normal(size=(d, d)) for _ in range(2))
    mean = RNG.normal(size=d)
    assert gaussian_distance(mean, a @ a.T, mean, a @ a.T) == pytest.approx(0, abs=1e-9)
    assert gaussian_distance(mean, a @ a.T, mean + 2, a @ a.T) == pytest.approx(4 * d)
    # commuting covariances: the sum of squared differences of standard deviations along the shared axes
    axes = np.linalg.qr(RNG.normal(size=(d, d)))[0]
    stds = RNG.random((2, d))
    covs = [axes * each**2 @ axes.T for each in stds]
    assert gaussian_distance(mean, covs[0], mean, covs[1]) == pytest.approx(
        np.square(stds[0] - stds[1]).sum()
    )
    # one of rank 1: the root of its product with any other is known
    cov, other = np.outer(mean, mean), b @ b.T
    expected = np.trace(cov) + np.trace(other) - 2 * np.sqrt(mean @ other @ mean)
    assert gaussian_distance(mean, cov, mean, other) == pytest.approx(expected)


def test_frechet_of_samples_is_near_that_of_the_gaussians_and_bootstrap_moves_it_little():
    x, y = RNG.normal(size=(4000, 3)), 1 + 2 * RNG.normal(size=(4000, 3))
    found = metrics.frechet(x, y)
    assert float(found) == pytest.approx(3 * (1 + 1), rel=0.05)
    drawn = found.resample(np.random.default_rng(0))[""]
    assert 0 < abs(drawn - float(found)) < 0.5


def test_the_kernel_distance_is_unbiased():
    # E (x·y / d + 1)^3 for independent Gaussians of variance 1 and means m, m' in one dimension
    def expected(m, n):
        moments = lambda a: (1, a, 1 + a**2, 3 * a + a**3)  # noqa: E731
        return sum(c * p * q for c, p, q in zip((1, 3, 3, 1), moments(m), moments(n), strict=True))

    truth = expected(0, 0) + expected(1, 1) - 2 * expected(0, 1)
    same = [float(metrics.kernel_distance(*RNG.normal(size=(2, 10, 1)))) for _ in range(1500)]
    far = [
        float(metrics.kernel_distance(RNG.normal(size=(10, 1)), RNG.normal(1, size=(12, 1))))
        for _ in range(1500)
    ]
    for found, aim in ((same, 0.0), (far, truth)):
        assert abs(np.mean(found) - aim) < 4 * np.std(found) / np.sqrt(len(found))


def test_the_kernel_distance_is_the_mean_over_pairs():
    x, y = RNG.normal(size=(7, 3)), RNG.normal(size=(5, 3))
    kernel = lambda a, b: (a @ b.T / 3 + 1) ** 3  # noqa: E731
    xx, yy = kernel(x, x), kernel(y, y)
    expected = (xx.sum() - np.trace(xx)) / 42 + (yy.sum() - np.trace(yy)) / 20 - 2 * kernel(x, y).mean()
    assert float(metrics.kernel_distance(x, y)) == pytest.approx(expected)


def test_the_kernel_distances_replicates_spread_as_fresh_samples_do():
    fresh = [
        float(metrics.kernel_distance(RNG.normal(size=(60, 2)), RNG.normal(1, size=(60, 2))))
        for _ in range(300)
    ]
    found = metrics.kernel_distance(RNG.normal(size=(60, 2)), RNG.normal(1, size=(60, 2)))
    drawn = [found.resample(RNG)[""] for _ in range(300)]
    assert 0.4 < np.std(drawn) / np.std(fresh) < 2.5


def test_pixel_errors():
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    y = (x + torch.tensor([0.1, 0.2, 0.4]).view(3, 1, 1, 1)).clamp(max=1)
    each = (x - y).square().flatten(1).mean(1).numpy()
    assert float(metrics.pixel_mse(x, y)) == pytest.approx(each.mean(), rel=1e-5)
    assert float(metrics.psnr(x, y)) == pytest.approx(np.mean(-10 * np.log10(each)), rel=1e-5)


def test_ssim_of_flat_images_is_the_term_of_brightness():
    x, y = (torch.full((2, 1, 28, 28), value) for value in (0.2, 0.8))
    expected = (2 * 0.2 * 0.8 + 0.01**2) / (0.2**2 + 0.8**2 + 0.01**2)
    assert float(metrics.ssim(x, y)) == pytest.approx(expected, rel=1e-4)
    # on two scales of flat images only the coarser one knows the brightness
    assert float(metrics.ms_ssim(x, y)) == pytest.approx(
        expected ** (WEIGHTS[1] / sum(WEIGHTS[:2])), rel=1e-4
    )


def noisy_pairs(n: int, c: int, h: int, w: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth images with a border of another brightness, and the same with noise; float32 in [0, 1]."""
    generator = torch.Generator().manual_seed(h)
    x = nn.functional.avg_pool2d(torch.rand(n, c, h + 4, w + 4, generator=generator), 5, 1)
    x = (3 * (x - 0.35)).clamp(0, 1)
    x[:, :, 0], x[:, :, :, -1] = 1, 0
    return x, (x + 0.1 * torch.randn(x.shape, generator=generator)).clamp(0, 1)


@pytest.mark.parametrize(
    "shape", [(2, 1, 22, 22), (3, 1, 28, 28), (2, 3, 32, 32), (2, 3, 25, 40), (2, 1, 64, 64)]
)
def test_ssim_is_that_of_scikit_image_and_of_pytorch_msssim(shape):
    x, y = noisy_pairs(*shape)
    found = metrics.ssim(x, y)
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    theirs = [
        structural_similarity(a, b, channel_axis=0, **how)
        for a, b in zip(x.double().numpy(), y.double().numpy(), strict=True)
    ]
    np.testing.assert_allclose(found.pairs, theirs, atol=1e-6)
    theirs = pytorch_msssim.ssim(x.double(), y.double(), data_range=1.0, size_average=False)
    np.testing.assert_allclose(found.pairs, theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("side", "scales"), [(28, 2), (32, 2), (48, 3), (64, 3), (96, 4), (176, 5), (192, 5)]
)
def test_ms_ssim_is_that_of_pytorch_msssim(side, scales):
    x, y = noisy_pairs(2, 3, side, side + 16)
    exponents = torch.tensor(WEIGHTS[:scales], dtype=torch.float64)
    exponents = exponents / exponents.sum()
    found = metrics.ms_ssim(x, y)
    assert found.settings["scales"] == scales
    # Its five scales are fixed: for fewer its parts are put together here.
    window, parts, (a, b) = _fspecial_gauss_1d(11, 1.5).repeat(3, 1, 1, 1), [], (x.double(), y.double())
    for scale in range(scales):
        parts.append(_ssim(a, b, 1.0, window)[scale < scales - 1])
        a, b = nn.functional.avg_pool2d(a, 2), nn.functional.avg_pool2d(b, 2)
    theirs = (torch.stack(parts).clamp(min=0) ** exponents.view(-1, 1, 1)).prod(0).mean(1)
    np.testing.assert_allclose(found.pairs, theirs, atol=1e-6)
    if scales == len(WEIGHTS):
        how = {"data_range": 1.0, "size_average": False, "weights": exponents.tolist()}
        theirs = pytorch_msssim.ms_ssim(x.double(), y.double(), **how)
        np.testing.assert_allclose(found.pairs, theirs, atol=1e-6)


def test_small_images_have_a_small_window_inside_them():
    x, y = (each[0, 0].double().numpy() for each in noisy_pairs(1, 1, 8, 9))
    weights = np.exp(-0.5 * (np.arange(-1, 2) / (1.5 * 3 / 11)) ** 2)
    weights = np.outer(weights, weights) / weights.sum() ** 2
    each = []
    for i in range(6):
        for j in range(7):
            a, b = x[i : i + 3, j : j + 3], y[i : i + 3, j : j + 3]
            mean = lambda v: (weights * v).sum()  # noqa: E731
            s_xy = mean((a - mean(a)) * (b - mean(b)))
            spread = mean((a - mean(a)) ** 2) + mean((b - mean(b)) ** 2)
            brightness = (2 * mean(a) * mean(b) + 1e-4) / (mean(a) ** 2 + mean(b) ** 2 + 1e-4)
            each.append(brightness * (2 * s_xy + 9e-4) / (spread + 9e-4))
    assert float(metrics.ssim(x[None, None], y[None, None])) == pytest.approx(np.mean(each), abs=1e-6)


def test_psnr_is_that_of_scikit_image():
    x, y = noisy_pairs(3, 3, 28, 28)
    theirs = [
        peak_signal_noise_ratio(a, b, data_range=1.0)
        for a, b in zip(x.double().numpy(), y.double().numpy(), strict=True)
    ]
    np.testing.assert_allclose(metrics.psnr(x, y).pairs, theirs, rtol=1e-5)
    assert float(metrics.psnr(x, x)) == np.inf


@pytest.mark.parametrize(
    ("side", "window", "scales"),
    [(6, 3, 2), (8, 3, 2), (14, 7, 2), (22, 11, 2), (28, 11, 2), (44, 11, 3), (87, 11, 3), (88, 11, 4), (176, 11, 5)],
)  # fmt: skip
def test_window_and_scales_follow_from_the_size(side, window, scales):
    x = torch.rand(2, 3, side, side + 1, generator=torch.Generator().manual_seed(0))
    assert (window_of(x), scales_of(side, window)) == (window, scales)
    found = metrics.ms_ssim(x, 0.9 * x)
    assert found.settings == {"window": window, "scales": scales}
    assert 0.5 < float(found) < 1
    assert metrics.ssim(x, 0.9 * x).settings == {"window": window}


def test_images_too_small_for_a_window_are_refused():
    x = torch.rand(2, 1, 5, 8)
    for metric in (metrics.ssim, metrics.ms_ssim):
        with pytest.raises(InputError, match="5x8 pixels, expected sides of at least 6"):
            metric(x, x)


def test_features_of_pixels_keep_distances_where_there_are_components_enough():
    x, _ = blobs(100, side=6)
    features = pixels_pca(x)(x)
    assert features.shape == (100, 36)
    assert features.var(axis=0).mean() == pytest.approx(1)
    distance = lambda each: np.linalg.norm(each[0] - each[1:], axis=1)  # noqa: E731
    ratio = distance(features) / distance(x.flatten(1).numpy())
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


def test_a_classifiers_features_tell_classes_apart_and_are_always_the_same(monkeypatch):
    monkeypatch.setattr("prismae.metrics.generation._features.STEPS", 60)
    x, labels = blobs(200)
    features = classifier(x, labels.astype(np.int32))
    new, new_labels = blobs(200, seed=1)
    accuracy = metrics.knn_accuracy(features(x), labels[:, None], test=(features(new), new_labels[:, None]))
    assert float(accuracy) > 0.95
    torch.manual_seed(5)
    np.testing.assert_array_equal(classifier(x, labels.astype(np.int32))(new), features(new))


def test_reconstructions_and_samples_are_compared_with_ceiling_and_chance(monkeypatch):
    monkeypatch.setattr("prismae.metrics.generation._features.STEPS", 60)
    (x, _), (others, labels), (samples, _) = blobs(120), blobs(240, seed=1), blobs(150, seed=2)
    blurred = nn.functional.avg_pool2d(x, 3, 1, 1)
    found = evaluate_images(
        x, reconstructions=blurred, samples=samples, others=others, labels=labels, name="blobs"
    )
    sets = [
        f"{metric}[{features}]-{part}"
        for metric in ("frechet", "kernel-distance")
        for features in ("pixels-pca", "classifier:blobs")
        for part in ("reconstructions", "samples")
    ]
    assert {"ssim", "ms-ssim", "psnr", "pixel-mse", *sets} == set(found)
    assert found["ssim"].chance < found["ssim"].score < 1
    assert found["ssim"].parameters == {"window": 5, "n_images": 120}
    for features in ("pixels-pca", "classifier:blobs"):
        each = found[f"frechet[{features}]-samples"]
        blurs = found[f"frechet[{features}]-reconstructions"].score
        assert max(each.score, each.ceiling) < 0.5 * blurs, features  # these samples are real images
        assert each.parameters["n_samples"] == 150
    assert "prismae[perceptual]" in found.skipped["fid"] or "weights" in found.skipped["fid"]


def test_intervals_and_seeds():
    (x, _), (others, _) = blobs(60), blobs(60, seed=1)
    wanted = ["psnr", "frechet", "kernel-distance"]
    how = {"reconstructions": 0.9 * x, "others": others, "metrics": wanted, "bootstrap": 30}
    found = evaluate_images(x, **how)
    assert set(found) == {
        "psnr",
        "frechet[pixels-pca]-reconstructions",
        "kernel-distance[pixels-pca]-reconstructions",
    }
    for each in found.values():
        assert each.lower < each.score < each.upper
    assert found.to_dict() == evaluate_images(x, **how).to_dict()


BAD = {
    "nothing generated": ({}, "neither reconstructions nor samples"),
    "labels of nothing": (
        {"samples": blobs(5)[0], "labels": [0, 1]},
        "Labels belong to the other real images",
    ),
    "a metric of codes": ({"samples": blobs(5)[0], "metrics": ["mig"]}, "Unknown metric of generation 'mig'"),
    "pairs without pairs": ({"samples": blobs(5)[0], "metrics": ["ssim"]}, "ssim: .* none are given"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(case):
    options, message = BAD[case]
    with pytest.raises(InputError, match=message):
        evaluate_images(blobs(5)[0], **options)
