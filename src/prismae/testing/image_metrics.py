"""What holds for every metric of images: its bounds, and what it declares of changed ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from prismae.metrics import Metric, Result
from prismae.testing._hold import Scores, close, declared, hold

IMAGE_CHANGES: dict[str, Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]] = {
    "permute_images": lambda x, y: (x.roll(7, 0), y.roll(7, 0)),
    "flip_images": lambda x, y: (x.flip(3), y.flip(3)),
    "swap_images": lambda x, y: (y, x),
}


def example_images() -> tuple[torch.Tensor, torch.Tensor]:
    """40 smooth images of 28 x 28 pixels in [0, 1], and the same blurred."""
    coarse = torch.rand(40, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.interpolate(coarse, scale_factor=4, mode="bilinear")
    return images, torch.nn.functional.avg_pool2d(images, 5, stride=1, padding=2)


def image_scores(metric: Metric, images: torch.Tensor, others: torch.Tensor) -> Scores:
    """Scores of a metric of images by short name; features are eight numbers of each image."""
    if metric.needs == "features":
        images, others = (each[:, 0, 3::7][..., [3, 24]].flatten(1) for each in (images, others))
    result = metric(images, others)
    return result.scores if isinstance(result, Result) else {"": result}


def images_have_scores_within_the_bounds(metric: Metric) -> None:
    """Scores of images are Python floats within the declared bounds."""
    images, blurred = example_images()
    for value in (
        *image_scores(metric, images, blurred).values(),
        *image_scores(metric, images, images).values(),
    ):
        hold(type(value) is float, f"A score is {type(value).__name__}, expected float.")
        hold(
            metric.bounds[0] <= value <= metric.bounds[1], f"A score is {value:.6g}, outside {metric.bounds}."
        )


def the_same_images_have_the_same_score(metric: Metric) -> None:
    """Scores are the same when asked again, and PyTorch's generator is not moved."""
    before, (images, blurred) = torch.get_rng_state(), example_images()
    same = image_scores(metric, images, blurred) == image_scores(metric, images, blurred)
    hold(same, "The same images have another score when asked again.")
    hold(torch.equal(before, torch.get_rng_state()), "It moves PyTorch's global generator.")


def identical_images_have_the_declared_value(metric: Metric) -> None:
    """Images that are the real ones have the score that is declared as "identity"."""
    images, _ = example_images()
    found = image_scores(metric, images, images)
    close(found, declared(metric, "identity"), "Identical images", 1e-5)


def blurred_images_are_worse(metric: Metric) -> None:
    """Images that are blurred and darkened have a worse score than images that are blurred."""
    images, blurred = example_images()
    for name, value in image_scores(metric, images, blurred).items():
        worse = image_scores(metric, images, 0.5 * blurred)[name]
        hold(
            metric.better.beats(value, worse),
            f"Blurred images score {value:.6g}, and blurred and darkened ones {worse:.6g}, "
            f"though {metric.better.phrase}.",
        )


def images_may_be_changed_as_declared(metric: Metric, name: str) -> None:
    """What is declared to leave the score of images as it is does so."""
    images, blurred = example_images()
    for key, value in image_scores(metric, images, blurred).items():
        found = image_scores(metric, *IMAGE_CHANGES[name](images, blurred))[key]
        hold(
            np.isclose(found, value, rtol=1e-4),
            f"After {name} the score is {found:.6g}, expected {value:.6g}.",
        )
